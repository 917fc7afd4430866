/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/verdict: what must hold for any pair of machines and any image.
 * Checked against a byte-by-byte idea of RAM on small address spaces.
 */
#include "base/bytes.h"
#include "base/crypto.h"
#include "platform/map_diff.h"
#include "platform/verdict.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define UNIT 1024u /* boundaries need not be at pages */
#define FRAMES 96u
#define UNITS (FRAMES * PAGE / UNIT)
#define ROUNDS 1500

static uint64_t seed;

static unsigned int pick(unsigned int below)
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

static struct memory_map random_map(void)
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
static struct memory_map mutate(const struct memory_map *map)
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
static bool frame_is_ram(const struct platform *platform, uint64_t frame)
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

static bool holds(const struct frame_list *list, uint64_t frame)
{
	return frames_within(list->items, list->count, frame, frame) > 0;
}

/* Some of the frames that are RAM; rarely one that is not. */
static struct frame_list random_image(const struct platform *platform, unsigned int density)
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

static uint64_t count_ram(const struct platform *platform)
{
	uint64_t count = 0;

	for (uint64_t frame = 0; frame < FRAMES; frame++)
		count += frame_is_ram(platform, frame);
	return count;
}

/* Pages for devices: those of the maps, and some behind them, that are holes. */
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

/* Runtime services, and what the boot left behind (type 4). */
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

struct world {
	struct platform then, now;
	struct frame_list held;
	unsigned char header[HEADER_BYTES_NEEDED];
	struct verdict_image image;
	struct verdict verdict;
};

static void make_world(struct world *world)
{
	*world = (struct world){ 0 };
	world->then.map = random_map();
	world->now.map = pick(4) ? mutate(&world->then.map) : random_map();
	world->then.map.table_known = world->now.map.table_known = 1;
	restrict_ram(&world->then);
	restrict_ram(&world->now);
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
	world->then.hibernation.platform_mode = pick(2);
	put_le64(world->header + E820_MAGIC_OFFSET, 0x23456789abcdef02);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &world->then.map,
				       world->header + E820_CHECKSUM_OFFSET),
			 0);
	put_le64(world->header + 400, world->then.ram.pages.present);
	ck_assert_int_eq(platform_calibrate(&world->then, world->header, HEADER_BYTES_NEEDED), 0);
	world->image = (struct verdict_image){ .ranges = world->held.items,
					       .range_count = world->held.count,
					       .header = world->header,
					       .header_length = HEADER_BYTES_NEEDED };
	ck_assert_int_eq(
		verdict_judge(&world->then, &world->now, &world->image, &world->verdict, NULL), 0);
}

static void free_world(struct world *world)
{
	verdict_free(&world->verdict);
	platform_free(&world->then);
	platform_free(&world->now);
	free(world->held.items);
}

/* The one that keeps kernels alive. */
START_TEST(allowed_means_all_pages_are_ram)
{
	unsigned int allowed = 0;

	seed = (uint64_t)_i * 7919 + 1;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;

		make_world(&world);
		if (world.verdict.worst <= VERDICT_MENDED) {
			allowed++;
			for (uint64_t frame = 0; frame < FRAMES; frame++)
				ck_assert_msg(!holds(&world.held, frame) ||
						      frame_is_ram(&world.now, frame),
					      "seed %d round %d frame %llu", _i, round,
					      (unsigned long long)frame);
		}
		free_world(&world);
	}
	/* Worth nothing if it never says yes. */
	ck_assert_uint_gt(allowed, ROUNDS / 50);
}
END_TEST

static bool is_disabled(const struct world *world, const struct device *device)
{
	const struct verdict_plan *plan = &world->verdict.plan;

	for (size_t i = 0; i < plan->disable.count; i++)
		if (strcmp(plan->disable.items[i].text, device->address) == 0)
			return true;
	return false;
}

/* The saved kernel writes the BARs of all that it knows: at no place of theirs is RAM,
 * or a function that it does not know, nor one that is still there while a table of
 * interrupts is written. Nothing that it knows is disabled. */
static void check_bar(const struct world *world, const struct pci_resource *bar)
{
	const struct devices *then = &world->then.devices, *now = &world->now.devices;
	const struct device *device = &then->items.items[bar->device];

	for (uint64_t at = bar->start; at <= bar->end; at += UNIT / 2)
		ck_assert_uint_ne(memory_map_type_at(&world->now.map, at), MEMORY_RAM);
	for (size_t i = 0; i < now->pci.resources.count; i++) {
		const struct pci_resource *there = &now->pci.resources.items[i];
		const struct device *other = &now->items.items[there->device];

		if (there->start > bar->end || there->end < bar->start ||
		    strcmp(other->path, device->path) == 0)
			continue;
		if (devices_match(then, other))
			ck_assert(!is_disabled(world, other) && !(bar->flags & PCI_RESOURCE_MSIX));
		else
			ck_assert(is_disabled(world, other));
	}
}

