/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real file systems on loop devices, which a made-up sysfs (made_tree.h) calls
 * disks, for tests of s2disk-swapfile. Mounting needs root. */
#ifndef TESTS_MADE_DISK_H
#define TESTS_MADE_DISK_H

#include "swapfile.h"

#include <stdbool.h>
#include <stddef.h>

/* A folder in /tmp with a folder "mount", and a made-up system. */
void made_disk_create(void);
void made_disk_remove(void);

/* Runs a line of shell in the folder, silently; true where it ended with 0. */
bool made_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A block device of the made-up sysfs, with one attribute; NULL for none. */
void made_device(const char *numbers, const char *name, const char *attribute, const char *value);

/* Does the test run as root? false, having said that something is skipped. */
bool made_root_user(void);

/* Makes a file system (a command without the device's name) and mounts it; false
 * where that cannot be done here, having said so. */
bool made_mount(const char *make, const char *size);

/* A command for a file of that name on it; path gets the path. */
struct swapfile made_command(char *path, size_t size, const char *name);

#endif
