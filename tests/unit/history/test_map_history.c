/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/map_history.h"

#include "base/text.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/recorded_boot.h"

#include <stdio.h>
#include <string.h>

static struct map_history history;

static void begin(void)
{
	history = (struct map_history){ 0 };
}

static void end(void)
{
	map_history_free(&history);
}

/* A region of one page at hole MiB. */
static void boot_with_hole(unsigned int hole, uint64_t time, struct boot_memory *ret)
{
	char map[200];

	snprintf(map, sizeof(map),
		 "0x0 0x9ffff System RAM\n0x100000 0x%xfffff System RAM\n"
		 "0x%x00000 0x%x00fff Reserved\n0x%x01000 0x1fffffff System RAM\n",
		 hole - 1, hole, hole, hole);
	made_boot(map, time, ret);
}

static void count_hole(unsigned int hole, uint64_t time, enum boot_outcome outcome)
{
	struct boot_memory boot;

	boot_with_hole(hole, time, &boot);
	ck_assert_int_eq(map_history_count(&history, &boot, outcome), 0);
	boot_memory_free(&boot);
}

static const struct history_setup *first(void)
{
	return &history.setups.items[0];
}

START_TEST(test_counts)
{
	struct boot_memory boot;
	const struct history_map *map;

	count_hole(0x10, 100, BOOT_STARTED);
	count_hole(0x11, 200, BOOT_RESUMED);
	count_hole(0x10, 300, BOOT_REFUSED);
	count_hole(0x10, 400, BOOT_STARTED);
	ck_assert_uint_eq(history.setups.count, 1);
	ck_assert_uint_eq(first()->maps.count, 2);
	ck_assert_uint_eq(history_boots(first()), 4);
	boot_with_hole(0x10, 0, &boot);
	ck_assert_ptr_eq(map_history_setup(&history, &boot), first());
	map = map_history_find(first(), &boot);
	ck_assert_uint_eq(map->boots, 3);
	ck_assert_uint_eq(map->refused, 1);
	ck_assert_uint_eq(map->resumes, 0);
	ck_assert_uint_eq(map->first, 100);
	ck_assert_uint_eq(map->last, 400);
	boot_memory_free(&boot);
	boot_with_hole(0x12, 0, &boot);
	ck_assert_ptr_null(map_history_find(first(), &boot));
	boot_memory_free(&boot);
}
END_TEST

static void count_loader(unsigned int hole, const char *loader, const char *wanted)
{
	struct boot_memory boot;

	boot_with_hole(hole, 100, &boot);
	text_copy(boot.loader, sizeof(boot.loader), loader);
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	ck_assert_str_eq(map_history_find(first(), &boot)->loader, wanted);
	boot_memory_free(&boot);
}

/* Boots whose loader is not known say nothing: those that an image was restored by. */
START_TEST(test_loaders)
{
	count_loader(0x10, "", "");
	count_loader(0x10, "GRUB 2.12", "GRUB 2.12");
	count_loader(0x10, "", "GRUB 2.12");
	count_loader(0x10, "GRUB 2.12", "GRUB 2.12");
	count_loader(0x11, "systemd-boot 257", "systemd-boot 257");
	count_loader(0x10, "GRUB 2.13", HISTORY_LOADERS);
	count_loader(0x10, "GRUB 2.12", HISTORY_LOADERS);
	count_loader(0x11, "systemd-boot 257", "systemd-boot 257");
}
END_TEST

/* Nothing to count on machines without such a map. */
START_TEST(test_no_map)
{
	struct boot_memory boot = { .machine = "arm64" };

	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	ck_assert_uint_eq(history.setups.count, 0);
	ck_assert_ptr_null(map_history_setup(&history, &boot));
}
END_TEST

/* The weakest map gives way: seen least, then longest ago. */
START_TEST(test_many_maps)
{
	struct boot_memory boot;

	for (unsigned int i = 0; i < HISTORY_MAPS_MAX; i++)
		count_hole(0x10 + i, 100 + i, BOOT_STARTED);
	count_hole(0x10, 200, BOOT_STARTED);
	count_hole(0x80, 300, BOOT_STARTED);
	ck_assert_uint_eq(first()->maps.count, HISTORY_MAPS_MAX);
	boot_with_hole(0x11, 0, &boot);
	ck_assert_ptr_null(map_history_find(first(), &boot));
	boot_memory_free(&boot);
	boot_with_hole(0x10, 0, &boot);
	ck_assert_uint_eq(map_history_find(first(), &boot)->boots, 2);
	boot_memory_free(&boot);
	boot_with_hole(0x80, 0, &boot);
	ck_assert_uint_eq(map_history_find(first(), &boot)->boots, 1);
	boot_memory_free(&boot);
}
END_TEST

