/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which page frames of a machine are RAM. */
#include "verdict/verdict_private.h"

#include "base/bytes.h"

#include <errno.h>

/* Runs of bytes are merged before they are cut into pages, so two adjacent entries with half a page
 * each make one page. The last byte of the address space, where no RAM is, is left out to avoid
 * overflow. */
static int add_bytes(struct frame_list *bytes, uint64_t start, uint64_t end)
{
	if (end == UINT64_MAX)
		end--;
	return start > end ? 0 : frames_append(bytes, start, end - start + 1);
}

static int ram_bytes(const struct platform *platform, struct frame_list *bytes)
{
	const struct memory_map *map = &platform->map;
	const struct ram *ram = &platform->ram;
	int r = 0;

	if (ram->used.known) {
		for (size_t i = 0; r == 0 && i < ram->used.count; i++)
			r = add_bytes(bytes, ram->used.items[i].start, ram->used.items[i].end);
	} else {
		for (size_t i = 0; r == 0 && i < map->entries.count; i++)
			if (map->entries.items[i].type == MEMORY_RAM)
				r = add_bytes(bytes, map->entries.items[i].start,
					      map->entries.items[i].end);
	}
	frames_normalize(bytes);
	return r;
}

/* Whole pages within runs of bytes. */
static int whole_frames(const struct frame_list *bytes, uint64_t page_size,
			struct frame_list *frames)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < bytes->count; i++) {
		uint64_t first = div_round_up(bytes->items[i].first, page_size);
		uint64_t after = (bytes->items[i].first + bytes->items[i].count) / page_size;

		if (after > first)
			r = frames_append(frames, first, after - first);
	}
	return r;
}

/* Memory that a driver may have turned into RAM after the boot. */
static bool may_become_ram(uint32_t type)
{
	return type == MEMORY_SOFT_RESERVED || type == MEMORY_PMEM || type == MEMORY_PRAM;
}

static int add_touched(struct frame_list *frames, uint64_t page_size, uint64_t start, uint64_t end)
{
	uint64_t first = start / page_size, last = end / page_size;

	return frames_append(frames, first, last - first + 1);
}

/* Pages of which a byte is not RAM, whatever the kernel says. */
static int barred_frames(const struct platform *platform, uint64_t page_size,
			 struct frame_list *frames)
{
	const struct ram *ram = &platform->ram;
	int r = 0;

	for (size_t i = 0; r == 0 && i < platform->map.entries.count; i++) {
		const struct memory_entry *entry = &platform->map.entries.items[i];

		if (entry->type != MEMORY_RAM && !(ram->used.known && may_become_ram(entry->type)))
			r = add_touched(frames, page_size, entry->start, entry->end);
	}
	for (size_t i = 0; r == 0 && i < ram->offline.count; i++)
		r = add_touched(frames, page_size, ram->offline.items[i].start,
				ram->offline.items[i].end);
	frames_normalize(frames);
	return r;
}

int verdict_ram_frames(const struct platform *platform, uint64_t page_size, struct frame_list *ret)
{
	struct frame_list bytes = { 0 }, frames = { 0 }, barred = { 0 };
	int r = ram_bytes(platform, &bytes);

	if (r == 0)
		r = whole_frames(&bytes, page_size, &frames);
	if (r == 0)
		r = barred_frames(platform, page_size, &barred);
	if (r == 0)
		r = frames_select(&frames, &barred, false, ret);
	free(bytes.items);
	free(frames.items);
	free(barred.items);
	return r;
}
