/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/drift.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void drift_free(struct drift *drift)
{
	list_free(&drift->places);
	free(drift->keep.items);
	*drift = (struct drift){ 0 };
}

/* Bytes of RAM, touching runs merged: two halves of a page make one. */
static int ram_bytes(const struct memory_map *map, struct frame_list *ret)
{
	for (size_t i = 0; i < map->table_count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];

		if (entry->type == MEMORY_RAM && entry->end != UINT64_MAX &&
		    frames_append(ret, entry->start, entry->end - entry->start + 1) < 0)
			return -ENOMEM;
	}
	frames_normalize(ret);
	return 0;
}

/* Frames that an entry other than RAM touches. */
static int barred_frames(const struct memory_map *map, uint64_t page_size, struct frame_list *ret)
{
	for (size_t i = 0; i < map->table_count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];
		uint64_t first = entry->start / page_size;

		if (entry->type != MEMORY_RAM &&
		    frames_append(ret, first, entry->end / page_size - first + 1) < 0)
			return -ENOMEM;
	}
	frames_normalize(ret);
	return 0;
}

/* Frames that are wholly RAM by the firmware's map. */
static int ram_frames(const struct memory_map *map, uint64_t page_size, struct frame_list *ret)
{
	_cleanup_frames_ struct frame_list bytes = { 0 }, whole = { 0 }, barred = { 0 };
	int r = ram_bytes(map, &bytes);

	for (size_t i = 0; r == 0 && i < bytes.count; i++) {
		uint64_t first = div_round_up(bytes.items[i].first, page_size);
		uint64_t after = (bytes.items[i].first + bytes.items[i].count) / page_size;

		if (after > first)
			r = frames_append(&whole, first, after - first);
	}
	if (r == 0)
		r = barred_frames(map, page_size, &barred);
	return r < 0 ? r : frames_select(&whole, &barred, false, ret);
}

int drift_lost_frames(const struct memory_map *now, const struct memory_map *then,
		      uint64_t page_size, struct frame_list *ret)
{
	_cleanup_frames_ struct frame_list here = { 0 }, there = { 0 };
	int r = ram_frames(now, page_size, &here);

	if (r == 0)
		r = ram_frames(then, page_size, &there);
	return r < 0 ? r : frames_select(&here, &there, false, ret);
}

bool drift_tables_moved(const struct history_map *map, const struct boot_memory *now)
{
	return !boot_tables_equal(map->tables.items, map->tables.count, now->tables.items,
				  now->tables.count);
}

/* What one map, or one place of the log, takes of the RAM of this boot. */
struct taken {
	struct frame_list frames;
	uint64_t boots;
	uint64_t last;
	enum drift_cause cause;
};

#define TAKEN_MAX (HISTORY_MAPS_MAX + HISTORY_LOGS_IN_ALL + 1)

struct choice {
	const struct history_setup *setup;
	const struct boot_memory *now;
	uint64_t page_size;
	uint64_t margin, limit;
	const struct frame_list *lost; /* offlined before */
	uint64_t spent;		       /* of the limit: these, and what is kept besides */
	struct frame_list ram;	       /* RAM of this boot, without the log */
	struct taken taken[TAKEN_MAX];
	size_t taken_count;
};

static void free_choice(struct choice *choice)
{
	frames_free(&choice->ram);
	for (size_t i = 0; i < choice->taken_count; i++)
		frames_free(&choice->taken[i].frames);
}

static int find_ram(struct choice *choice)
{
	_cleanup_frames_ struct frame_list all = { 0 };
	const struct boot_memory *now = choice->now;
	uint64_t first = now->log_start / choice->page_size;
	struct frame_range log = { first, now->log_end / choice->page_size - first + 1 };
	const struct frame_list without = { &log, now->log_end ? 1 : 0 };
	int r = ram_frames(&now->map, choice->page_size, &all);

	return r < 0 ? r : frames_select(&all, &without, false, &choice->ram);
}

static int take_maps(struct choice *choice)
{
	for (size_t i = 0; choice->setup && i < choice->setup->maps.count; i++) {
		const struct history_map *map = &choice->setup->maps.items[i];
		struct taken *taken = &choice->taken[choice->taken_count];
		_cleanup_frames_ struct frame_list there = { 0 };

		if (choice->taken_count == TAKEN_MAX || drift_tables_moved(map, choice->now))
			continue;
		if (ram_frames(&map->map, choice->page_size, &there) < 0 ||
		    frames_select(&choice->ram, &there, false, &taken->frames) < 0)
			return -ENOMEM;
		taken->boots = map->boots;
		taken->last = map->last;
		choice->taken_count++;
	}
	return 0;
}

