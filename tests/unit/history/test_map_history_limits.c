/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limits of the history of memory maps: what exceeds them is left out, by reader and writer. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "map_history_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct map_history got;

static void teardown(void)
{
	map_history_free(&got);
}

/* What was skipped. */
static size_t parse(const char *text)
{
	size_t skipped = 1000;
	struct why w = { 0 };

	map_history_free(&got);
	ck_assert_msg(map_history_parse(text, &got, &skipped, &w) == 0, "%s", w.text);
	return skipped;
}

/* What is read is written as that. */
static void check_written(const char *wanted)
{
	size_t length = 0;
	char *text;

	ck_assert_int_eq(map_history_encode(&got, &text, &length), 0);
	ck_assert_str_eq(text, wanted);
	ck_assert_uint_eq(length, strlen(wanted));
	free(text);
}

static void put_maps(FILE *file, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		fprintf(file,
			" map\n  boots %u\n  resumes 0\n  refused 0\n  first 0\n  last 0\n"
			"  regions 1\n  region 0x0 0x%xfff System RAM\n",
			i + 1, i + 1);
}

static void put_logs(FILE *file, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		fprintf(file,
			" log\n  boot-files %c\n  place 0x%x000 0x%xfff\n  boots 1\n  last 0\n",
			'a' + i / HISTORY_LOGS_MAX, i + 1, i + 1);
}

static char *make(unsigned int setups, unsigned int maps, unsigned int logs)
{
	size_t length;
	char *text;
	FILE *file = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(file);
	fprintf(file, HISTORY_HEAD);
	for (unsigned int i = 0; i < setups; i++) {
		fprintf(file, "setup\n machine %u\n firmware\n memory 1\n", i);
		put_logs(file, logs);
		put_maps(file, maps);
	}
	fclose(file);
	return text;
}

/* More than the limits: the first ones. */
START_TEST(limits)
{
	char *text = make(HISTORY_SETUPS_MAX, HISTORY_MAPS_MAX, HISTORY_LOGS_IN_ALL);
	char *more = make(HISTORY_SETUPS_MAX + 2, HISTORY_MAPS_MAX + 2, HISTORY_LOGS_IN_ALL + 2);

	ck_assert_uint_eq(parse(text), 0);
	check_written(text);
	ck_assert_uint_eq(parse(more), 0);
	check_written(text);
	free(more);
	free(text);
}
END_TEST

/* Of one set of boot files, too. */
START_TEST(many_logs)
{
	char *text;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(file);
	fprintf(file, HISTORY_HEAD HISTORY_SETUP);
	for (unsigned int i = 0; i < HISTORY_LOGS_MAX + 1; i++)
		fprintf(file, " log\n  boot-files a\n  place 0x%x000 0x%xfff\n", i, i);
	fprintf(file, " log\n  boot-files b\n  place 0x0 0xfff\n");
	fclose(file);
	ck_assert_uint_eq(parse(text), 0);
	free(text);
	ck_assert_uint_eq(got.setups.items[0].logs.count, HISTORY_LOGS_MAX + 1);
	ck_assert_str_eq(got.setups.items[0].logs.items[HISTORY_LOGS_MAX].boot_files, "b");
}
END_TEST

/* A count that cannot rise is written as it is read. */
START_TEST(highest_counts)
{
	struct boot_memory boot = history_boot();
	const struct history_setup *setup;

	boot.log_start = 0x1000;
	boot.log_end = 0x1fff;
	memcpy(boot.boot_files, "a", 2);
	parse(HISTORY_HEAD HISTORY_SETUP
	      " log\n  boot-files a\n  place 0x1000 0x1fff\n  boots 1073741823\n"
	      " map\n  boots 1073741823\n  resumes 1073741820\n  refused 2\n  regions 3\n"
	      "  region 0x0 0x9fbff System RAM\n  region 0x100000 0x1fffffff System RAM\n"
	      "  region 0x20000000 0x200fffff ACPI Tables\n");
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(map_history_count(&got, &boot, BOOT_RESUMED), 0);
	setup = &got.setups.items[0];
	ck_assert_uint_eq(setup->maps.count, 1);
	ck_assert_uint_eq(setup->maps.items[0].boots, MAP_HISTORY_BOOTS_MAX);
	ck_assert_uint_eq(setup->maps.items[0].resumes, 1073741821);
	ck_assert_uint_eq(setup->maps.items[0].refused, 2);
	ck_assert_uint_eq(setup->maps.items[0].last, boot.time);
	ck_assert_uint_eq(setup->logs.items[0].boots, MAP_HISTORY_BOOTS_MAX);
	ck_assert_uint_eq(setup->logs.items[0].last, boot.time);
}
END_TEST

