/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the restored system, before user space goes on: what the resumer handed
 * over is told, and its boot's record taken over.
 */
#ifndef S2DISK_AFTERMATH_H
#define S2DISK_AFTERMATH_H

#include "format/handover.h"

#include <stddef.h>
#include <stdint.h>

/* One line about the image, one about its way back, and what the resumer said. */
void aftermath_report(struct handover *handover);

/* The record of the boot that restored this system takes the place of the one in
 * root/run, which is of the boot before the image. An older resume hands none over. */
void aftermath_take_record(const struct handover *handover, const char *root);

/* "1.2 GiB of memory as 540 MiB (2.27:1), written in 2.1 s (585 MiB/s)". */
void aftermath_describe(char *buffer, size_t size, uint64_t stream, uint64_t stored, uint64_t usec);

#endif
