/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the restored system, before user space goes on: what the resumer handed
 * over is told.
 */
#ifndef S2DISK_AFTERMATH_H
#define S2DISK_AFTERMATH_H

#include "image/handover.h"

#include <stddef.h>
#include <stdint.h>

/* One line about the image, one about its way back, and what the resumer said. */
void aftermath_report(struct handover *handover);

/* "1.2 GiB of memory as 540 MiB (2.27:1), written in 2.1 s (585 MiB/s)". */
void aftermath_describe(char *buffer, size_t size, uint64_t stream, uint64_t stored, uint64_t usec);

#endif
