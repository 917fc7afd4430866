/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/map_history_text.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is not maps: three setups with their logs fit into this. */
#define OTHER_BYTES (40u << 10)

/* A value must not start a line of its own. */
static void put(FILE *file, const char *key, const char *value)
{
	char line[256];

	fprintf(file, "%s%s%s\n", key, value[0] ? " " : "",
		text_excerpt(value, line, sizeof(line)));
}

static void put_number(FILE *file, const char *key, uint64_t number)
{
	fprintf(file, "%s %" PRIu64 "\n", key, number);
}

static void put_regions(FILE *file, const struct memory_map *map)
{
	char type[32];

	put_number(file, "  regions", map->entries.count);
	for (size_t i = 0; i < map->entries.count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];

		fprintf(file, "  %s 0x%" PRIx64 " 0x%" PRIx64 " %s\n",
			i < map->table_count ? "region" : "plugged", entry->start, entry->end,
			entry->unknown ? "unknown"
				       : memory_type_name(entry->type, type, sizeof(type)));
	}
}

static void put_map(FILE *file, const struct history_map *map)
{
	fprintf(file, " map\n");
	put_number(file, "  boots", map->boots);
	put_number(file, "  resumes", map->resumes);
	put_number(file, "  refused", map->refused);
	put_number(file, "  first", map->first);
	put_number(file, "  last", map->last);
	if (map->loader[0])
		put(file, "  loader", map->loader);
	put_regions(file, &map->map);
	if (map->tables.count > 0)
		put_number(file, "  tables", map->tables.count);
	for (size_t i = 0; i < map->tables.count; i++) {
		char key[40];

		snprintf(key, sizeof(key), "  table 0x%" PRIx64, map->tables.items[i].address);
		put(file, key, map->tables.items[i].name);
	}
}

/* Writes it if it fits into *room bytes, which it then takes. 0 or -ENOMEM. */
static int put_map_within(FILE *file, const struct history_map *map, size_t *room)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *alone = open_memstream(&text, &length);

	if (!alone)
		return -ENOMEM;
	put_map(alone, map);
	if (fclose(alone) != 0)
		return -ENOMEM;
	if (length > *room)
		return 0;
	*room -= length;
	fwrite(text, 1, length, file);
	return 0;
}

static void put_log(FILE *file, const struct history_log *log)
{
	fprintf(file, " log\n");
	put(file, "  boot-files", log->boot_files);
	fprintf(file, "  place 0x%" PRIx64 " 0x%" PRIx64 "\n", log->start, log->end);
	put_number(file, "  boots", log->boots);
	put_number(file, "  last", log->last);
}

static int put_setup(FILE *file, const struct history_setup *setup, size_t *room)
{
	int r = 0;

	fprintf(file, "setup\n");
	put(file, " machine", setup->machine);
	put(file, " firmware", setup->firmware);
	put_number(file, " memory", setup->memory);
	for (size_t i = 0; i < setup->logs.count; i++)
		put_log(file, &setup->logs.items[i]);
	for (size_t i = 0; r == 0 && i < setup->maps.count; i++)
		r = put_map_within(file, &setup->maps.items[i], room);
	return r;
}

int map_history_encode(const struct map_history *history, char **ret_text, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0, room = MAP_HISTORY_LIMIT - OTHER_BYTES;
	FILE *file = open_memstream(&text, &length);
	int r = 0;

	if (!file)
		return -ENOMEM;
	fprintf(file, MAP_HISTORY_TITLE "%d\n", MAP_HISTORY_FORM);
	put(file, "boot-id", history->boot_id);
	for (size_t i = 0; r == 0 && i < history->setups.count; i++)
		r = put_setup(file, &history->setups.items[i], &room);
	if (fclose(file) != 0 || r < 0)
		return -ENOMEM;
	*ret_text = steal_pointer(&text);
	*ret_length = length;
	return 0;
}
