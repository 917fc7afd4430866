/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/zones.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	size_t at;
} fields[] = {
	{ "spanned", offsetof(struct memory_zone, spanned) },
	{ "present", offsetof(struct memory_zone, present) },
	{ "managed", offsetof(struct memory_zone, managed) },
	/* Not "high:", the limit of a processor's lists. */
	{ "high", offsetof(struct memory_zone, high) },
};

/* Page frames beyond this have no address. */
#define FRAMES_MAX (UINT64_MAX / 4096)

bool zone_valid(const struct memory_zone *zone)
{
	return zone->spanned > 0 && zone->spanned <= FRAMES_MAX &&
	       zone->start <= FRAMES_MAX - zone->spanned && zone->present <= zone->spanned &&
	       zone->managed <= zone->present && zone->high <= FRAMES_MAX;
}

static bool parse_head(const char *line, struct memory_zone *zone)
{
	struct memory_zone head = { 0 };

	if (sscanf(line, "Node %" SCNu32 ", zone %15s", &head.node, head.name) != 2)
		return false;
	text_make_printable(head.name);
	*zone = head;
	return true;
}

static void parse_field(const char *line, struct memory_zone *zone)
{
	uint64_t value;
	char name[16];

	if (sscanf(line, "%15s %" SCNu64, name, &value) != 2)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			memcpy((char *)zone + fields[i].at, &value, sizeof(value));
}

bool zones_valid(const struct zones *zones)
{
	for (size_t i = 0; i < zones->items.count; i++) {
		const struct memory_zone *zone = &zones->items.items[i];
		unsigned int of_node = 0;

		for (size_t k = 0; k < zones->items.count; k++)
			of_node += zones->items.items[k].node == zone->node;
		if (!zone_valid(zone) || of_node > NODE_ZONES_MAX)
			return false;
	}
	return true;
}

int zones_parse(const char *text, struct zones *zones)
{
	struct memory_zone zone = { 0 };
	int r = 0;

	for (const char *line = text; r == 0 && line; line = strchr(line, '\n')) {
		line += strspn(line, " \n");
		if (parse_head(line, &zone))
			continue;
		parse_field(line, &zone);
		/* The last line of a zone, which only zones with memory have. */
		if (sscanf(line, "start_pfn: %" SCNu64, &zone.start) != 1)
			continue;
		if (zone.present > 0 && zone_valid(&zone) && zones->items.count < ZONES_MAX)
			r = list_append(&zones->items, zone);
		zone = (struct memory_zone){ 0 };
	}
	zones->items.known = zones->items.count > 0;
	return r;
}
