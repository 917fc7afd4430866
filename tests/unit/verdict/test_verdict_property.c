/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/verdict: what must hold for any pair of machines and any image.
 * Checked against a byte-by-byte idea of RAM on small address spaces.
 */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "fixtures/check_main.h"
#include "platform/memory/map_diff.h"
#include "verdict/verdict.h"
#include "fixtures/quick.h"
#include "verdict_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 1500

/* RAM that this kernel keeps since the firmware left a table of its boot there. */
static bool is_left_over(const struct world *world, uint64_t frame)
{
	for (size_t i = 0; i < world->now.efi.regions.count; i++)
		if (world->now.efi.regions.items[i].type == 4 &&
		    world->now.efi.regions.items[i].start == frame * PAGE)
			return true;
	return false;
}

/* The one that keeps kernels alive. */
START_TEST(allowed_means_all_pages_are_ram)
{
	unsigned int allowed = 0;

	seed = (uint64_t)_i * 7919 + 1;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;

		make_world(&world);
		if (world.verdict.worst <= VERDICT_CORRECTED) {
			allowed++;
			for (uint64_t frame = 0; frame < FRAMES; frame++)
				/* Each ck_assert is a write to a file. */
				if (holds(&world.held, frame) && !frame_is_ram(&world.now, frame) &&
				    !is_left_over(&world, frame))
					ck_abort_msg("seed %d round %d frame %" PRIu64, _i, round,
						     frame);
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
		if (memory_map_type_at(&world->now.map, at) == MEMORY_RAM)
			ck_abort_msg("RAM at 0x%" PRIx64, at);
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
		for (size_t i = 0; world.verdict.worst <= VERDICT_CORRECTED &&
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
		     world.verdict.worst <= VERDICT_CORRECTED && i < world.then.acpi.tables.count;
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
		for (size_t i = 0;
		     world.verdict.worst <= VERDICT_CORRECTED && i < then->regions.count; i++) {
			if (!efi_region_is_firmware(&then->regions.items[i]))
				continue;
			ck_assert(has_region(now, &then->regions.items[i]));
			checked++;
		}
		for (size_t i = 0; world.verdict.worst <= VERDICT_CORRECTED &&
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
 * it is offlined, and nothing else. */
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

			bool kept = holds(quarantine, frame);

			if (kept && (!taken || holds(&world.held, frame)))
				ck_abort_msg("seed %d round %d frame %" PRIu64, _i, round, frame);
			if (world.verdict.worst <= VERDICT_CORRECTED && kept != taken)
				ck_abort_msg("seed %d round %d frame %" PRIu64, _i, round, frame);
		}
		free_world(&world);
	}
}
END_TEST

static bool is_free(const struct world *world, uint64_t frame)
{
	return frame_is_ram(&world->then, frame) && !holds(&world->held, frame);
}

/* Of 16 free ones. */
static bool in_free_block(const struct world *world, uint64_t frame)
{
	for (uint64_t other = frame / 16 * 16; other < (frame / 16 + 1) * 16; other++)
		if (!is_free(world, other))
			return false;
	return true;
}

static uint64_t small_pieces(const struct world *world)
{
	uint64_t pieces = 0;

	for (uint64_t frame = 0; frame < FRAMES; frame++)
		pieces += is_free(world, frame) && !in_free_block(world, frame);
	for (uint64_t frame = PIECES_FRAME; frame < PIECES_FRAME + PIECES_FRAMES; frame++)
		pieces += is_free(world, frame) && !in_free_block(world, frame);
	return pieces;
}

/* What is to be offlined, and is called corrected, is of a zone that is spared, and there of
 * no small piece; and there are small pieces enough. */
START_TEST(corrected_means_place)
{
	unsigned int corrected = 0;

	seed = (uint64_t)_i * 2749 + 19;
	for (int round = 0; round < ROUNDS; round++) {
		struct world world;
		const struct frame_list *quarantine;
		const struct zones *zones;
		uint64_t pieces, claimed;

		make_world(&world);
		quarantine = &world.verdict.plan.quarantine;
		claimed = frames_total(quarantine->items, quarantine->count);
		pieces = claimed > 0 ? small_pieces(&world) : 0;
		zones = &world.then.ram.zones;
		for (uint64_t frame = 0; world.verdict.worst <= VERDICT_CORRECTED && frame < FRAMES;
		     frame++) {
			if (!holds(quarantine, frame))
				continue;
			corrected++;
			ck_assert(zones->items.known);
			ck_assert_uint_ge(zones->items.items[1].managed,
					  frames_total(world.held.items, world.held.count) +
						  4 * 1024);
			ck_assert(in_free_block(&world, frame));
			ck_assert_uint_ge(pieces, 64 + claimed);
		}
		free_world(&world);
	}
	ck_assert_uint_gt(corrected, 0);
}
END_TEST

START_TEST(patches_are_right)
{
	seed = (uint64_t)_i * 31 + 5;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned char sum[E820_CHECKSUM_MAX];
		struct world world;

		make_world(&world);
		if (world.verdict.worst <= VERDICT_CORRECTED) {
			ck_assert_int_eq(verdict_correct_header(&world.verdict.plan, world.header,
								IMAGE_INFO_END),
					 0);
			ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &world.now.map, sum), 0);
			ck_assert_mem_eq(world.header + IMAGE_INFO_CHECKSUM, sum, 8);
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

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "verdict_property");
	int seeds = quick() ? 1 : 4;

	crypto_init(NULL);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, allowed_means_all_pages_are_ram, 0, seeds);
	tcase_add_loop_test(tcase, allowed_means_all_bars_are_free, 0, seeds);
	tcase_add_loop_test(tcase, allowed_means_tables_stayed, 0, seeds);
	tcase_add_loop_test(tcase, allowed_means_services_stayed, 0, seeds);
	tcase_add_loop_test(tcase, quarantine_is_exact, 0, seeds);
	tcase_add_loop_test(tcase, corrected_means_place, 0, seeds);
	tcase_add_loop_test(tcase, patches_are_right, 0, (seeds + 1) / 2);
	tcase_add_loop_test(tcase, the_same_is_the_same, 0, (seeds + 1) / 2);
	tcase_add_loop_test(tcase, differences_are_symmetric, 0, seeds);
}
