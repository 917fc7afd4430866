/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large the swap file shall be. Pure. */
#ifndef S2DISK_SWAPFILE_SIZE_H
#define S2DISK_SWAPFILE_SIZE_H

#include "base/why.h"
#include "preflight_memory.h"

#include <stdint.h>

struct swapfile_size {
	uint64_t bytes;
	char text[300]; /* why so much */
};

/* What is left free on a file system in any case. */
uint64_t swapfile_size_reserve(uint64_t fs_total);

/* As large as memory and a little more, so that it suffices whatever memory
 * holds; where the file system has no room for that, as much as it has, down
 * to what is needed with half of memory in use. -ENOSPC below. */
int swapfile_size_auto(const struct meminfo *meminfo, uint64_t fs_free, uint64_t fs_total,
		       struct swapfile_size *ret, struct why *w);

/* A size that was asked for. -ENOSPC, or -EINVAL for one that makes no sense. */
int swapfile_size_check(uint64_t bytes, uint64_t page_size, uint64_t fs_free, uint64_t fs_total,
			struct why *w);

#endif
