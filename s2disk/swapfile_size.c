/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_size.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Less holds no image of anything. */
#define SIZE_MIN (16 * MIB)

/* The kernel counts an area's pages in 32 bits. */
#define PAGES_MAX UINT32_MAX

uint64_t swapfile_size_reserve(uint64_t fs_total)
{
	return min_u64(fs_total / 20, GIB);
}

/* Header, tables and what does not compress: a little more than memory. */
static uint64_t with_overhead(uint64_t bytes)
{
	return round_up(bytes + bytes / 64 + 16 * MIB, 16 * MIB);
}

int swapfile_size_auto(const struct meminfo *meminfo, uint64_t fs_free, uint64_t fs_total,
		       struct swapfile_size *ret, struct why *w)
{
	uint64_t reserve = swapfile_size_reserve(fs_total);
	uint64_t room = (fs_free - min_u64(reserve, fs_free)) / (16 * MIB) * (16 * MIB);
	uint64_t all = with_overhead(meminfo->total);
	uint64_t used = meminfo_must_save(meminfo);
	uint64_t least = with_overhead(max_u64(meminfo->total / 2, used));
	char text[4][24];

	text_size(meminfo->total, text[0], sizeof(text[0]));
	text_size(used, text[1], sizeof(text[1]));
	text_size(reserve, text[3], sizeof(text[3]));
	if (least > room)
		return why(w, -ENOSPC,
			   "%s beside the %s that stay free in any case are needed for half of "
			   "memory (%s) or what is in use (%s): make room, choose another file "
			   "system, or give a size (--size)",
			   text_size(least, text[2], sizeof(text[2])), text[3], text[0], text[1]);
	ret->bytes = min_u64(all, room);
	snprintf(ret->text, sizeof(ret->text),
		 "%s: %s (%s, of which %s would have to be saved now)%s",
		 text_size(ret->bytes, text[2], sizeof(text[2])),
		 all <= room ? "all of memory"
			     : "what the file system has room for; less than memory",
		 text[0], text[1],
		 all <= room ? " and 1/64 more, so that an image always fits"
			     : ", so an image of a full memory fits only if it compresses");
	return 0;
}

int swapfile_size_check(uint64_t bytes, uint64_t page_size, uint64_t fs_free, uint64_t fs_total,
			struct why *w)
{
	uint64_t reserve = swapfile_size_reserve(fs_total), needed;
	char text[3][24];

	if (bytes < SIZE_MIN)
		return why(w, -EINVAL, "a swap file of %s is too small for any image (at least %s)",
			   text_size(bytes, text[0], sizeof(text[0])),
			   text_size(SIZE_MIN, text[1], sizeof(text[1])));
	if (bytes / page_size > PAGES_MAX)
		return why(w, -EINVAL, "a swap area cannot have more than %s",
			   text_size(PAGES_MAX * page_size, text[0], sizeof(text[0])));
	if (!checked_add(bytes, reserve, &needed) || needed > fs_free)
		return why(
			w, -ENOSPC,
			"%s do not fit: the file system has %s free, of which %s must stay free; "
			"make room, or choose a smaller size or another file system",
			text_size(bytes, text[0], sizeof(text[0])),
			text_size(fs_free, text[1], sizeof(text[1])),
			text_size(reserve, text[2], sizeof(text[2])));
	return 0;
}
