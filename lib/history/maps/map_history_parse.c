/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/map_history_text.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the lines of the innermost kind belong to. */
enum item {
	ITEM_NONE,
	ITEM_MAP,
	ITEM_LOG, /* a place of the TPM event log */
};

/* Keys that were read, each once. */
#define SEEN_MACHINE 1u
#define SEEN_FIRMWARE 2u
#define SEEN_MEMORY 4u
#define SEEN_SETUP (SEEN_MACHINE | SEEN_FIRMWARE | SEEN_MEMORY)
#define SEEN_PLACE 8u
#define SEEN_BOOT_FILES 16u
#define SEEN_LOG (SEEN_PLACE | SEEN_BOOT_FILES)
#define SEEN_TABLES 32u
#define SEEN_LOADER 64u
#define SEEN_NUMBERS 128u /* and the bits that follow */

struct reading {
	struct map_history history;
	bool in_setup;
	enum item item;
	struct history_setup setup;
	struct history_map map;
	struct history_log log;
	unsigned int setup_seen, item_seen;
	bool mixed;		  /* the item has lines of another one, whose beginning is lost */
	uint64_t regions, tables; /* as announced */
	size_t skipped;
};

/* Notes a key; -EEXIST if it was read before. */
static int once(unsigned int *seen, unsigned int bit)
{
	if (*seen & bit)
		return -EEXIST;
	*seen |= bit;
	return 0;
}

static int take_text(const char *value, char *to, size_t size, unsigned int *seen, unsigned int bit)
{
	if (strlen(value) >= size)
		return -EBADMSG;
	if (once(seen, bit) < 0)
		return -EEXIST;
	text_copy(to, size, value);
	return 0;
}

static int take_number(const char *value, uint64_t *to, unsigned int *seen, unsigned int bit)
{
	uint64_t number;

	if (text_parse_u64(value, &number) < 0)
		return -EBADMSG;
	if (once(seen, bit) < 0)
		return -EEXIST;
	*to = number;
	return 0;
}

/* "0xSTART 0xEND" and what follows a blank; NULL: nothing does. */
static int take_bounds(char *value, uint64_t *ret_start, uint64_t *ret_end, char **ret_rest)
{
	const char *start_text = strsep(&value, " "), *end_text = strsep(&value, " ");
	uint64_t start, end;

	if (!end_text || text_parse_u64(start_text, &start) < 0 ||
	    text_parse_u64(end_text, &end) < 0 || start > end)
		return -EBADMSG;
	*ret_start = start;
	*ret_end = end;
	*ret_rest = value;
	return 0;
}

static int take_type(const char *word, struct memory_entry *entry)
{
	static const char prefix[] = "type ";
	uint64_t number;

	entry->type = memory_type_parse(word);
	if (entry->type != MEMORY_NONE)
		return 0;
	entry->unknown = strcmp(word, "unknown") == 0;
	if (entry->unknown) {
		entry->type = MEMORY_VENDOR_20;
		return 0;
	}
	if (!text_starts(word, prefix) || text_parse_u64(word + strlen(prefix), &number) < 0 ||
	    number == MEMORY_NONE || number > UINT32_MAX)
		return -EBADMSG;
	entry->type = (uint32_t)number;
	return 0;
}

/* Those that were plugged in follow all others. */
static int take_region(struct memory_map *map, bool plugged, char *value)
{
	struct memory_entry entry = { 0 };
	char *type;
	int r = take_bounds(value, &entry.start, &entry.end, &type);

	if (r < 0 || !type || take_type(type, &entry) < 0 || map->entries.count == MEMORY_MAP_MAX ||
	    (!plugged && map->table_count < map->entries.count))
		return -EBADMSG;
	r = list_append(&map->entries, entry);
	if (r == 0 && !plugged)
		map->table_count++;
	return r;
}

