/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel exposes no firmware memory map (arm64), its own list of RAM is compared. */
#include "verdict/verdict_private.h"

#include <errno.h>

/* Frames of RAM in the form of a firmware map. */
static int map_of_frames(const struct judge *judge, const struct frame_list *frames,
			 struct memory_map *ret)
{
	struct memory_map map = { .entries.known = true };

	for (size_t i = 0; i < frames->count; i++) {
		const struct frame_range *range = &frames->items[i];
		struct memory_entry entry = {
			.start = range->first * judge->page_size,
			.end = (range->first + range->count) * judge->page_size - 1,
			.type = MEMORY_RAM,
		};

		if (list_append(&map.entries, entry) < 0) {
			memory_map_free(&map);
			return -ENOMEM;
		}
	}
	map.table_count = (uint32_t)map.entries.count;
	*ret = map;
	return 0;
}

void judge_without_map(struct judge *judge)
{
	struct memory_map then = { 0 }, now = { 0 };

	if (!judge->then->ram.used.known || !judge->now->ram.used.known)
		judge_same(judge, ABOUT_MEMORY_MAP, "This kind of machine shows no memory map.");
	else if (map_of_frames(judge, &judge->then_ram, &then) < 0 ||
		 map_of_frames(judge, &judge->now_ram, &now) < 0)
		judge->error = -ENOMEM;
	else
		judge_maps(judge, &then, &now,
			   "This kind of machine shows no memory map; what is RAM is the same.");
	memory_map_free(&then);
	memory_map_free(&now);
}
