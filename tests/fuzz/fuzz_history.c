/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of memory maps, and what is made of it: the frames that are kept free. */
#include "fuzz.h"

#include "history/maps/drift.h"
#include "history/maps/map_history_text.h"

#include <errno.h>
#include <string.h>

#define MARGIN 2
#define LIMIT 2048

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_map(const struct history_map *map)
{
	fuzz_assert(map->map.entries.known && map->map.entries.count > 0);
	fuzz_assert(memory_map_valid(&map->map));
	for (size_t i = 0; i < map->map.entries.count; i++)
		fuzz_assert(map->map.entries.items[i].type != MEMORY_NONE);
	fuzz_assert(map->boots >= 1 && map->boots <= MAP_HISTORY_BOOTS_MAX);
	fuzz_assert(map->resumes + map->refused <= map->boots);
	fuzz_assert(map->tables.count <= BOOT_TABLES_MAX);
	fuzz_assert(map->tables.known == (map->tables.count > 0));
	for (size_t i = 0; i < map->tables.count; i++)
		fuzz_assert(memchr(map->tables.items[i].name, 0, sizeof(map->tables.items->name)));
}

static void check(const struct map_history *history)
{
	fuzz_assert(memchr(history->boot_id, 0, sizeof(history->boot_id)));
	fuzz_assert(history->setups.count <= HISTORY_SETUPS_MAX);
	for (size_t i = 0; i < history->setups.count; i++) {
		const struct history_setup *setup = &history->setups.items[i];

		fuzz_assert(memchr(setup->machine, 0, sizeof(setup->machine)));
		fuzz_assert(memchr(setup->firmware, 0, sizeof(setup->firmware)));
		fuzz_assert(setup->maps.count <= HISTORY_MAPS_MAX);
		fuzz_assert(setup->logs.count <= HISTORY_LOGS_IN_ALL);
		for (size_t k = 0; k < setup->maps.count; k++)
			check_map(&setup->maps.items[k]);
		for (size_t k = 0; k < setup->logs.count; k++) {
			fuzz_assert(setup->logs.items[k].start <= setup->logs.items[k].end);
			fuzz_assert(setup->logs.items[k].boots >= 1);
			fuzz_assert(setup->logs.items[k].boots <= MAP_HISTORY_BOOTS_MAX);
		}
		fuzz_assert(history_boots(setup) >= setup->maps.count);
	}
}

/* What was read is written, and that is read as the same. */
static void check_written(const struct map_history *history)
{
	struct map_history again;
	char *text, *second;
	size_t length, second_length, skipped;

	fuzz_assert(map_history_encode(history, &text, &length) == 0);
	fuzz_assert(length <= MAP_HISTORY_LIMIT && strlen(text) == length);
	fuzz_assert(map_history_parse(text, &again, &skipped, NULL) == 0);
	fuzz_assert(skipped == 0);
	fuzz_assert(map_history_encode(&again, &second, &second_length) == 0);
	fuzz_assert(strcmp(text, second) == 0);
	map_history_free(&again);
	free(second);
	free(text);
}

/* The machine of the corpus. */
static void make_boot(struct boot_memory *boot)
{
	static struct memory_entry entries[] = {
		{ 0, 0x9fbff, MEMORY_RAM, 0 },
		{ 0x100000, 0x1fffffff, MEMORY_RAM, 0 },
		{ 0x20000000, 0x200fffff, MEMORY_ACPI, 0 },
	};
	static struct boot_table tables[] = { { "DSDT", 0x20000040 }, { "SSDT2", 0x20004000 } };

	*boot = (struct boot_memory){
		.machine = "Acme Laptop 7 Board",
		.firmware = "Acme 1.2 01/02/2026",
		.boot_files = "6.12.9 #1 SMP initramfs of 31 bytes",
		.memory = 535822336,
		.map = { .entries = { entries, 3, true }, .table_count = 3 },
		.tables = { tables, 2, true },
		.log_start = 0x1f000000,
		.log_end = 0x1f007fff,
		.time = 1700000400,
	};
}

static void check_drift(const struct map_history *history, const struct boot_memory *boot)
{
	struct drift drift;

	fuzz_assert(drift_choose(map_history_setup(history, boot), boot, 4096, MARGIN, LIMIT, NULL,
				 &drift) == 0);
	fuzz_assert(frames_valid(drift.keep.items, drift.keep.count));
	fuzz_assert(frames_total(drift.keep.items, drift.keep.count) <= LIMIT);
	for (size_t i = 0; i < drift.keep.count; i++)
		fuzz_assert(drift.keep.items[i].first + drift.keep.items[i].count <= 0x20000);
	drift_free(&drift);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct map_history history;
	struct boot_memory boot;
	char *text = malloc(size + 1);
	size_t skipped = 0;
	struct why w = { 0 };
	int r;

	fuzz_assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	r = map_history_parse(text, &history, &skipped, &w);
	free(text);
	if (r < 0) {
		fuzz_assert((r == -EBADMSG || r == -ENOTSUP) && w.text[0]);
		return 0;
	}
	check(&history);
	check_written(&history);
	make_boot(&boot);
	check_drift(&history, &boot);
	fuzz_assert(map_history_count(&history, &boot, BOOT_STARTED) == 0);
	fuzz_assert(map_history_setup(&history, &boot) == history.setups.items);
	fuzz_assert(map_history_find(history.setups.items, &boot));
	check_written(&history);
	check_drift(&history, &boot);
	map_history_free(&history);
	return 0;
}