static int take_table(struct history_map *map, char *value)
{
	const char *address = strsep(&value, " ");
	struct boot_table table = { 0 };

	if (!value || !*value || text_parse_u64(address, &table.address) < 0 ||
	    !text_copy(table.name, sizeof(table.name), value) ||
	    map->tables.count == BOOT_TABLES_MAX)
		return -EBADMSG;
	return list_append(&map->tables, table);
}

static int take_of_map(struct reading *reading, const char *key, char *value)
{
	struct history_map *map = &reading->map;
	const struct {
		const char *key;
		uint64_t *to;
	} numbers[] = {
		{ "boots", &map->boots },     { "resumes", &map->resumes },
		{ "refused", &map->refused }, { "first", &map->first },
		{ "last", &map->last },	      { "regions", &reading->regions },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (strcmp(key, numbers[i].key) == 0)
			return take_number(value, numbers[i].to, &reading->item_seen,
					   SEEN_NUMBERS << i);
	if (strcmp(key, "tables") == 0)
		return take_number(value, &reading->tables, &reading->item_seen, SEEN_TABLES);
	if (strcmp(key, "region") == 0 || strcmp(key, "plugged") == 0)
		return take_region(&map->map, key[0] == 'p', value);
	if (strcmp(key, "loader") == 0)
		return take_text(value, map->loader, sizeof(map->loader), &reading->item_seen,
				 SEEN_LOADER);
	return strcmp(key, "table") == 0 ? take_table(map, value) : -EBADMSG;
}

static int take_place(struct reading *reading, char *value)
{
	uint64_t start, end;
	char *rest;

	if (take_bounds(value, &start, &end, &rest) < 0 || rest || end == 0)
		return -EBADMSG;
	reading->log.start = start;
	reading->log.end = end;
	return once(&reading->item_seen, SEEN_PLACE);
}

static int take_of_log(struct reading *reading, const char *key, char *value)
{
	struct history_log *log = &reading->log;
	unsigned int *seen = &reading->item_seen;

	if (strcmp(key, "boot-files") == 0)
		return take_text(value, log->boot_files, sizeof(log->boot_files), seen,
				 SEEN_BOOT_FILES);
	if (strcmp(key, "place") == 0)
		return take_place(reading, value);
	if (strcmp(key, "boots") == 0)
		return take_number(value, &log->boots, seen, SEEN_NUMBERS);
	return strcmp(key, "last") == 0 ? take_number(value, &log->last, seen, SEEN_NUMBERS << 1)
					: -EBADMSG;
}

static uint64_t bounded(uint64_t boots)
{
	return min_u64(boots, MAP_HISTORY_BOOTS_MAX);
}

/* It was seen at least once, and no boot both restored and refused. */
static void correct_counts(struct history_map *map)
{
	map->resumes = bounded(map->resumes);
	map->refused = min_u64(map->refused, MAP_HISTORY_BOOTS_MAX - map->resumes);
	map->boots = max_u64(bounded(map->boots), max_u64(map->resumes + map->refused, 1));
}

static void merge_map(struct history_map *into, struct history_map *map)
{
	into->boots = bounded(into->boots + map->boots);
	into->resumes += map->resumes;
	into->refused += map->refused;
	into->first = min_u64(into->first, map->first);
	into->last = max_u64(into->last, map->last);
	history_map_add_loader(into, map->loader);
	correct_counts(into);
	if (into->tables.count < map->tables.count) {
		list_free(&into->tables);
		into->tables.items = steal_pointer(&map->tables.items);
		into->tables.count = map->tables.count;
		into->tables.known = map->tables.known;
	}
}

/* By the rule by which boots are counted. */
static struct history_map *same_map(struct history_setup *setup, const struct history_map *map)
{
	struct boot_memory boot = { .map = map->map };
	const struct history_map *found;

	boot.tables.items = map->tables.items;
	boot.tables.count = map->tables.count;
	boot.tables.known = map->tables.known;
	found = map_history_find(setup, &boot);
	return found ? &setup->maps.items[found - setup->maps.items] : NULL;
}

/* The map is the setup's then, or gone. */
static int add_map(struct history_setup *setup, struct history_map *map)
{
	struct history_map *same = same_map(setup, map);
	int r = 0;

	if (same) {
		merge_map(same, map);
	} else if (setup->maps.count < HISTORY_MAPS_MAX) {
		r = list_append(&setup->maps, *map);
		if (r == 0)
			return 0;
	}
	history_map_free(map);
	return r;
}

static int end_map(struct reading *reading)
{
	struct history_map map = reading->map;

	reading->map = (struct history_map){ 0 };
	if (reading->mixed || map.map.entries.count == 0 ||
	    map.map.entries.count != reading->regions) {
		reading->skipped++;
		history_map_free(&map);
		return 0;
	}
	/* A table is missing: where they lay is not known. */
	if (map.tables.count != reading->tables) {
		reading->skipped++;
		list_free(&map.tables);
	}
	map.tables.known = map.tables.count > 0;
	map.map.entries.known = true;
	correct_counts(&map);
	return add_map(&reading->setup, &map);
}

static int end_log(struct reading *reading)
{
	struct history_setup *setup = &reading->setup;
	struct history_log log = reading->log;
	bool new_files;

	reading->log = (struct history_log){ 0 };
	if (reading->mixed || (reading->item_seen & SEEN_LOG) != SEEN_LOG) {
		reading->skipped++;
		return 0;
	}
	log.boots = max_u64(bounded(log.boots), 1);
	for (size_t i = 0; i < setup->logs.count; i++) {
		struct history_log *other = &setup->logs.items[i];

		if (other->start != log.start || other->end != log.end ||
		    strcmp(other->boot_files, log.boot_files) != 0)
			continue;
		other->boots = bounded(other->boots + log.boots);
		other->last = max_u64(other->last, log.last);
		return 0;
	}
	return history_log_fits(setup, log.boot_files, &new_files) ? list_append(&setup->logs, log)
								   : 0;
}

static int end_item(struct reading *reading)
{
	enum item item = reading->item;
	int r = 0;

	reading->item = ITEM_NONE;
	if (item == ITEM_MAP)
		r = end_map(reading);
	else if (item == ITEM_LOG)
		r = end_log(reading);
	reading->item_seen = 0;
	reading->mixed = false;
	reading->regions = reading->tables = 0;
	return r;
}

/* Of two setups that are the same by the rule by which boots are counted, the first is used. */
static bool has_setup(const struct map_history *history, const struct history_setup *setup)
{
	struct boot_memory boot = { .memory = setup->memory };

	memcpy(boot.machine, setup->machine, sizeof(boot.machine));
	memcpy(boot.firmware, setup->firmware, sizeof(boot.firmware));
	return map_history_setup(history, &boot);
}

static int end_setup(struct reading *reading)
{
	struct history_setup setup;
	int r = end_item(reading);

	setup = reading->setup;
	reading->setup = (struct history_setup){ 0 };
	if (reading->in_setup && reading->setup_seen != SEEN_SETUP)
		reading->skipped++;
	else if (r == 0 && reading->in_setup &&
		 reading->history.setups.count < HISTORY_SETUPS_MAX &&
		 !has_setup(&reading->history, &setup)) {
		r = list_append(&reading->history.setups, setup);
		if (r == 0)
			setup = (struct history_setup){ 0 };
	}
	history_setup_free(&setup);
	reading->in_setup = false;
	reading->setup_seen = 0;
	return r;
}

static int begin_item(struct reading *reading, const char *key)
{
	reading->item = strcmp(key, "map") == 0	  ? ITEM_MAP
			: strcmp(key, "log") == 0 ? ITEM_LOG
						  : ITEM_NONE;
	return reading->item == ITEM_NONE ? -EBADMSG : 0;
}

/* A key that was there before is of another setup, whose beginning is lost. */
static int take_of_setup(struct reading *reading, const char *key, char *value)
{
	struct history_setup *setup = &reading->setup;
	unsigned int *seen = &reading->setup_seen;
	int r = end_item(reading);

	if (r < 0)
		return r;
	if (!reading->in_setup)
		return -EBADMSG;
	if (strcmp(key, "machine") == 0)
		r = take_text(value, setup->machine, sizeof(setup->machine), seen, SEEN_MACHINE);
	else if (strcmp(key, "firmware") == 0)
		r = take_text(value, setup->firmware, sizeof(setup->firmware), seen, SEEN_FIRMWARE);
	else if (strcmp(key, "memory") == 0)
		r = take_number(value, &setup->memory, seen, SEEN_MEMORY);
	else
		r = begin_item(reading, key);
	if (r != -EEXIST)
		return r;
	r = end_setup(reading);
	return r < 0 ? r : -EBADMSG;
}

static int take_of_item(struct reading *reading, const char *key, char *value)
{
	int r = -EBADMSG;

	if (reading->item == ITEM_MAP)
		r = take_of_map(reading, key, value);
	else if (reading->item == ITEM_LOG)
		r = take_of_log(reading, key, value);
	if (r != -EEXIST)
		return r;
	reading->mixed = true;
	return -EBADMSG;
}

static int take_outermost(struct reading *reading, const char *key, const char *value)
{
	int r = end_setup(reading);

	if (r < 0)
		return r;
	if (strcmp(key, "setup") == 0) {
		reading->in_setup = true;
		return 0;
	}
	if (strcmp(key, "boot-id") != 0 || strlen(value) >= sizeof(reading->history.boot_id))
		return -EBADMSG;
	text_copy(reading->history.boot_id, sizeof(reading->history.boot_id), value);
	return 0;
}

/* Blanks at the beginning say what the line belongs to. 0; -EBADMSG: it is damaged. */
static int take_line(struct reading *reading, char *line)
{
	size_t depth = strspn(line, " ");
	char *value = line + depth, *key;

	if (strlen(line) > MAP_HISTORY_LINE_MAX)
		return -EBADMSG;
	key = strsep(&value, " ");
	if (!value)
		value = key + strlen(key);
	switch (depth) {
	case 0:
		return take_outermost(reading, key, value);
	case 1:
		return take_of_setup(reading, key, value);
	case 2:
		return take_of_item(reading, key, value);
	default:
		return -EBADMSG;
	}
}

static int read_lines(struct reading *reading, char *copy)
{
	char *line;
	int r = 0;

	strsep(&copy, "\n"); /* the title */
	while (r == 0 && (line = strsep(&copy, "\n"))) {
		if (!line[0])
			continue;
		r = take_line(reading, line);
		if (r == -EBADMSG) {
			reading->skipped++;
			r = 0;
		}
	}
	return r < 0 ? r : end_setup(reading);
}

static int check_title(const char *text, struct why *w)
{
	char number[16];
	uint64_t form;

	if (!text_starts(text, MAP_HISTORY_TITLE))
		return why(w, -EBADMSG, "it is not a history of memory maps");
	text += strlen(MAP_HISTORY_TITLE);
	snprintf(number, sizeof(number), "%.*s", (int)min_u64(strcspn(text, "\n"), 15), text);
	if (text_parse_u64(number, &form) < 0 || form == 0)
		return why(w, -EBADMSG, "it is not a history of memory maps");
	if (form > MAP_HISTORY_FORM)
		return why(w, -ENOTSUP, "a newer s2disk wrote it (form %" PRIu64 ")", form);
	return 0;
}

int map_history_parse(const char *text, struct map_history *ret, size_t *ret_skipped, struct why *w)
{
	_cleanup_free_ char *copy = NULL;
	struct reading reading = { 0 };
	int r = check_title(text, w);

	if (r < 0)
		return r;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	text_make_printable(copy);
	r = read_lines(&reading, copy);
	if (r < 0) {
		history_map_free(&reading.map);
		history_setup_free(&reading.setup);
		map_history_free(&reading.history);
		return r;
	}
	*ret = reading.history;
	*ret_skipped = reading.skipped;
	return 0;
}
