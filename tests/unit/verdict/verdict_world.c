/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict_world.h"

#include "base/bytes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t seed;

unsigned int pick(unsigned int below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % below;
}

static uint32_t random_type(void)
{
	static const uint32_t types[] = { MEMORY_RAM, MEMORY_RAM,  MEMORY_RAM,
					  MEMORY_RAM, MEMORY_RAM,  MEMORY_RESERVED,
					  MEMORY_NVS, MEMORY_ACPI, MEMORY_VENDOR_20,
					  MEMORY_NONE };

	return types[pick(ARRAY_SIZE(types))];
}

static void add_entry(struct memory_map *map, uint64_t start, uint64_t end, uint32_t type)
{
	struct memory_entry entry = { start, end, type, 0 };

	if (type != MEMORY_NONE)
		ck_assert_int_eq(list_append(&map->entries, entry), 0);
	map->entries.known = true;
	map->table_count = (uint32_t)map->entries.count;
}

struct memory_map random_map(void)
{
	struct memory_map map = { .entries.known = true };
	unsigned int at = 0;

	while (at < UNITS) {
		unsigned int length = pick(8) ? 4 * (1 + pick(24)) : 1 + pick(20);

		if (at + length > UNITS)
			length = UNITS - at;
		add_entry(&map, (uint64_t)at * UNIT, (uint64_t)(at + length) * UNIT - 1,
			  random_type());
		at += length;
	}
	return map;
}

/* A neighbour of a map: some region of it moved, grew, changed its type. */
struct memory_map mutate(const struct memory_map *map)
{
	uint32_t types[UNITS];
	struct memory_map ret = { .entries.known = true };
	unsigned int from;

	for (unsigned int i = 0; i < UNITS; i++)
		types[i] = memory_map_type_at(map, (uint64_t)i * UNIT);
	for (unsigned int n = 1 + pick(3); n > 0; n--) {
		unsigned int start = 4 * pick(UNITS / 4), length = 4 * (1 + pick(3));
		uint32_t type = random_type();

		for (unsigned int i = start; i < start + length && i < UNITS; i++)
			types[i] = type;
	}
	for (unsigned int i = from = 0; i <= UNITS; i++) {
		if (i < UNITS && types[i] == types[from])
			continue;
		add_entry(&ret, (uint64_t)from * UNIT, (uint64_t)i * UNIT - 1, types[from]);
		from = i;
	}
	return ret;
}

/* The slow way. */
bool frame_is_ram(const struct platform *platform, uint64_t frame)
{
	for (uint64_t at = frame * PAGE; at < (frame + 1) * PAGE; at += UNIT / 2) {
		uint32_t type = memory_map_type_at(&platform->map, at);
		bool used = !platform->ram.used.known;

		/* What the firmware does not know may have been plugged in. */
		if (type != MEMORY_RAM && (used || type != MEMORY_NONE))
			return false;
		for (size_t i = 0; i < platform->ram.used.count; i++)
			used = used || (at >= platform->ram.used.items[i].start &&
					at <= platform->ram.used.items[i].end);
		if (!used)
			return false;
	}
	for (size_t i = 0; i < platform->ram.offline.count; i++)
		if (frame * PAGE <= platform->ram.offline.items[i].end &&
		    (frame + 1) * PAGE - 1 >= platform->ram.offline.items[i].start)
			return false;
	return true;
}

bool holds(const struct frame_list *list, uint64_t frame)
{
	return frames_within(list->items, list->count, frame, frame) > 0;
}

/* Some of the frames that are RAM; rarely one that is not. */
struct frame_list random_image(const struct platform *platform, unsigned int density)
{
	struct frame_list list = { 0 };

	for (uint64_t frame = 0; frame < FRAMES; frame++)
		if (frame_is_ram(platform, frame) ? pick(8) < density : pick(2000) == 0)
			ck_assert_int_eq(frames_append(&list, frame, 1), 0);
	return list;
}

