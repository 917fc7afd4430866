/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/map_history.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void history_map_free(struct history_map *map)
{
	memory_map_free(&map->map);
	list_free(&map->tables);
}

void history_setup_free(struct history_setup *setup)
{
	for (size_t i = 0; i < setup->maps.count; i++)
		history_map_free(&setup->maps.items[i]);
	list_free(&setup->maps);
	list_free(&setup->logs);
}

void map_history_free(struct map_history *history)
{
	for (size_t i = 0; i < history->setups.count; i++)
		history_setup_free(&history->setups.items[i]);
	list_free(&history->setups);
	*history = (struct map_history){ 0 };
}

static bool same_setup(const struct history_setup *setup, const struct boot_memory *boot)
{
	uint64_t more = setup->memory > boot->memory ? setup->memory - boot->memory
						     : boot->memory - setup->memory;

	return more < HISTORY_MEMORY_TOLERANCE && strcmp(setup->machine, boot->machine) == 0 &&
	       strcmp(setup->firmware, boot->firmware) == 0;
}

/* The number of setups if it is new. */
static size_t find_setup(const struct map_history *history, const struct boot_memory *boot)
{
	size_t i = 0;

	while (i < history->setups.count && !same_setup(&history->setups.items[i], boot))
		i++;
	return i;
}

const struct history_setup *map_history_setup(const struct map_history *history,
					      const struct boot_memory *boot)
{
	size_t i = find_setup(history, boot);

	return i < history->setups.count ? &history->setups.items[i] : NULL;
}

static bool same_map(const struct history_map *map, const struct boot_memory *boot)
{
	return memory_map_equal(&map->map, &boot->map) &&
	       boot_tables_equal(map->tables.items, map->tables.count, boot->tables.items,
				 boot->tables.count);
}

static size_t find_map(const struct history_setup *setup, const struct boot_memory *boot)
{
	size_t i = 0;

	while (i < setup->maps.count && !same_map(&setup->maps.items[i], boot))
		i++;
	return i;
}

const struct history_map *map_history_find(const struct history_setup *setup,
					   const struct boot_memory *boot)
{
	size_t i = find_map(setup, boot);

	return i < setup->maps.count ? &setup->maps.items[i] : NULL;
}

/* Of what must give way: seen least, and of these seen last the longest ago. */
#define WEAKER(a, b) \
	((a)->boots < (b)->boots || ((a)->boots == (b)->boots && (a)->last < (b)->last))

/* Removes item at of a list. */
#define TAKE_OUT(list, at)                                    \
	memmove(&(list)->items[at], &(list)->items[(at) + 1], \
		(--(list)->count - (at)) * sizeof((list)->items[0]))

/* Makes room for one more. */
static void drop_weakest_map(struct history_setup *setup)
{
	size_t weakest = 0;

	if (setup->maps.count < HISTORY_MAPS_MAX)
		return;
	for (size_t i = 1; i < setup->maps.count; i++)
		if (WEAKER(&setup->maps.items[i], &setup->maps.items[weakest]))
			weakest = i;
	history_map_free(&setup->maps.items[weakest]);
	TAKE_OUT(&setup->maps, weakest);
}

/* In the place of those that the map has, which stay on failure. */
static int copy_tables(const struct boot_memory *boot, struct history_map *map)
{
	struct history_map copy = { 0 };

	for (size_t i = 0; i < boot->tables.count; i++) {
		if (list_append(&copy.tables, boot->tables.items[i]) < 0) {
			list_free(&copy.tables);
			return -ENOMEM;
		}
	}
	list_free(&map->tables);
	map->tables.items = copy.tables.items;
	map->tables.count = copy.tables.count;
	map->tables.known = boot->tables.known;
	return 0;
}

static int add_map(struct history_setup *setup, const struct boot_memory *boot)
{
	struct history_map map = { .first = boot->time };
	int r = memory_map_copy(&boot->map, &map.map);

	if (r == 0)
		r = copy_tables(boot, &map);
	if (r == 0) {
		drop_weakest_map(setup);
		r = list_append(&setup->maps, map);
	}
	if (r < 0)
		history_map_free(&map);
	return r;
}

void history_map_add_loader(struct history_map *map, const char *loader)
{
	if (!loader[0] || strcmp(map->loader, loader) == 0)
		return;
	text_copy(map->loader, sizeof(map->loader), map->loader[0] ? HISTORY_LOADERS : loader);
}

/* The clock of a boot may be wrong: the last boot is then not the latest time. */
static void count_map(struct history_map *map, const struct boot_memory *boot,
		      enum boot_outcome outcome)
{
	map->last = boot->time;
	history_map_add_loader(map, boot->loader);
	if (map->boots == MAP_HISTORY_BOOTS_MAX)
		return;
	map->boots++;
	map->resumes += outcome == BOOT_RESUMED;
	map->refused += outcome == BOOT_REFUSED;
}

/* Of a map some of whose tables were unknown, the others are learned: else it would be taken for
 * that of boots whose others lie elsewhere. */
static int note_map(struct history_setup *setup, const struct boot_memory *boot,
		    enum boot_outcome outcome)
{
	size_t i = find_map(setup, boot);
	int r = 0;