/* The same for what it gives back to its devices. */
START_TEST(allowed_means_all_bars_are_free)
{
	unsigned int free = 0, disabled = 0;

	seed = (uint64_t)_i * 6007 + 13;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;

		make_world(&world);
		for (size_t i = 0; world.verdict.worst <= VERDICT_MENDED &&
				   i < world.then.devices.pci.resources.count;
		     i++) {
			check_bar(&world, &world.then.devices.pci.resources.items[i]);
			free += world.verdict.plan.disable.count == 0;
			disabled += world.verdict.plan.disable.count > 0;
		}
		free_world(&world);
	}
	ck_assert_uint_gt(free, 0);
	ck_assert_uint_gt(disabled, 0);
}
END_TEST

static const struct acpi_table *table_now(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->now.acpi.tables.count; i++)
		if (strcmp(world->now.acpi.tables.items[i].name, name) == 0)
			return &world->now.acpi.tables.items[i];
	return NULL;
}

static void check_table(const struct world *world, const struct acpi_table *then)
{
	enum acpi_use use = acpi_use_of(then->name);
	const struct acpi_table *now = table_now(world, then->name);

	if (use == ACPI_FORGOTTEN)
		return;
	ck_assert_ptr_nonnull(now);
	ck_assert_uint_eq(now->sha256[0], then->sha256[0]);
	if (use != ACPI_IN_PLACE)
		return;
	ck_assert_uint_eq(now->address, then->address);
}

/* What the saved kernel reads again lies where it was, and is what it was. */
START_TEST(allowed_means_tables_stayed)
{
	unsigned int checked = 0;

	seed = (uint64_t)_i * 3571 + 17;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;

		make_world(&world);
		for (size_t i = 0;
		     world.verdict.worst <= VERDICT_MENDED && i < world.then.acpi.tables.count;
		     i++, checked++)
			check_table(&world, &world.then.acpi.tables.items[i]);
		free_world(&world);
	}
	ck_assert_uint_gt(checked, 0);
}
END_TEST

static bool has_region(const struct efi *efi, const struct efi_region *like)
{
	for (size_t i = 0; i < efi->regions.count; i++) {
		const struct efi_region *region = &efi->regions.items[i];

		if (region->type == like->type && region->start == like->start &&
		    region->pages == like->pages && region->virtual_start == like->virtual_start)
			return true;
	}
	return false;
}

/* The services that the saved kernel calls are those that this boot has: no region of
 * the firmware's is missing, changed, or new, and no page of the image lies in one. */
START_TEST(allowed_means_services_stayed)
{
	unsigned int checked = 0;

	seed = (uint64_t)_i * 4993 + 29;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;
		const struct efi *then = &world.then.efi, *now = &world.now.efi;

		make_world(&world);
		for (size_t i = 0; world.verdict.worst <= VERDICT_MENDED && i < then->regions.count;
		     i++) {
			if (!efi_region_is_firmware(&then->regions.items[i]))
				continue;
			ck_assert(has_region(now, &then->regions.items[i]));
			checked++;
		}
		for (size_t i = 0; world.verdict.worst <= VERDICT_MENDED &&
				   then->regions.count > 0 && i < now->regions.count;
		     i++) {
			const struct efi_region *region = &now->regions.items[i];

			if (!efi_region_is_firmware(region))
				continue;
			ck_assert(has_region(then, region));
			ck_assert(!holds(&world.held, region->start / PAGE) ||
				  frame_is_ram(&world.now, region->start / PAGE));
		}
		free_world(&world);
	}
	ck_assert_uint_gt(checked, 0);
}
END_TEST

/* What the saved kernel thinks is free RAM and the firmware says is not: all of
 * it is taken out of use, and nothing else. */