static void restrict_ram(struct platform *platform)
{
	struct byte_range low = { 0, (uint64_t)(1 + pick(UNITS - 1)) * UNIT - 1 };
	struct byte_range high = { low.end + 1 + (uint64_t)pick(3) * PAGE, FRAMES * PAGE - 1 };

	if (pick(3) == 0) {
		platform->ram.used.known = true;
		ck_assert_int_eq(list_append(&platform->ram.used, low), 0);
		if (high.start <= high.end)
			ck_assert_int_eq(list_append(&platform->ram.used, high), 0);
	}
	if (pick(5) == 0) {
		struct byte_range offline = { (uint64_t)pick(FRAMES) * PAGE, 0 };

		offline.end = offline.start + 8 * PAGE - 1;
		ck_assert_int_eq(list_append(&platform->ram.offline, offline), 0);
	}
}

uint64_t count_ram(const struct platform *platform)
{
	uint64_t count = 0;

	for (uint64_t frame = 0; frame < FRAMES; frame++)
		count += frame_is_ram(platform, frame);
	return count;
}

/* Pages for devices: those of the maps, and some after them, which are holes. */
#define PLACES (FRAMES + 32u)

static bool is_free(const struct platform *platform, uint64_t start)
{
	for (uint64_t at = start; at < start + PAGE; at += UNIT / 2) {
		if (memory_map_type_at(&platform->map, at) != MEMORY_NONE)
			return false;
		for (size_t i = 0; i < platform->ram.used.count; i++)
			if (at >= platform->ram.used.items[i].start &&
			    at <= platform->ram.used.items[i].end)
				return false;
	}
	return !pci_resource_in(&platform->devices.pci, start, start + PAGE - 1);
}

static uint64_t free_place(const struct platform *platform)
{
	uint64_t start;

	do
		start = (uint64_t)pick(PLACES) * PAGE;
	while (!is_free(platform, start));
	return start;
}

static void add_function(struct platform *platform, unsigned int number, uint64_t start)
{
	struct device device = { .bus = "pci", .id = "8086:10d3", .driver = "e1000e" };
	struct pci_resource resource = {
		.device = (uint32_t)platform->devices.items.count,
		.kind = PCI_RESOURCE_MEMORY,
		.flags = pick(2) ? PCI_RESOURCE_MSIX : 0,
		.start = start,
		.end = start + PAGE - 1,
	};

	snprintf(device.address, sizeof(device.address), "0000:00:%02x.0", number);
	snprintf(device.path, sizeof(device.path), "0000:00:%02x.0", number);
	ck_assert_int_eq(list_append(&platform->devices.items, device), 0);
	ck_assert_int_eq(list_append(&platform->devices.pci.resources, resource), 0);
}

/* Functions that stay, move because they like to or must, are gone, or are new. */
static void add_functions(struct platform *then, struct platform *now)
{
	unsigned int count = pick(4);

	then->devices.items.known = now->devices.items.known = true;
	then->devices.pci.resources.known = now->devices.pci.resources.known = true;
	for (unsigned int i = 0; i < count; i++) {
		uint64_t place = free_place(then);

		add_function(then, i, place);
		if (pick(8) == 0)
			continue;
		add_function(now, i, pick(4) && is_free(now, place) ? place : free_place(now));
	}
	/* A new one, often where one was that moved away. */
	if (pick(4) == 0) {
		uint64_t place = count ? then->devices.pci.resources.items[0].start : 0;

		add_function(now, 31,
			     count && is_free(now, place) && pick(4) ? place : free_place(now));
	}
}

static const char *const TABLES[] = { "DSDT", "SSDT1", "FACP", "HPET", "BGRT", "MCFG" };

static void add_table(struct platform *platform, const char *name, uint64_t address,
		      unsigned char content)
{
	struct acpi_table table = { .address = address, .length = 64, .sha256 = { content } };

	snprintf(table.name, sizeof(table.name), "%s", name);
	ck_assert_int_eq(list_append(&platform->acpi.tables, table), 0);
}

/* Tables that stay, move, change, are gone. */
static void add_tables(struct platform *then, struct platform *now)
{
	then->acpi.tables.known = now->acpi.tables.known = true;
	for (size_t i = 0; i < ARRAY_SIZE(TABLES); i++) {
		uint64_t address = (uint64_t)pick(FRAMES) * PAGE + 64;
		bool moves = pick(16) == 0, changes = pick(16) == 0;

		if (pick(2))
			continue;
		add_table(then, TABLES[i], address, 1);
		if (pick(16))
			add_table(now, TABLES[i], moves ? address + PAGE : address,
				  changes ? 2 : 1);
	}
}