static void count_firmware(const char *firmware, uint64_t more_memory)
{
	struct boot_memory boot;

	boot_with_hole(0x10, 1, &boot);
	snprintf(boot.firmware, sizeof(boot.firmware), "%s", firmware);
	boot.memory += more_memory;
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
}

/* Another firmware begins anew, the one before is kept, the one that was used longest ago goes. */
START_TEST(test_setups)
{
	count_firmware("1.0", 0);
	count_firmware("1.0", HISTORY_MEMORY_TOLERANCE - 1);
	count_firmware("1.1", 0);
	ck_assert_uint_eq(history.setups.count, 2);
	ck_assert_str_eq(first()->firmware, "1.1");
	ck_assert_uint_eq(history_boots(first()), 1);
	count_firmware("1.0", 0);
	ck_assert_uint_eq(history.setups.count, 2);
	ck_assert_str_eq(first()->firmware, "1.0");
	ck_assert_uint_eq(history_boots(first()), 3);
	count_firmware("1.0", HISTORY_MEMORY_TOLERANCE);
	ck_assert_uint_eq(history.setups.count, 3);
	count_firmware("1.2", 0);
	ck_assert_uint_eq(history.setups.count, HISTORY_SETUPS_MAX);
	ck_assert_str_eq(first()->firmware, "1.2");
	for (size_t i = 0; i < history.setups.count; i++)
		ck_assert_str_ne(history.setups.items[i].firmware, "1.1");
}
END_TEST

/* Tables at other addresses make another map; where they are unknown, the map alone decides, and
 * they are learned. */
START_TEST(test_tables)
{
	struct boot_memory boot;
	struct boot_table table = { "DSDT", 0x1000 };

	count_hole(0x10, 1, BOOT_STARTED);
	boot_with_hole(0x10, 2, &boot);
	ck_assert_int_eq(list_append(&boot.tables, table), 0);
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	ck_assert_uint_eq(first()->maps.count, 1);
	ck_assert_uint_eq(first()->maps.items[0].boots, 2);
	ck_assert_uint_eq(first()->maps.items[0].tables.count, 1);
	boot.tables.items[0].address = 0x2000;
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	ck_assert_uint_eq(first()->maps.count, 2);
	boot_memory_free(&boot);
}
END_TEST

static void count_tables(const struct boot_table *tables, size_t count)
{
	struct boot_memory boot;

	boot_with_hole(0x10, 1, &boot);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(list_append(&boot.tables, tables[i]), 0);
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
}

/* Where some tables are unknown, the others decide. */
START_TEST(test_some_tables)
{
	static const struct boot_table all[] = { { "DSDT", 1 }, { "SSDT1", 2 } };
	static const struct boot_table moved[] = { { "DSDT", 1 }, { "SSDT1", 3 } };

	count_tables(all, 2);
	count_tables(all, 1);
	count_tables(all + 1, 1);
	count_tables(all, 2);
	ck_assert_uint_eq(first()->maps.count, 1);
	ck_assert_uint_eq(first()->maps.items[0].boots, 4);
	ck_assert_uint_eq(first()->maps.items[0].tables.count, 2);
	count_tables(moved, 2);
	count_tables(moved + 1, 1);
	ck_assert_uint_eq(first()->maps.count, 2);
	ck_assert_uint_eq(first()->maps.items[0].boots, 4);
}
END_TEST

/* They are learned, or the map would stand for any that has the known ones. */
START_TEST(test_tables_learned)
{
	static const struct boot_table all[] = { { "DSDT", 1 }, { "SSDT1", 2 } };
	static const struct boot_table moved[] = { { "DSDT", 1 }, { "SSDT1", 3 } };

	count_tables(all, 1);
	count_tables(all, 2);
	ck_assert_uint_eq(first()->maps.count, 1);
	ck_assert_uint_eq(first()->maps.items[0].tables.count, 2);
	count_tables(moved, 2);
	ck_assert_uint_eq(first()->maps.count, 2);
	ck_assert_uint_eq(first()->maps.items[0].boots, 2);
}
END_TEST