/* The frames first … first + count - 1 that are RAM now. */
static int take_log_at(struct choice *choice, uint64_t first, uint64_t count, uint64_t boots,
		       uint64_t last)
{
	struct taken *taken = &choice->taken[choice->taken_count];
	struct frame_range range = { first, count };
	const struct frame_list span = { &range, 1 };

	if (choice->taken_count == TAKEN_MAX)
		return 0;
	if (frames_select(&choice->ram, &span, true, &taken->frames) < 0)
		return -ENOMEM;
	taken->boots = boots;
	taken->last = last;
	taken->cause = DRIFT_LOG;
	choice->taken_count++;
	return 0;
}

/* The frames of a log with what surrounds it. */
static int take_around(struct choice *choice, uint64_t start, uint64_t end, uint64_t boots,
		       uint64_t last)
{
	uint64_t first = start / choice->page_size, count = end / choice->page_size - first + 1;
	uint64_t margin =
		count < DRIFT_LOG_MAX ? min_u64(DRIFT_LOG_MARGIN, (DRIFT_LOG_MAX - count) / 2) : 0;

	margin = min_u64(margin, first);
	return take_log_at(choice, first - margin, count + 2 * margin, boots, last);
}

/* With the boot files of this boot, or of the boot counted last: the others may be gone for good.
 */
static bool is_current(const struct history_setup *setup, const struct history_log *log,
		       const struct boot_memory *now)
{
	return strcmp(log->boot_files, now->boot_files) == 0 ||
	       strcmp(log->boot_files, setup->logs.items[setup->logs.count - 1].boot_files) == 0;
}

/* Places of the log at other boots, and what surrounds the one of this boot (which may be its
 * first). The next boot may have other boot files that the history knows: another kernel that is
 * installed, or newer ones, if a boot with these restored this system. So their places count with
 * what surrounds them, and least where they were not of the last boot. */
static int take_logs(struct choice *choice, uint64_t boots)
{
	const struct boot_memory *now = choice->now;
	int r = 0;

	for (size_t i = 0; r == 0 && choice->setup && i < choice->setup->logs.count; i++) {
		const struct history_log *log = &choice->setup->logs.items[i];
		uint64_t start = log->start / choice->page_size;

		if (strcmp(log->boot_files, now->boot_files) == 0)
			r = take_log_at(choice, start, log->end / choice->page_size - start + 1,
					log->boots, log->last);
		else
			r = take_around(choice, log->start, log->end,
					is_current(choice->setup, log, now) ? log->boots : 1,
					log->last);
	}
	if (r < 0 || now->log_end == 0)
		return r;
	return take_around(choice, now->log_start, now->log_end, boots, now->time);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Every frame at which what is taken begins or ends, ascending; the caller frees it. */
static uint64_t *list_bounds(const struct choice *choice, size_t *ret_count)
{
	size_t count = 0;
	uint64_t *bounds;

	for (size_t i = 0; i < choice->taken_count; i++)
		count += 2 * choice->taken[i].frames.count;
	bounds = reallocarray(NULL, count + 1, sizeof(*bounds));
	if (!bounds)
		return NULL;
	*ret_count = 0;
	for (size_t i = 0; i < choice->taken_count; i++)
		for (size_t k = 0; k < choice->taken[i].frames.count; k++) {
			const struct frame_range *range = &choice->taken[i].frames.items[k];

			bounds[(*ret_count)++] = range->first;
			bounds[(*ret_count)++] = range->first + range->count;
		}
	qsort(bounds, *ret_count, sizeof(*bounds), compare_u64);
	return bounds;
}

/* The place that these frames, none of which differs from the other, make: in how many boots they
 * were taken. */
static struct drift_place weigh(const struct choice *choice, uint64_t first, uint64_t after)
{
	struct drift_place place = { .frames = { first, after - first } };

	for (size_t i = 0; i < choice->taken_count; i++) {
		const struct taken *taken = &choice->taken[i];

		if (frames_within(taken->frames.items, taken->frames.count, first, first) == 0)
			continue;
		if (taken->cause == DRIFT_LOG) {
			place.cause = DRIFT_LOG;
			place.boots = max_u64(place.boots, taken->boots);
		} else {
			place.boots += taken->boots;
		}
		place.last = max_u64(place.last, taken->last);
	}
	return place;
}

static bool continues(const struct drift_place *before, const struct drift_place *place)
{
	return before->frames.first + before->frames.count == place->frames.first &&
	       before->boots == place->boots && before->cause == place->cause;
}

static int find_places(const struct choice *choice, struct drift *drift)
{
	size_t count = 0;
	uint64_t *bounds = list_bounds(choice, &count);
	int r = bounds ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i + 1 < count; i++) {
		struct drift_place place, *before;

		if (bounds[i] == bounds[i + 1])
			continue;
		place = weigh(choice, bounds[i], bounds[i + 1]);
		before = drift->places.count ? &drift->places.items[drift->places.count - 1] : NULL;
		if (place.boots == 0)
			continue;
		if (before && continues(before, &place))
			before->frames.count += place.frames.count;
		else
			r = list_append(&drift->places, place);
	}
	free(bounds);
	return r;
}

