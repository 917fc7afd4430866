/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/memory_map.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The first name of each number is the one that is shown. */
static const struct {
	uint32_t type;
	const char *name;
} type_names[] = {
	{ MEMORY_RAM, "System RAM" },
	{ MEMORY_RESERVED, "Reserved" },
	{ MEMORY_RESERVED, "Device Reserved" },
	{ MEMORY_ACPI, "ACPI Tables" },
	{ MEMORY_ACPI, "ACPI data" },
	{ MEMORY_NVS, "ACPI Non-volatile Storage" },
	{ MEMORY_NVS, "ACPI NVS" },
	{ MEMORY_UNUSABLE, "Unusable memory" },
	{ MEMORY_PMEM, "Persistent Memory" },
	{ MEMORY_PRAM, "Persistent Memory (legacy)" },
	{ MEMORY_SOFT_RESERVED, "Soft Reserved" },
};

#define TYPE_NAMES (sizeof(type_names) / sizeof(type_names[0]))

uint32_t memory_type_parse(const char *text)
{
	for (size_t i = 0; i < TYPE_NAMES; i++)
		if (strcasecmp(text, type_names[i].name) == 0)
			return type_names[i].type;
	return MEMORY_NONE;
}

const char *memory_type_name(uint32_t type, char *buffer, size_t size)
{
	if (type == MEMORY_NONE)
		return "nothing";
	for (size_t i = 0; i < TYPE_NAMES; i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	snprintf(buffer, size, "type %u", type);
	return buffer;
}

void memory_map_free(struct memory_map *map)
{
	list_free(&map->entries);
	map->table_count = map->table_known = 0;
}

int memory_map_copy(const struct memory_map *map, struct memory_map *ret)
{
	struct memory_map copy = { .table_count = map->table_count,
				   .table_known = map->table_known };

	for (size_t i = 0; i < map->entries.count; i++) {
		if (list_append(&copy.entries, map->entries.items[i]) < 0) {
			memory_map_free(&copy);
			return -ENOMEM;
		}
	}
	copy.entries.known = map->entries.known;
	*ret = copy;
	return 0;
}

static struct memory_entry make_entry(uint64_t start, uint64_t end, const char *type)
{
	struct memory_entry entry = { .start = start, .end = end };

	entry.type = memory_type_parse(type);
	if (entry.type == MEMORY_NONE) {
		entry.type = MEMORY_VENDOR_20;
		entry.unknown = 1;
	}
	return entry;
}

static int capture_entry(const char *root, const char *name, struct memory_map *map)
{
	uint64_t start, end;
	char type[64];

	if (!tree_u64(root, &start, "/sys/firmware/memmap/%s/start", name) ||
	    !tree_u64(root, &end, "/sys/firmware/memmap/%s/end", name) ||
	    !tree_text(root, type, sizeof(type), "/sys/firmware/memmap/%s/type", name))
		return -EIO;
	if (start > end || map->entries.count == MEMORY_MAP_MAX)
		return -EBADMSG;
	return list_append(&map->entries, make_entry(start, end, type));
}

int memory_map_capture(const char *root, struct memory_map *ret)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct memory_map map = { 0 };
	int r = tree_list(root, "/sys/firmware/memmap", &names);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = capture_entry(root, names.items[i], &map);
	if (r < 0) {
		memory_map_free(&map);
		return r;
	}
	map.entries.known = map.entries.count > 0;
	map.table_count = (uint32_t)map.entries.count;
	*ret = map;
	return 0;
}

/* One line, without its newline. */
static int parse_line(char *line, struct memory_map *map)
{
	char *start_text, *end_text;
	uint64_t start, end;

	line[strcspn(line, "#")] = '\0';
	line = text_trim(line);
	if (!*line)
		return 0;
	start_text = strsep(&line, " \t");
	end_text = line ? strsep(&line, " \t") : NULL;
	line = line ? text_trim(line) : NULL;
	if (!line || !*line || text_parse_u64(start_text, &start) < 0 ||
	    text_parse_u64(end_text, &end) < 0 || start > end ||
	    map->entries.count == MEMORY_MAP_MAX)
		return -EINVAL;
	return list_append(&map->entries, make_entry(start, end, line));
}

int memory_map_parse(const char *text, struct memory_map *ret)
{
	_cleanup_free_ char *copy = strdup(text);
	struct memory_map map = { 0 };
	char *rest = copy, *line;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (line = strsep(&rest, "\n")))
		r = parse_line(line, &map);
	if (r < 0) {
		memory_map_free(&map);
		return r;
	}
	map.entries.known = true;
	map.table_count = (uint32_t)map.entries.count;
	*ret = map;
	return 0;
}

ssize_t memory_map_find(const struct memory_map *map, uint64_t address)
{
	ssize_t found = -1;

	for (size_t i = 0; i < map->entries.count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];

		if (address < entry->start || address > entry->end)
			continue;
		found = (ssize_t)i;
		if (entry->type != MEMORY_RAM)
			break;
	}
	return found;
}

uint32_t memory_map_type_at(const struct memory_map *map, uint64_t address)
{
	ssize_t index = memory_map_find(map, address);

	return index < 0 ? (uint32_t)MEMORY_NONE : map->entries.items[index].type;
}

bool memory_map_equal(const struct memory_map *a, const struct memory_map *b)
{
	if (a->entries.known != b->entries.known || a->entries.count != b->entries.count ||
	    a->table_count != b->table_count)
		return false;
	for (size_t i = 0; i < a->entries.count; i++) {
		const struct memory_entry *x = &a->entries.items[i], *y = &b->entries.items[i];

		if (x->start != y->start || x->end != y->end || x->type != y->type)
			return false;
	}
	return true;
}

bool memory_map_valid(const struct memory_map *map)
{
	if (map->entries.count > MEMORY_MAP_MAX || map->table_count > map->entries.count)
		return false;
	for (size_t i = 0; i < map->entries.count; i++)
		if (map->entries.items[i].start > map->entries.items[i].end)
			return false;
	return true;
}
