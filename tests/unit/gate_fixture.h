/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks below a made root, and a kernel that is asked to cut them off: for the tests of
 * what is looked at before the restored system writes. */
#ifndef TESTS_GATE_FIXTURE_H
#define TESTS_GATE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#define GATE_DISK_SIZE (3 * 65536)

/* What was asked of the kernel, a line each; what was logged; what the kernel refuses. */
extern char asked[4000];
extern char said[4000];
extern unsigned int pauses, flushes, time_zones;
extern bool no_shut_down, no_resize;

/* Fixture of a test; made_root_remove() ends it. */
void make_gate(void);

/* The content of the next disk; written to path below the root. */
extern unsigned char disk[GATE_DISK_SIZE];
void put_disk(const char *path);
void put_ext(const char *path, unsigned char uuid, unsigned int mounts);

#endif