static int compare_places(const void *a, const void *b)
{
	const struct drift_place *x = a, *y = b;

	if (x->boots != y->boots)
		return x->boots > y->boots ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return (x->frames.first > y->frames.first) - (x->frames.first < y->frames.first);
}

/* Adds a place with its margin, if it fits. What is offlined already is lost to the kernel until
 * the next boot, chosen or not: it is paid for. */
static int keep_place(struct choice *choice, const struct drift_place *place, struct drift *drift)
{
	_cleanup_frames_ struct frame_list inside = { 0 }, added = { 0 }, new = { 0 };
	uint64_t beside = place->cause == DRIFT_LOG ? 0 : choice->margin, more;
	uint64_t before = min_u64(beside, place->frames.first);
	struct frame_range span = { place->frames.first - before,
				    place->frames.count + before + beside };
	const struct frame_list spans = { &span, 1 };

	if (frames_select(&choice->ram, &spans, true, &inside) < 0 ||
	    frames_select(&inside, &drift->keep, false, &added) < 0 ||
	    frames_select(&added, choice->lost, false, &new) < 0)
		return -ENOMEM;
	more = frames_total(new.items, new.count);
	if (more > 0 && choice->spent + more > choice->limit) {
		drift->beyond += place->frames.count;
		return 0;
	}
	choice->spent += more;
	for (size_t i = 0; i < added.count; i++)
		if (frames_append(&drift->keep, added.items[i].first, added.items[i].count) < 0)
			return -ENOMEM;
	frames_normalize(&drift->keep);
	return 0;
}

static int choose(struct choice *choice, struct drift *drift)
{
	int r = find_ram(choice);

	if (choice->setup)
		drift->boots = history_boots(choice->setup);
	if (r == 0)
		r = take_maps(choice);
	if (r == 0)
		r = take_logs(choice, max_u64(drift->boots, 1));
	if (r == 0)
		r = find_places(choice, drift);
	if (r == 0 && drift->places.count > 0)
		qsort(drift->places.items, drift->places.count, sizeof(*drift->places.items),
		      compare_places);
	for (size_t i = 0; r == 0 && i < drift->places.count; i++)
		r = keep_place(choice, &drift->places.items[i], drift);
	return r;
}

int drift_choose(const struct history_setup *setup, const struct boot_memory *now,
		 uint64_t page_size, uint64_t margin, uint64_t limit, const struct frame_list *lost,
		 struct drift *ret)
{
	static const struct frame_list none = { 0 };
	struct choice choice = {
		.setup = setup,
		.now = now,
		.page_size = page_size,
		.margin = margin,
		.limit = limit,
		.lost = lost ? lost : &none,
	};
	struct drift drift = { 0 };
	int r;

	choice.spent = frames_total(choice.lost->items, choice.lost->count);
	r = choose(&choice, &drift);
	free_choice(&choice);
	if (r < 0) {
		drift_free(&drift);
		return r;
	}
	*ret = drift;
	return 0;
}

static bool meets(const struct frame_list *a, const struct frame_list *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (frames_within(b->items, b->count, a->items[i].first,
				  a->items[i].first + a->items[i].count - 1) > 0)
			return true;
	return false;
}

uint64_t drift_boots_taking(const struct history_setup *setup, const struct boot_memory *now,
			    uint64_t page_size, const struct frame_list *frames)
{
	uint64_t boots = 0;

	if (!setup)
		return 0;
	for (size_t i = 0; i < setup->maps.count; i++) {
		const struct history_map *map = &setup->maps.items[i];
		_cleanup_frames_ struct frame_list lost = { 0 };

		if (drift_lost_frames(&now->map, &map->map, page_size, &lost) == 0 &&
		    meets(&lost, frames))
			boots += map->boots;
	}
	for (size_t i = 0; i < setup->logs.count; i++) {
		const struct history_log *log = &setup->logs.items[i];

		if (is_current(setup, log, now) &&
		    frames_in_bytes(frames->items, frames->count, page_size, log->start, log->end) >
			    0)
			boots += log->boots;
	}
	/* A boot may be both. */
	return min_u64(boots, history_boots(setup));
}
