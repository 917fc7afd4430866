/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine is the boots that it can have. */
#include "drift_lives.h"

#include "base/bytes.h"
#include "fixtures/machine/recorded_boot.h"
#include "history/maps/drift.h"
#include "verdict/verdict.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_CRC32 0x23456789abcdef02

/* A difference of more frames than this is detailed at its ends only. */
#define DETAIL_MAX 16384

/* Frames around a difference that are detailed, too. */
#define DETAIL_AROUND 64

/* The mix of splitmix64. */
static uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15u;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

uint64_t drift_draw(uint64_t seed, uint64_t what, uint64_t a, uint64_t b)
{
	return mix(mix(mix(mix(seed) ^ what) ^ a) ^ b);
}

void drift_unite(struct frame_list *list, const struct frame_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		if (frames_append(list, more->items[i].first, more->items[i].count) < 0)
			ck_abort_msg("out of memory");
	frames_normalize(list);
}

struct frame_list drift_select(const struct frame_list *a, const struct frame_list *b, bool wanted)
{
	struct frame_list ret = { 0 };

	if (frames_select(a, b, wanted, &ret) < 0)
		ck_abort_msg("out of memory");
	return ret;
}

static void add_zone(struct platform *platform, const struct frame_list *ram, const char *name,
		     uint64_t start, uint64_t end)
{
	struct memory_zone zone = { .start = start, .spanned = end - start };

	zone.managed = frames_within(ram->items, ram->count, start, end - 1);
	zone.present = zone.managed;
	zone.high = zone.managed / 128;
	snprintf(zone.name, sizeof(zone.name), "%s", name);
	if (zone.managed > 0)
		ck_assert_int_eq(list_append(&platform->ram.zones.items, zone), 0);
}

/* As x86 has them, up to the end of RAM. */
static void add_zones(struct platform *platform, const struct frame_list *ram)
{
	const struct frame_range *last = &ram->items[ram->count - 1];
	uint64_t top = last->first + last->count;

	platform->ram.zones.items.known = true;
	add_zone(platform, ram, "DMA", 1, 0x1000);
	add_zone(platform, ram, "DMA32", 0x1000, min_u64(top, 0x100000));
	if (top > 0x100000)
		add_zone(platform, ram, "Normal", 0x100000, top);
}

/* What is the same at all boots of all machines. */
static void settle(struct platform *platform, const struct frame_list *ram)
{
	struct acpi *acpi = &platform->acpi;

	snprintf(platform->kernel.machine, sizeof(platform->kernel.machine), "x86_64");
	platform->cpu.info.online = 8;
	platform->devices.items.known = platform->devices.pci.resources.known = true;
	platform->ram.pages =
		(struct memory_pages){ .page_size = PAGE,
				       .present = frames_total(ram->items, ram->count),
				       .offlining = OFFLINING_POSSIBLE };
	/* The contents are unknown; of another length they are certainly others. */
	for (size_t i = 0; i < acpi->tables.count; i++) {
		put_le64(acpi->tables.items[i].sha256, acpi->tables.items[i].length);
		acpi->tables.items[i].used_sha256[0] = 1;
	}
	add_zones(platform, ram);
}

static struct frame_list ram_of(const struct platform *platform)
{
	const struct memory_map nothing = { 0 };
	struct frame_list ram;

	ck_assert_int_eq(drift_lost_frames(&platform->map, &nothing, PAGE, &ram), 0);
	ck_assert_uint_gt(ram.count, 0);
	return ram;
}

void drift_add_boot(struct drift_machine *machine, struct platform *platform, char *log,
		    unsigned int files)
{
	struct drift_boot boot = { .platform = *platform, .files = files };

	boot.ram = ram_of(platform);
	settle(&boot.platform, &boot.ram);
	put_le64(boot.header + IMAGE_INFO_MAGIC, MAGIC_CRC32);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &boot.platform.map,
				       boot.header + IMAGE_INFO_CHECKSUM),
			 0);
	put_le64(boot.header + IMAGE_INFO_PHYSPAGES, boot.platform.ram.pages.present);
	ck_assert_int_eq(platform_calibrate(&boot.platform, boot.header, sizeof(boot.header)), 0);
	ck_assert_int_eq(boot_memory_of("/nonexistent", &boot.platform, log, 0, &boot.memory), 0);
	free(log);
	ck_assert_int_eq(list_append(&machine->boots, boot), 0);
	ck_assert_uint_le(machine->boots.count, DRIFT_BOOTS_MAX);
}

/* Whole blocks that the frames touch. */
static void add_blocks(struct frame_list *list, uint64_t first, uint64_t last)
{
	uint64_t block = first / DRIFT_BLOCK;

	ck_assert_int_eq(frames_append(list, block * DRIFT_BLOCK,
				       (last / DRIFT_BLOCK - block + 1) * DRIFT_BLOCK),
			 0);
}

/* Frames that some boots have as RAM and others do not. */
static struct frame_list differing(const struct drift_machine *machine)
{
	struct frame_list all = { 0 }, common, ret;

	common = (struct frame_list){ 0 };
	drift_unite(&common, &machine->boots.items[0].ram);
	for (size_t i = 0; i < machine->boots.count; i++) {
		struct frame_list both = drift_select(&common, &machine->boots.items[i].ram, true);

		free(common.items);
		common = both;
		drift_unite(&all, &machine->boots.items[i].ram);
	}
	ret = drift_select(&all, &common, false);
	free(all.items);
	free(common.items);
	return ret;
}

void drift_finish(struct drift_machine *machine)
{
	struct frame_list frames = differing(machine);

	if (machine->files == 0)
		machine->files = 1;
	for (size_t i = 0; i < frames.count; i++) {
		uint64_t first = frames.items[i].first, last = first + frames.items[i].count - 1;
		uint64_t from = first > DETAIL_AROUND ? first - DETAIL_AROUND : 0;

		if (last - first < DETAIL_MAX) {
			add_blocks(&machine->detail, from, last + DETAIL_AROUND);
		} else {
			add_blocks(&machine->detail, from, first + DETAIL_MAX / 2);
			add_blocks(&machine->detail, last - DETAIL_MAX / 2, last + DETAIL_AROUND);
		}
	}
	frames_normalize(&machine->detail);
	free(frames.items);
}

void drift_machine_free(struct drift_machine *machine)
{
	for (size_t i = 0; i < machine->boots.count; i++) {
		platform_free(&machine->boots.items[i].platform);
		boot_memory_free(&machine->boots.items[i].memory);
		free(machine->boots.items[i].ram.items);
	}
	list_free(&machine->boots);
	free(machine->detail.items);
	*machine = (struct drift_machine){ 0 };
}