START_TEST(quarantine_is_exact)
{
	seed = (uint64_t)_i * 104729 + 3;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;
		const struct frame_list *quarantine;

		make_world(&world);
		quarantine = &world.verdict.plan.quarantine;
		ck_assert(frames_valid(quarantine->items, quarantine->count));
		for (uint64_t frame = 0; frame < FRAMES; frame++) {
			/* What the firmware says counts, and what was plugged in. */
			struct platform firmware = { .map = world.now.map };
			bool taken = frame_is_ram(&world.then, frame) &&
				     !frame_is_ram(&world.now, frame) &&
				     !frame_is_ram(&firmware, frame);

			ck_assert(!holds(quarantine, frame) ||
				  (taken && !holds(&world.held, frame)));
			if (world.verdict.worst <= VERDICT_MENDED)
				ck_assert(holds(quarantine, frame) == taken);
		}
		free_world(&world);
	}
}
END_TEST

START_TEST(patches_are_right)
{
	seed = (uint64_t)_i * 31 + 5;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned char sum[E820_CHECKSUM_MAX];
		struct world world;

		make_world(&world);
		if (world.verdict.worst <= VERDICT_MENDED) {
			ck_assert_int_eq(verdict_mend_header(&world.verdict.plan, world.header,
							     HEADER_BYTES_NEEDED),
					 0);
			ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &world.now.map, sum), 0);
			ck_assert_mem_eq(world.header + E820_CHECKSUM_OFFSET, sum, 8);
			ck_assert_uint_eq(get_le64(world.header + 400),
					  world.now.ram.pages.present);
		}
		free_world(&world);
	}
}
END_TEST

START_TEST(the_same_is_the_same)
{
	seed = (uint64_t)_i * 13 + 7;
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct world world;
		struct verdict verdict;

		make_world(&world);
		free(world.held.items);
		world.held = random_image(&world.then, 4);
		for (uint64_t frame = 0; frame < FRAMES; frame++) /* only what is RAM */
			if (holds(&world.held, frame) && !frame_is_ram(&world.then, frame))
				world.held.count = 0;
		world.image.ranges = world.held.items;
		world.image.range_count = world.held.count;
		ck_assert_int_eq(
			verdict_judge(&world.then, &world.then, &world.image, &verdict, NULL), 0);
		for (size_t i = 0; i < verdict.count; i++)
			ck_assert_msg(verdict.findings[i].class == VERDICT_SAME ||
					      count_ram(&world.then) == 0,
				      "%s", verdict.findings[i].text);
		verdict_free(&verdict);
		free_world(&world);
	}
}
END_TEST

/* Which side is called then changes the words, not what differs. */
START_TEST(differences_are_symmetric)
{
	seed = (uint64_t)_i * 17 + 11;
	for (int round = 0; round < ROUNDS; round++) {
		struct memory_map a = random_map(), b = pick(3) ? mutate(&a) : random_map();
		struct map_diff there, back;
		uint64_t differing = 0;

		ck_assert_int_eq(map_diff(&a, &b, &there), 0);
		ck_assert_int_eq(map_diff(&b, &a, &back), 0);
		ck_assert_uint_eq(there.segment_count, back.segment_count);
		ck_assert_uint_eq(there.change_count, back.change_count);
		for (size_t i = 0; i < there.segment_count; i++) {
			const struct map_segment *x = &there.segments[i], *y = &back.segments[i];

			ck_assert_uint_eq(x->start, y->start);
			ck_assert_uint_eq(x->end, y->end);
			ck_assert_uint_eq(x->change, y->change);
			ck_assert(x->then == y->now && x->now == y->then && x->then != x->now);
			differing += x->end - x->start + 1;
		}
		for (uint64_t at = 0; at < (uint64_t)UNITS * UNIT; at += UNIT)
			if (memory_map_type_at(&a, at) != memory_map_type_at(&b, at))
				differing -= UNIT;
		ck_assert_uint_eq(differing, 0);
		map_diff_free(&there);
		map_diff_free(&back);
		memory_map_free(&a);
		memory_map_free(&b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict_property");
	TCase *tcase = tcase_create("verdict_property");
	SRunner *runner;
	int failed;

	crypto_init(NULL);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, allowed_means_all_pages_are_ram, 0, 4);
	tcase_add_loop_test(tcase, allowed_means_all_bars_are_free, 0, 4);
	tcase_add_loop_test(tcase, allowed_means_tables_stayed, 0, 4);
	tcase_add_loop_test(tcase, allowed_means_services_stayed, 0, 4);
	tcase_add_loop_test(tcase, quarantine_is_exact, 0, 4);
	tcase_add_loop_test(tcase, patches_are_right, 0, 2);
	tcase_add_loop_test(tcase, the_same_is_the_same, 0, 2);
	tcase_add_loop_test(tcase, differences_are_symmetric, 0, 4);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
