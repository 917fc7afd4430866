/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image carries of the history. */
#include "history/maps/drift.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Appends a map; *ret_index is its index. */
static int add_map(const struct history_setup *setup, const struct history_map *map,
		   const struct boot_memory *now, struct maps_met *met, uint32_t *ret_index)
{
	struct map_met item = { .boots = map->boots, .last = map->last };
	int r = memory_map_digest(&map->map, item.digest);

	if (r < 0)
		return r;
	item.tables_moved = drift_tables_moved(map, now);
	item.own = map == map_history_find(setup, now);
	*ret_index = (uint32_t)met->maps.count;
	return list_append(&met->maps, item);
}

static int add_frames(const struct history_map *map, const struct boot_memory *now,
		      uint64_t page_size, uint32_t index, struct maps_met *met)
{
	struct frame_list lost = { 0 };
	int r = drift_lost_frames(&now->map, &map->map, page_size, &lost);

	for (size_t i = 0; r == 0 && i < lost.count; i++) {
		struct met_frames frames = { .map = index,
					     .first = lost.items[i].first,
					     .count = lost.items[i].count };

		if (met->frames.count == MAPS_MET_FRAMES_MAX)
			r = -E2BIG;
		else
			r = list_append(&met->frames, frames);
	}
	free(lost.items);
	return r;
}

/* A map whose frames do not fit is left out: with some of them missing it would seem to fit. */
static int add_whole(const struct history_setup *setup, const struct history_map *map,
		     const struct boot_memory *now, uint64_t page_size, struct maps_met *met)
{
	size_t frames = met->frames.count;
	uint32_t index;
	int r = add_map(setup, map, now, met, &index);

	if (r == 0)
		r = add_frames(map, now, page_size, index, met);
	if (r != -E2BIG)
		return r;
	met->maps.count--;
	met->frames.count = frames;
	return 0;
}

/* All frames of which the log has a byte. */
static struct frame_range frames_of(uint64_t start, uint64_t end, uint64_t page_size)
{
	uint64_t first = start / page_size;

	return (struct frame_range){ first, end / page_size - first + 1 };
}

static int add_log(const struct history_log *log, const struct boot_memory *now, uint64_t page_size,
		   struct maps_met *met)
{
	struct frame_range frames = frames_of(log->start, log->end, page_size);
	struct met_log item = {
		.boots = log->boots, .last = log->last, .first = frames.first, .count = frames.count
	};
	int r = crypto_sha256(log->boot_files, strlen(log->boot_files), item.files);

	if (r < 0)
		return r;
	item.own = log->start == now->log_start && log->end == now->log_end &&
		   strcmp(log->boot_files, now->boot_files) == 0;
	return list_append(&met->logs, item);
}

int drift_met_now(const struct boot_memory *now, uint64_t page_size, struct met_now *ret)
{
	struct met_now met = { 0 };
	int r = memory_map_digest(&now->map, met.digest);

	if (r == 0)
		r = crypto_sha256(now->boot_files, strlen(now->boot_files), met.files);
	if (r < 0)
		return r;
	if (now->log_end > 0)
		met.log = frames_of(now->log_start, now->log_end, page_size);
	*ret = met;
	return 0;
}

int drift_maps_met(const struct history_setup *setup, const struct boot_memory *now,
		   uint64_t page_size, struct maps_met *ret)
{
	struct maps_met met = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && setup && i < setup->maps.count; i++)
		r = add_whole(setup, &setup->maps.items[i], now, page_size, &met);
	for (size_t i = 0; r == 0 && setup && i < setup->logs.count; i++)
		r = add_log(&setup->logs.items[i], now, page_size, &met);
	if (r < 0) {
		maps_met_free(&met);
		return r;
	}
	met.maps.known = met.frames.known = met.logs.known = setup != NULL;
	*ret = met;
	return 0;
}
