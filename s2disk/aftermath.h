/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the restored system, before user space goes on: what the resumer handed
 * over is read, pages that the firmware now claims are taken out of use, and it
 * is all told.
 */
#ifndef S2DISK_AFTERMATH_H
#define S2DISK_AFTERMATH_H

#include "image/handover.h"

#include <stddef.h>
#include <stdint.h>

/* Page frames that this program offlined, and nobody before. */
struct offlined_pages {
	uint64_t frames[HANDOVER_PAGES_MAX];
	size_t count;
};

/* Takes pages out of use through root/sys/devices/system/memory/
 * soft_offline_page (works on free and movable pages). What the kernel does not
 * give it is asked for again, and then logged. Returns how many were taken; those
 * that were not poisoned before are added to ret. */
uint64_t aftermath_quarantine(const struct handover *handover, const char *root, size_t page_size,
			      struct offlined_pages *ret);

/* One line about the image, one about its way back, and what the resumer said. */
void aftermath_report(struct handover *handover);

/* "1.2 GiB of memory as 540 MiB (2.27:1), written in 2.1 s (585 MiB/s)". */
void aftermath_describe(char *buffer, size_t size, uint64_t stream, uint64_t stored, uint64_t usec);

#endif