static void count_log(const char *files, uint64_t start, uint64_t time)
{
	struct boot_memory boot;

	boot_with_hole(0x10, time, &boot);
	snprintf(boot.boot_files, sizeof(boot.boot_files), "%s", files);
	boot.log_start = start;
	boot.log_end = start ? start + 0x8fff : 0;
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
}

static size_t logs_of(const char *files)
{
	size_t count = 0;

	for (size_t i = 0; i < first()->logs.count; i++)
		count += strcmp(first()->logs.items[i].boot_files, files) == 0;
	return count;
}

/* Places of the log belong to boot files. */
START_TEST(test_logs)
{
	count_log("kernel 1", 0x5000000, 1);
	count_log("kernel 1", 0x5001000, 2);
	count_log("kernel 1", 0x5000000, 3);
	ck_assert_uint_eq(first()->logs.count, 2);
	ck_assert_uint_eq(first()->logs.items[0].boots, 2);
	ck_assert_uint_eq(first()->logs.items[0].last, 3);
	ck_assert_uint_eq(first()->maps.count, 1);
	/* The same place, and not the same. */
	count_log("kernel 2", 0x5000000, 4);
	ck_assert_uint_eq(first()->logs.count, 3);
	ck_assert_uint_eq(first()->logs.items[2].boots, 1);
	ck_assert_uint_eq(history_boots(first()), 4);
	/* A boot whose log has no region of its own. */
	count_log("kernel 3", 0, 5);
	ck_assert_uint_eq(first()->logs.count, 3);
	ck_assert_uint_eq(history_boots(first()), 5);
}
END_TEST

/* Kernels that are booted in turn do not forget each other's places; what is not booted any more
 * goes, whatever the clock says. */
START_TEST(test_boot_files_in_turn)
{
	char files[20];

	for (unsigned int i = 0; i < 10; i++) {
		count_log("kernel 1", 0x5000000 + 0x1000 * (i % 2), 100 - i);
		count_log("kernel 2", 0x6000000 + 0x1000 * (i % 2), 100 - i);
	}
	ck_assert_uint_eq(first()->logs.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(first()->logs.items[i].boots, 5);
	ck_assert_str_eq(first()->logs.items[3].boot_files, "kernel 2");
	count_log("kernel 1", 0x5000000, 1);
	ck_assert_str_eq(first()->logs.items[3].boot_files, "kernel 1");
	ck_assert_str_eq(first()->logs.items[2].boot_files, "kernel 1");
	for (unsigned int i = 3; i <= HISTORY_BOOT_FILES_MAX; i++) {
		snprintf(files, sizeof(files), "kernel %u", i);
		count_log(files, 0x7000000, 1);
	}
	ck_assert_uint_eq(logs_of("kernel 2"), 2);
	count_log("newer", 0x7000000, 1);
	ck_assert_uint_eq(logs_of("kernel 2"), 0);
	ck_assert_uint_eq(logs_of("kernel 1"), 2);
	count_log("newest", 0x7000000, 1);
	ck_assert_uint_eq(logs_of("kernel 1"), 0);
	ck_assert_uint_eq(first()->logs.count, HISTORY_BOOT_FILES_MAX);
}
END_TEST

START_TEST(test_many_logs)
{
	count_log("another", 0x4000000, 1);
	for (unsigned int i = 0; i < HISTORY_LOGS_MAX; i++)
		count_log("kernel", 0x5000000 + 0x1000 * i, i + 1);
	count_log("kernel", 0x5000000, 50);
	count_log("kernel", 0x7000000, 60);
	ck_assert_uint_eq(logs_of("kernel"), HISTORY_LOGS_MAX);
	ck_assert_uint_eq(logs_of("another"), 1);
	for (size_t i = 0; i < first()->logs.count; i++)
		ck_assert_uint_ne(first()->logs.items[i].start, 0x5001000);
	ck_assert_uint_eq(first()->logs.items[HISTORY_LOGS_MAX].start, 0x7000000);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tests = test_case(suite, "map_history");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, test_loaders);
	tcase_add_test(tests, test_counts);
	tcase_add_test(tests, test_no_map);
	tcase_add_test(tests, test_many_maps);
	tcase_add_test(tests, test_setups);
	tcase_add_test(tests, test_tables);
	tcase_add_test(tests, test_some_tables);
	tcase_add_test(tests, test_tables_learned);
	tcase_add_test(tests, test_logs);
	tcase_add_test(tests, test_boot_files_in_turn);
	tcase_add_test(tests, test_many_logs);
}
