/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "history/boot_record_file.h"
#include "history/maps/map_history_file.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Poisoned frames that are not s2disk's. That they are unknown is no error. */
static int find_others(const char *root, const struct ram *ram, struct history_view *view)
{
	struct frame_list poisoned = { 0 };
	int flags = -1, r = offlined_find(root, ram, &poisoned, &flags, &view->unknown);

	if (flags >= 0)
		close(flags);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		if (!view->unknown.text[0])
			why(&view->unknown, r, "%s", strerror(-r));
		return 0;
	}
	r = frames_select(&poisoned, &view->own, false, &view->others);
	free(poisoned.items);
	return r;
}

static int look_at_machine(const char *root, struct history_view *view, struct why *w)
{
	_cleanup_free_ char *log = NULL;
	struct platform platform = { 0 };
	int r;

	if (boot_record_log(root, &log) < 0)
		log = NULL;
	r = platform_capture(root, log, &platform, w);
	if (r < 0)
		return r;
	view->page_size = platform.ram.pages.page_size ? platform.ram.pages.page_size : page_size();
	r = boot_memory_of(root, &platform, log, (uint64_t)time(NULL), &view->now);
	if (r == 0)
		r = offlined_own_read(root, &view->own);
	if (r == 0)
		r = find_others(root, &platform.ram, view);
	platform_free(&platform);
	return r;
}

static int choose(struct history_view *view)
{
	view->setup = map_history_setup(&view->history, &view->now);
	if (view->setup && view->now.map.entries.count > 0)
		view->map = map_history_find(view->setup, &view->now);
	/* The places alone are shown: choosing among very many takes long. */
	return drift_choose(view->setup, &view->now, view->page_size, 0, 0, NULL, &view->drift);
}

int history_view_open(const char *root, struct history_view *ret, struct why *w)
{
	struct history_view view = { 0 };
	int r = map_history_read(root, &view.history, &view.damage);

	if (r < 0) {
		why(w, r, "%s", why_text(&view.damage, r));
		return r;
	}
	r = look_at_machine(root, &view, w);
	if (r == 0)
		r = choose(&view);
	if (r < 0)
		history_view_close(&view);
	else
		*ret = view;
	return r;
}

void history_view_close(struct history_view *view)
{
	map_history_free(&view->history);
	boot_memory_free(&view->now);
	drift_free(&view->drift);
	free(view->own.items);
	free(view->others.items);
	*view = (struct history_view){ 0 };
}

uint32_t history_view_taker(const struct history_view *view, const struct drift_place *place)
{
	uint64_t address = place->frames.first * view->page_size;

	for (size_t i = 0; view->setup && i < view->setup->maps.count; i++) {
		const struct history_map *map = &view->setup->maps.items[i];
		uint32_t type = memory_map_type_at(&map->map, address);

		/* A region may begin in the middle of the frame. */
		if (type == MEMORY_RAM)
			type = memory_map_type_at(&map->map, address + view->page_size - 1);
		if (!drift_tables_moved(map, &view->now) && type != MEMORY_RAM)
			return type;
	}
	return MEMORY_NONE;
}

uint64_t history_view_within(const struct frame_list *frames, const struct drift_place *place)
{
	return frames_within(frames->items, frames->count, place->frames.first,
			     place->frames.first + place->frames.count - 1);
}