static void add_region(struct platform *platform, uint64_t start, uint32_t type)
{
	struct efi_region region = { .type = type,
				     .start = start,
				     .pages = 1,
				     .virtual_start = 0xfffffffe00000000 + start };

	ck_assert_int_eq(list_append(&platform->efi.regions, region), 0);
}

/* Runtime services, and leftovers of the boot (type 4). */
static void add_services(struct platform *then, struct platform *now)
{
	uint64_t step = FRAMES / 4 * PAGE;

	then->efi.state.booted = now->efi.state.booted = 1;
	then->efi.regions.known = now->efi.regions.known = true;
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t start = i * step + (uint64_t)pick(FRAMES / 4) * PAGE;
		uint32_t type = pick(3) ? 5 + pick(2) : 4;

		if (pick(8))
			add_region(then, start, type);
		if (pick(8))
			add_region(now, pick(8) ? start : start + PAGE, pick(16) ? type : 6);
	}
}

/* Far above all that differs, RAM enough for the saved kernel to spare the rest; or as
 * much less as makes it doubtful. */
#define FAR_FRAME 0x100000u
#define FAR_FRAMES 0x8000u

static void add_ram(struct platform *platform, uint64_t first, uint64_t frames)
{
	struct byte_range range = { first * PAGE, (first + frames) * PAGE - 1 };

	add_entry(&platform->map, range.start, range.end, MEMORY_RAM);
	if (platform->ram.used.known)
		ck_assert_int_eq(list_append(&platform->ram.used, range), 0);
}

static void add_zones(struct platform *platform, unsigned int managed)
{
	const uint64_t low = PIECES_FRAME + PIECES_FRAMES;
	const struct memory_zone zones[] = {
		{ .name = "DMA", .spanned = low, .present = low, .managed = low },
		{ .name = "Normal",
		  .start = FAR_FRAME,
		  .spanned = FAR_FRAMES,
		  .present = FAR_FRAMES,
		  .managed = managed },
	};

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		ck_assert_int_eq(list_append(&platform->ram.zones.items, zones[i]), 0);
	platform->ram.zones.items.known = true;
}

void make_world(struct world *world)
{
	*world = (struct world){ 0 };
	world->then.map = random_map();
	world->now.map = pick(4) ? mutate(&world->then.map) : random_map();
	world->then.map.table_known = world->now.map.table_known = 1;
	restrict_ram(&world->then);
	restrict_ram(&world->now);
	for (unsigned int i = 0; i < 2; i++) {
		add_ram(i ? &world->now : &world->then, PIECES_FRAME, PIECES_FRAMES);
		add_ram(i ? &world->now : &world->then, FAR_FRAME, FAR_FRAMES);
	}
	if (pick(8))
		add_zones(&world->then, pick(8) ? FAR_FRAMES : pick(8192));
	world->then.ram.pages = (struct memory_pages){ .page_size = PAGE,
						       .present = count_ram(&world->then),
						       .offlining = OFFLINING_POSSIBLE };
	world->now.ram.pages =
		(struct memory_pages){ .page_size = PAGE, .present = count_ram(&world->now) };
	add_functions(&world->then, &world->now);
	if (pick(3) == 0)
		add_tables(&world->then, &world->now);
	if (pick(3) == 0)
		add_services(&world->then, &world->now);
	world->held = random_image(&world->then, pick(5));
	for (unsigned int i = 0; i < PIECES_FRAMES && pick(32); i += 2)
		ck_assert_int_eq(frames_append(&world->held, PIECES_FRAME + i, 1), 0);
	world->then.hibernation.platform_mode = pick(2);
	put_le64(world->header + IMAGE_INFO_MAGIC, 0x23456789abcdef02);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &world->then.map,
				       world->header + IMAGE_INFO_CHECKSUM),
			 0);
	put_le64(world->header + 400, world->then.ram.pages.present);
	ck_assert_int_eq(platform_calibrate(&world->then, world->header, IMAGE_INFO_END), 0);
	world->image = (struct verdict_image){ .ranges = world->held.items,
					       .range_count = world->held.count,
					       .header = world->header,
					       .header_length = IMAGE_INFO_END };
	ck_assert_int_eq(
		verdict_judge(&world->then, &world->now, &world->image, &world->verdict, NULL), 0);
}

void free_world(struct world *world)
{
	verdict_free(&world->verdict);
	platform_free(&world->then);
	platform_free(&world->now);
	free(world->held.items);
}