/* Regions and tables beyond what a map may have. */
START_TEST(large_maps)
{
	for (unsigned int more = 0; more < 2; more++) {
		size_t length;
		char *text;
		FILE *file = open_memstream(&text, &length);
		unsigned int regions = MEMORY_MAP_MAX + more, tables = BOOT_TABLES_MAX + more;
		const struct history_setup *setup;

		fprintf(file, HISTORY_HEAD HISTORY_SETUP " map\n  regions %u\n", regions);
		for (unsigned int i = 0; i < regions; i++)
			fprintf(file, "  region 0x%x000 0x%xfff Reserved\n", i, i);
		fprintf(file, " map\n  regions 1\n  region 0 1 Reserved\n  tables %u\n", tables);
		for (unsigned int i = 0; i < tables; i++)
			fprintf(file, "  table 0x%x SSDT%u\n", i, i);
		fclose(file);
		ck_assert_uint_eq(parse(text), more ? 4 : 0);
		free(text);
		setup = &got.setups.items[0];
		ck_assert_uint_eq(setup->maps.count, more ? 1 : 2);
		if (!more)
			ck_assert_uint_eq(setup->maps.items[0].map.entries.count, MEMORY_MAP_MAX);
		ck_assert_uint_eq(setup->maps.items[more ? 0 : 1].tables.count,
				  more ? 0 : BOOT_TABLES_MAX);
	}
}
END_TEST

/* What is written can be read, whatever there is: maps that do not fit are left out. */
START_TEST(never_too_long)
{
	static struct memory_entry entries[MEMORY_MAP_MAX];
	static struct history_map maps[HISTORY_MAPS_MAX];
	struct history_setup setups[HISTORY_SETUPS_MAX] = { 0 };
	struct map_history history = { .setups = { setups, ARRAY_SIZE(setups), false } };
	char *text;
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct memory_entry){ UINT64_MAX - 1, UINT64_MAX - i,
						    MEMORY_SOFT_RESERVED, 0 };
	entries[0].end = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i].start = entries[i].end;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		/* The last one is small. */
		size_t count = i + 1 < ARRAY_SIZE(maps) ? MEMORY_MAP_MAX - i : 1;

		maps[i].map.entries.items = entries;
		maps[i].map.entries.count = count;
		maps[i].map.table_count = (uint32_t)count;
		maps[i].boots = i + 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
		memset(setups[i].machine, 'a' + (int)i, sizeof(setups[i].machine) - 1);
		setups[i].maps.items = maps;
		setups[i].maps.count = ARRAY_SIZE(maps);
	}
	ck_assert_int_eq(map_history_encode(&history, &text, &length), 0);
	ck_assert_uint_le(length, MAP_HISTORY_LIMIT);
	ck_assert_uint_ge(length, MAP_HISTORY_LIMIT / 2);
	ck_assert_uint_eq(parse(text), 0);
	ck_assert_uint_eq(got.setups.count, HISTORY_SETUPS_MAX);
	ck_assert_uint_gt(got.setups.items[0].maps.count, 1);
	ck_assert_uint_lt(got.setups.items[0].maps.count, HISTORY_MAPS_MAX);
	for (size_t i = 0; i < HISTORY_SETUPS_MAX; i++) {
		const struct history_setup *setup = &got.setups.items[i];

		ck_assert_uint_eq(setup->maps.items[setup->maps.count - 1].boots, HISTORY_MAPS_MAX);
	}
	free(text);
}
END_TEST

/* The largest setup with all its places of the log, beside the maps. */
START_TEST(room_beside_maps)
{
	struct history_log logs[HISTORY_LOGS_IN_ALL];
	struct history_setup setups[HISTORY_SETUPS_MAX];
	struct map_history history = { .setups = { setups, ARRAY_SIZE(setups), false } };
	char *text;
	size_t length;

	memset(logs, 'x', sizeof(logs));
	memset(setups, 'x', sizeof(setups));
	memset(history.boot_id, 'x', sizeof(history.boot_id) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		logs[i].boot_files[sizeof(logs[i].boot_files) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
		setups[i].machine[sizeof(setups[i].machine) - 1] = '\0';
		setups[i].firmware[sizeof(setups[i].firmware) - 1] = '\0';
		setups[i].logs.items = logs;
		setups[i].logs.count = ARRAY_SIZE(logs);
		setups[i].maps.count = 0;
	}
	ck_assert_int_eq(map_history_encode(&history, &text, &length), 0);
	ck_assert_uint_lt(length, 40u << 10);
	free(text);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "limits");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, many_logs);
	tcase_add_test(tcase, highest_counts);
	tcase_add_test(tcase, large_maps);
	tcase_add_test(tcase, never_too_long);
	tcase_add_test(tcase, room_beside_maps);
}