	if (i == setup->maps.count) {
		r = add_map(setup, boot);
		i = setup->maps.count - 1;
	} else if (setup->maps.items[i].tables.count < boot->tables.count) {
		r = copy_tables(boot, &setup->maps.items[i]);
	}
	if (r == 0)
		count_map(&setup->maps.items[i], boot, outcome);
	return r;
}

static bool is_of(const struct history_log *log, const char *boot_files)
{
	return strcmp(log->boot_files, boot_files) == 0;
}

/* Is none before it of the same boot files? */
static bool is_first_of_files(const struct history_setup *setup, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_of(&setup->logs.items[i], setup->logs.items[at].boot_files))
			return false;
	return true;
}

bool history_log_fits(const struct history_setup *setup, const char *boot_files, bool *ret_new)
{
	size_t files = 0, logs = 0;

	for (size_t i = 0; i < setup->logs.count; i++) {
		files += is_first_of_files(setup, i);
		logs += is_of(&setup->logs.items[i], boot_files);
	}
	*ret_new = logs == 0;
	return logs > 0 ? logs < HISTORY_LOGS_MAX : files < HISTORY_BOOT_FILES_MAX;
}

/* So that those not counted for longest come first: the clock of a boot may be wrong. */
static void put_last(struct history_setup *setup, const char *boot_files)
{
	size_t at = 0;

	for (size_t left = setup->logs.count; left > 0; left--) {
		struct history_log log = setup->logs.items[at];

		if (!is_of(&log, boot_files)) {
			at++;
			continue;
		}
		TAKE_OUT(&setup->logs, at);
		setup->logs.items[setup->logs.count++] = log;
	}
}

static void forget_oldest_files(struct history_setup *setup)
{
	struct history_log oldest = setup->logs.items[0];

	for (size_t i = setup->logs.count; i-- > 0;)
		if (is_of(&setup->logs.items[i], oldest.boot_files))
			TAKE_OUT(&setup->logs, i);
}

/* Of these boot files. */
static void forget_weakest_log(struct history_setup *setup, const char *boot_files)
{
	size_t weakest = setup->logs.count - 1; /* put_last() */

	for (size_t i = 0; i < setup->logs.count; i++)
		if (is_of(&setup->logs.items[i], boot_files) &&
		    WEAKER(&setup->logs.items[i], &setup->logs.items[weakest]))
			weakest = i;
	TAKE_OUT(&setup->logs, weakest);
}

static int add_log(struct history_setup *setup, const struct boot_memory *boot)
{
	struct history_log log = { .start = boot->log_start, .end = boot->log_end };
	bool new_files;

	memcpy(log.boot_files, boot->boot_files, sizeof(log.boot_files));
	if (!history_log_fits(setup, boot->boot_files, &new_files)) {
		if (new_files)
			forget_oldest_files(setup);
		else
			forget_weakest_log(setup, boot->boot_files);
	}
	return list_append(&setup->logs, log);
}

/* Kernels that are booted in turn have their places each: they belong to boot files. */
static int note_log(struct history_setup *setup, const struct boot_memory *boot)
{
	size_t i = 0;

	if (boot->log_end == 0)
		return 0;
	put_last(setup, boot->boot_files);
	while (i < setup->logs.count && (!is_of(&setup->logs.items[i], boot->boot_files) ||
					 setup->logs.items[i].start != boot->log_start ||
					 setup->logs.items[i].end != boot->log_end))
		i++;
	if (i == setup->logs.count) {
		if (add_log(setup, boot) < 0)
			return -ENOMEM;
		i = setup->logs.count - 1;
	}
	if (setup->logs.items[i].boots < MAP_HISTORY_BOOTS_MAX)
		setup->logs.items[i].boots++;
	setup->logs.items[i].last = boot->time;
	return 0;
}

/* Puts the setup of this boot, new or not, in the first place. */
static int lead_setup(struct map_history *history, const struct boot_memory *boot)
{
	size_t at = find_setup(history, boot);
	struct history_setup setup = { .memory = boot->memory };

	if (at == history->setups.count) {
		memcpy(setup.machine, boot->machine, sizeof(setup.machine));
		memcpy(setup.firmware, boot->firmware, sizeof(setup.firmware));
		if (at == HISTORY_SETUPS_MAX) {
			at--;
			history_setup_free(&history->setups.items[at]);
		} else if (list_append(&history->setups, setup) < 0) {
			return -ENOMEM;
		}
	} else {
		setup = history->setups.items[at];
	}
	memmove(&history->setups.items[1], &history->setups.items[0], at * sizeof(setup));
	history->setups.items[0] = setup;
	return 0;
}

int map_history_count(struct map_history *history, const struct boot_memory *boot,
		      enum boot_outcome outcome)
{
	struct history_setup *setup;
	int r;

	if (boot->map.entries.count == 0)
		return 0;
	r = lead_setup(history, boot);
	if (r < 0)
		return r;
	setup = &history->setups.items[0];
	r = note_log(setup, boot);
	return r < 0 ? r : note_map(setup, boot, outcome);
}

uint64_t history_boots(const struct history_setup *setup)
{
	uint64_t boots = 0;

	for (size_t i = 0; i < setup->maps.count; i++)
		boots += setup->maps.items[i].boots;
	return boots;
}
