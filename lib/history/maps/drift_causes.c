/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else was different at boots whose memory was. */
#include "history/maps/drift.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

static bool same_files(const struct history_log *a, const char *files)
{
	return strcmp(a->boot_files, files) == 0;
}

/* Did the log lie where it does now, at a boot with the files of item at? Places after it are of
 * the same files or of others. */
static bool lay_here(const struct history_setup *setup, size_t at, const struct boot_memory *now)
{
	for (size_t i = at; i < setup->logs.count; i++) {
		const struct history_log *log = &setup->logs.items[i];

		if (same_files(log, setup->logs.items[at].boot_files) &&
		    log->start == now->log_start && log->end == now->log_end)
			return true;
	}
	return false;
}

size_t drift_other_files(const struct history_setup *setup, const struct boot_memory *now,
			 size_t *ret_moved)
{
	size_t files = 0, moved = 0;

	for (size_t i = 0; setup && i < setup->logs.count; i++) {
		const char *name = setup->logs.items[i].boot_files;
		size_t before = 0;

		while (before < i && !same_files(&setup->logs.items[before], name))
			before++;
		if (before < i || strcmp(name, now->boot_files) == 0)
			continue;
		files++;
		moved += !lay_here(setup, i, now);
	}
	*ret_moved = moved;
	return files;
}

/* Was one of these frames RAM now, and not at boots with this map? */
static bool takes(const struct history_map *map, const struct boot_memory *now, uint64_t page_size,
		  const struct frame_list *frames)
{
	_cleanup_frames_ struct frame_list lost = { 0 }, taken = { 0 };

	return drift_lost_frames(&now->map, &map->map, page_size, &lost) == 0 &&
	       frames_select(&lost, frames, true, &taken) == 0 && taken.count > 0;
}

/* The loader of all boots with that map, as far as it is known; NULL: none is, or several. */
static const char *only_loader(const struct history_map *map)
{
	return map && map->loader[0] && strcmp(map->loader, HISTORY_LOADERS) != 0 ? map->loader
										  : NULL;
}

const char *drift_other_loader(const struct history_setup *setup, const struct boot_memory *now,
			       uint64_t page_size, const struct frame_list *frames,
			       const char **ret_own)
{
	const char *own = setup ? only_loader(map_history_find(setup, now)) : NULL, *other = NULL;

	for (size_t i = 0; own && i < setup->maps.count; i++) {
		const struct history_map *map = &setup->maps.items[i];
		const char *loader = only_loader(map);

		if (!takes(map, now, page_size, frames))
			continue;
		if (!loader || strcmp(loader, own) == 0 || (other && strcmp(loader, other) != 0))
			return NULL;
		other = loader;
	}
	if (other)
		*ret_own = own;
	return other;
}
