/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences between two memory maps as a person would state them: a region that moved is one
 * difference, not four. */
#ifndef S2DISK_PLATFORM_MAP_DIFF_H
#define S2DISK_PLATFORM_MAP_DIFF_H

#include "platform/memory/memory_map.h"

#include <stddef.h>
#include <stdint.h>

/* Addresses of one type then and one other type now. Everything that differs
 * is in exactly one segment; a segment never overlaps another. */
struct map_segment {
	uint64_t start;
	uint64_t end;  /* inclusive */
	uint32_t then; /* enum memory_type */
	uint32_t now;
	uint32_t change; /* index of the change that it belongs to */
};

enum change_kind {
	CHANGE_MOVED, /* same type and size, elsewhere */
	CHANGE_GREW,
	CHANGE_SHRANK,
	CHANGE_RESIZED, /* both ends or the size and the place */
	CHANGE_SPLIT,
	CHANGE_MERGED,
	CHANGE_RETYPED,
	CHANGE_VANISHED,
	CHANGE_APPEARED,
	CHANGE_RAM_ADDED,
	CHANGE_RAM_REMOVED,
	CHANGE_SEVERAL, /* adjacent changes that cannot be separated */
};

/* One difference. then and now are the first region on either side, index -1
 * where there is none (a region is an entry that is not RAM). */
struct map_change {
	enum change_kind kind;
	ssize_t then;
	ssize_t now;
	size_t then_count;
	size_t now_count;
	uint64_t start; /* of all its segments */
	uint64_t end;
};

struct map_diff {
	struct map_segment *segments; /* by address */
	size_t segment_count;
	struct map_change *changes; /* by address of their first segment */
	size_t change_count;
};

/* 0 or -ENOMEM. */
int map_diff(const struct memory_map *then, const struct memory_map *now, struct map_diff *ret);
void map_diff_free(struct map_diff *diff);

/* Both maps side by side: every run of addresses that is in either, with its
 * types (change is not set). *ret_rows is the caller's to free. */
int map_align(const struct memory_map *then, const struct memory_map *now,
	      struct map_segment **ret_rows, size_t *ret_count);

#endif
