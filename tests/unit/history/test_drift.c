/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/drift.h"

#include "base/text.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/recorded_boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 2048

static struct map_history history;
static struct boot_memory now;
static struct drift drift;

static void begin(void)
{
	history = (struct map_history){ 0 };
	now = (struct boot_memory){ 0 };
	drift = (struct drift){ 0 };
}

static void end(void)
{
	map_history_free(&history);
	boot_memory_free(&now);
	drift_free(&drift);
}

/* RAM up to 512 MiB but for count pages at first. */
static void boot_with(uint64_t first, uint64_t count, uint64_t time, struct boot_memory *ret)
{
	char map[300];

	snprintf(map, sizeof(map),
		 "0x0 0x9ffff System RAM\n0x100000 0x%llx System RAM\n0x%llx 0x%llx Reserved\n"
		 "0x%llx 0x1fffffff System RAM\n",
		 (unsigned long long)first * PAGE - 1, (unsigned long long)first * PAGE,
		 (unsigned long long)(first + count) * PAGE - 1,
		 (unsigned long long)(first + count) * PAGE);
	made_boot(map, time, ret);
}

static void count_boots(uint64_t first, uint64_t count, unsigned int boots)
{
	struct boot_memory boot;

	boot_with(first, count, 1000 + first, &boot);
	while (boots-- > 0)
		ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
}

static void choose_after(const struct frame_list *lost, uint64_t margin, uint64_t limit)
{
	ck_assert_int_eq(drift_choose(map_history_setup(&history, &now), &now, PAGE, margin, limit,
				      lost, &drift),
			 0);
}

static void choose(uint64_t margin, uint64_t limit)
{
	choose_after(NULL, margin, limit);
}

static bool keeps(uint64_t first, uint64_t count)
{
	return frames_within(drift.keep.items, drift.keep.count, first, first + count - 1) == count;
}

static uint64_t kept(void)
{
	return frames_total(drift.keep.items, drift.keep.count);
}

START_TEST(test_nothing)
{
	boot_with(0x10000, 1, 1, &now);
	choose(2, LIMIT);
	ck_assert_uint_eq(drift.places.count, 0);
	ck_assert_uint_eq(drift.boots, 0);
	drift_free(&drift);
	count_boots(0x10000, 1, 5);
	choose(2, LIMIT);
	ck_assert_uint_eq(drift.places.count, 0);
	ck_assert_uint_eq(kept(), 0);
	ck_assert_uint_eq(drift.boots, 5);
}
END_TEST

/* The other place is kept free with its margin, never this boot's: that is no RAM. */
START_TEST(test_two_places)
{
	count_boots(0x10000, 1, 5);
	count_boots(0x12000, 3, 2);
	boot_with(0x10000, 1, 1, &now);
	choose(2, LIMIT);
	ck_assert_uint_eq(drift.places.count, 1);
	ck_assert_uint_eq(drift.places.items[0].frames.first, 0x12000);
	ck_assert_uint_eq(drift.places.items[0].frames.count, 3);
	ck_assert_uint_eq(drift.places.items[0].boots, 2);
	ck_assert_int_eq(drift.places.items[0].cause, DRIFT_MAP);
	ck_assert(keeps(0x11ffe, 7));
	ck_assert_uint_eq(kept(), 7);
	ck_assert_uint_eq(drift.boots, 7);
}
END_TEST

/* The margin ends where RAM does. */
START_TEST(test_margin)
{
	count_boots(0x10000, 1, 1);
	count_boots(0x10002, 1, 1);
	count_boots(0x101, 1, 1);
	boot_with(0x10000, 1, 1, &now);
	choose(8, LIMIT);
	ck_assert(keeps(0x10001, 10));
	ck_assert(keeps(0x100, 10));
	ck_assert_uint_eq(frames_within(drift.keep.items, drift.keep.count, 0x10000, 0x10000), 0);
	ck_assert_uint_eq(frames_within(drift.keep.items, drift.keep.count, 0, 0xff), 0);
	ck_assert_uint_eq(kept(), 10 + 16);
}
END_TEST

/* Likeliest first, whole places only, what is too large is left out and the next one taken. */
START_TEST(test_limit)
{
	count_boots(0x10000, 1, 1);
	count_boots(0x11000, 100, 2);
	count_boots(0x12000, 2000, 3);
	count_boots(0x14000, 50, 4);
	boot_with(0x10000, 1, 1, &now);
	choose(0, 160);
	ck_assert_uint_eq(drift.places.count, 3);
	ck_assert_uint_eq(drift.places.items[0].frames.first, 0x14000);
	ck_assert_uint_eq(drift.places.items[1].frames.first, 0x12000);
	ck_assert(keeps(0x14000, 50));
	ck_assert(keeps(0x11000, 100));
	ck_assert_uint_eq(kept(), 150);
	ck_assert_uint_eq(drift.beyond, 2000);
	drift_free(&drift);
	choose(0, 0);
	ck_assert_uint_eq(kept(), 0);
	ck_assert_uint_eq(drift.beyond, 2150);
}
END_TEST

/* What an earlier choice has offlined is lost until the next boot; what is chosen again costs
 * nothing more, even beyond the limit. */
START_TEST(test_lost)
{
	static struct frame_range earlier[] = { { 0x11000, 100 }, { 0x18000, 30 } };
	const struct frame_list lost = { earlier, 2 };

	count_boots(0x10000, 1, 1);
	count_boots(0x11000, 100, 2);
	count_boots(0x14000, 50, 4);
	boot_with(0x10000, 1, 1, &now);
	choose_after(&lost, 0, 180);
	ck_assert_uint_eq(kept(), 150);
	ck_assert_uint_eq(drift.beyond, 0);
	drift_free(&drift);
	choose_after(&lost, 0, 179);
	ck_assert(keeps(0x11000, 100));
	ck_assert_uint_eq(kept(), 100);
	ck_assert_uint_eq(drift.beyond, 50);
	drift_free(&drift);
	choose_after(&lost, 0, 0);
	ck_assert_uint_eq(kept(), 100);
}
END_TEST

/* Overlapping places count together where they do. */
START_TEST(test_overlap)
{
	count_boots(0x10000, 1, 1);
	count_boots(0x11000, 4, 2);
	count_boots(0x11002, 4, 3);
	boot_with(0x10000, 1, 1, &now);
	choose(0, LIMIT);
	ck_assert_uint_eq(drift.places.count, 3);
	ck_assert_uint_eq(drift.places.items[0].frames.first, 0x11002);
	ck_assert_uint_eq(drift.places.items[0].frames.count, 2);
	ck_assert_uint_eq(drift.places.items[0].boots, 5);
	ck_assert_uint_eq(drift.places.items[1].frames.first, 0x11004);
	ck_assert_uint_eq(drift.places.items[1].boots, 3);
	ck_assert_uint_eq(kept(), 6);
}
END_TEST

/* No image resumes where tables lay elsewhere: nothing is gained by keeping that free. But it does
 * not follow from tables whose address is unknown: the kernel's log has lost its beginning, and
 * another table names the DSDT only. */
START_TEST(test_tables_moved)
{
	const struct boot_table tables[] = { { "DSDT", 0x1000 }, { "SSDT1", 0x3000 } };
	struct boot_memory boot;

	boot_with(0x11000, 1, 1, &boot);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(list_append(&boot.tables, tables[i]), 0);
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
	boot_with(0x10000, 1, 1, &now);
	for (size_t known = 0; known < 2; known++) {
		choose(0, LIMIT);
		ck_assert_uint_eq(kept(), 1);
		drift_free(&drift);
		ck_assert_int_eq(list_append(&now.tables, tables[known]), 0);
	}
	now.tables.items[0].address = 0x2000;
	choose(0, LIMIT);
	ck_assert_uint_eq(kept(), 0);
	ck_assert(drift_tables_moved(&history.setups.items[0].maps.items[0], &now));
}
END_TEST

/* Of another setup nothing is known. */
START_TEST(test_other_firmware)
{
	count_boots(0x11000, 1, 3);
	boot_with(0x10000, 1, 1, &now);
	snprintf(now.firmware, sizeof(now.firmware), "newer");
	choose(0, LIMIT);
	ck_assert_uint_eq(kept(), 0);
}
END_TEST

static void with_log(struct boot_memory *boot, const char *files, uint64_t first, uint64_t count)
{
	snprintf(boot->boot_files, sizeof(boot->boot_files), "%s", files);
	boot->log_start = first * PAGE;
	boot->log_end = (first + count) * PAGE - 1;
}

/* From the first boot on, on both sides; the log itself is no RAM. */
START_TEST(test_log)
{
	boot_with(0x10000, 1, 1, &now);
	with_log(&now, "kernel", 0x8000, 9);
	choose(2, LIMIT);
	ck_assert_uint_eq(kept(), 2 * DRIFT_LOG_MARGIN);
	ck_assert(keeps(0x8000 - 8, 8));
	ck_assert(keeps(0x8009, 8));
	ck_assert_int_eq(drift.places.items[0].cause, DRIFT_LOG);
}
END_TEST

START_TEST(test_log_sizes)
{
	static const struct {
		uint64_t pages, margin;
	} cases[] = { { 1, 8 }, { 16, 8 }, { 17, 7 }, { 31, 0 }, { 32, 0 }, { 500, 0 } };

	boot_with(0x10000, 1, 1, &now);
	with_log(&now, "kernel", 0x8000, cases[_i].pages);
	choose(2, LIMIT);
	ck_assert_uint_eq(kept(), 2 * cases[_i].margin);
}
END_TEST

static uint64_t boots_taking(uint64_t frame)
{
	struct frame_range range = { frame, 1 };
	const struct frame_list list = { &range, 1 };

	return drift_boots_taking(map_history_setup(&history, &now), &now, PAGE, &list);
}

/* Where it lay at other boots with these boot files; and with what surrounds it, at a boot with
 * newer ones, which restored this system. */
START_TEST(test_log_places)
{
	struct boot_memory boot;

	boot_with(0x10000, 1, 1, &boot);
	with_log(&boot, "kernel", 0x9000, 4);
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
	boot_with(0x10000, 1, 1, &now);
	with_log(&now, "kernel", 0x8000, 4);
	choose(2, LIMIT);
	ck_assert(keeps(0x9000, 4));
	ck_assert_uint_eq(kept(), 4 + 16);
	ck_assert_uint_eq(boots_taking(0x9003), 1);
	ck_assert_uint_eq(boots_taking(0x9004), 0);
	ck_assert_uint_eq(boots_taking(0x8008), 0);
	drift_free(&drift);
	with_log(&now, "older", 0x8000, 4);
	choose(2, LIMIT);
	ck_assert(keeps(0x9000 - 8, 4 + 16));
	ck_assert_uint_eq(kept(), 4 + 16 + 16);
	ck_assert_uint_eq(boots_taking(0x9003), 1);
	drift_free(&drift);
	now.log_start = now.log_end = 0;
	choose(2, LIMIT);
	ck_assert(keeps(0x9000 - 8, 4 + 16));
	ck_assert_uint_eq(kept(), 4 + 16);
}
END_TEST

static void count_log(const char *files, uint64_t first, unsigned int times)
{
	struct boot_memory boot;

	boot_with(0x10000, 1, 1, &boot);
	with_log(&boot, files, first, 4);
	for (unsigned int i = 0; i < times; i++)
		ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
}

/* Another kernel that is installed may be booted next. But it may be gone for good: it is no loss
 * that is known, and the last one to be kept free. */
START_TEST(test_other_boot_files)
{
	count_log("kernel 1", 0x9000, 5);
	count_log("kernel 2", 0xa000, 2);
	boot_with(0x10000, 1, 1, &now);
	with_log(&now, "kernel 2", 0xb000, 4);
	choose(2, LIMIT);
	ck_assert(keeps(0x9000 - 8, 4 + 16));
	ck_assert(keeps(0xa000, 4));
	ck_assert_uint_eq(kept(), 4 + 16 + 4 + 16);
	ck_assert_uint_eq(boots_taking(0xa003), 2);
	ck_assert_uint_eq(boots_taking(0x9003), 0);
	drift_free(&drift);
	choose(2, 4 + 16);
	ck_assert(keeps(0xa000, 4));
	ck_assert(!keeps(0x9000, 4));
	drift_free(&drift);
	/* This system's own, which another restored. */
	with_log(&now, "kernel 1", 0xb000, 4);
	ck_assert_uint_eq(boots_taking(0x9003), 5);
	ck_assert_uint_eq(boots_taking(0xa003), 2);
}
END_TEST

/* The two maps of a guest that lost its session to one page: both places, from each side. */
START_TEST(test_forum)
{
	static const char *const names[] = { "forum-boot-1", "forum-boot-2" };
	static const uint64_t places[] = { 0x7df0a, 0x7e38b };
	struct boot_memory boot;

	for (unsigned int i = 0; i < 2; i++) {
		recorded_boot(names[i], i, &boot);
		ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
		boot_memory_free(&boot);
	}
	ck_assert_uint_eq(history.setups.count, 1);
	recorded_boot(names[_i], 3, &now);
	choose(0, LIMIT);
	ck_assert_uint_eq(kept(), 1);
	ck_assert(keeps(places[1 - _i], 1));
}
END_TEST

START_TEST(test_boots_taking)
{
	struct frame_range ranges[] = { { 0x11000, 1 }, { 0x13000, 1 } };
	const struct frame_list one = { ranges, 1 }, both = { ranges, 2 };
	const struct history_setup *setup;

	count_boots(0x10000, 1, 5);
	count_boots(0x11000, 4, 2);
	count_boots(0x13000, 4, 3);
	boot_with(0x10000, 1, 1, &now);
	setup = map_history_setup(&history, &now);
	ck_assert_uint_eq(drift_boots_taking(setup, &now, PAGE, &one), 2);
	ck_assert_uint_eq(drift_boots_taking(setup, &now, PAGE, &both), 5);
	ck_assert_uint_eq(drift_boots_taking(NULL, &now, PAGE, &both), 0);
}
END_TEST

/* Frames, not bytes: a page that is only partly RAM is none. */
START_TEST(test_partial_pages)
{
	struct boot_memory then;
	struct frame_list lost;

	made_boot("0x0 0x10fff System RAM\n0x11000 0x117ff System RAM\n"
		  "0x11800 0x11fff System RAM\n0x12000 0x1ffff System RAM\n",
		  1, &now);
	made_boot("0x0 0x10fff System RAM\n0x11000 0x117ff System RAM\n"
		  "0x11800 0x11fff Reserved\n0x12000 0x1f7ff System RAM\n",
		  1, &then);
	ck_assert_int_eq(drift_lost_frames(&now.map, &then.map, PAGE, &lost), 0);
	ck_assert_uint_eq(lost.count, 2);
	ck_assert_uint_eq(lost.items[0].first, 0x11);
	ck_assert_uint_eq(lost.items[0].count, 1);
	ck_assert_uint_eq(lost.items[1].first, 0x1f);
	free(lost.items);
	ck_assert_int_eq(drift_lost_frames(&then.map, &now.map, PAGE, &lost), 0);
	ck_assert_uint_eq(lost.count, 0);
	free(lost.items);
	boot_memory_free(&then);
}
END_TEST

/* What resume can tell from it: how often the image would have fitted. */
START_TEST(test_maps_met)
{
	struct frame_range held[] = { { 0x11001, 1 }, { 0x18000, 10 } };
	struct met_now of_other;
	struct maps_met met;
	struct met_odds odds;
	struct boot_memory other;

	count_boots(0x10000, 1, 5);
	count_boots(0x11000, 4, 2);
	count_boots(0x13000, 4, 3);
	boot_with(0x10000, 1, 1, &now);
	ck_assert_int_eq(drift_maps_met(map_history_setup(&history, &now), &now, PAGE, &met), 0);
	ck_assert(maps_met_valid(&met));
	ck_assert_uint_eq(met.maps.count, 3);
	ck_assert_uint_eq(met.maps.items[0].own, 1);
	ck_assert_uint_eq(met.maps.items[1].own, 0);
	ck_assert_uint_eq(met.frames.count, 2);
	boot_with(0x11000, 4, 1, &other);
	ck_assert_int_eq(drift_met_now(&other, PAGE, &of_other), 0);
	maps_met_odds(&met, held, 2, &of_other, &odds);
	ck_assert(!odds.log);
	ck_assert_uint_eq(odds.boots, 9);
	ck_assert_uint_eq(odds.fitting, 7);
	ck_assert_uint_eq(odds.same, 2);
	boot_memory_free(&other);
	maps_met_free(&met);
	ck_assert_int_eq(drift_maps_met(NULL, &now, PAGE, &met), 0);
	ck_assert_uint_eq(met.maps.count, 0);
	ck_assert(!met.maps.known);
	maps_met_free(&met);
}
END_TEST

/* A boot that differs in nothing but where the log lies has the same map; the log's own history
 * says what the odds are. */
START_TEST(test_logs_met)
{
	struct frame_range held = { 0x9000, 2 };
	struct met_now of_now;
	struct maps_met met;
	struct met_odds odds;
	size_t moved;

	count_log("kernel 1", 0x9001, 2);
	count_log("kernel 2", 0x8000, 2);
	count_log("kernel 1", 0x9002, 3);
	count_log("kernel 1", 0x8ffe, 1);
	count_log("kernel 1", 0x8000, 4);
	boot_with(0x10000, 1, 1, &now);
	with_log(&now, "kernel 1", 0x8000, 4);
	ck_assert_int_eq(drift_maps_met(map_history_setup(&history, &now), &now, PAGE, &met), 0);
	ck_assert(maps_met_valid(&met));
	ck_assert_uint_eq(met.maps.count, 1);
	ck_assert_uint_eq(met.logs.count, 5);
	with_log(&now, "kernel 1", 0x9001, 4);
	ck_assert_int_eq(drift_met_now(&now, PAGE, &of_now), 0);
	maps_met_odds(&met, &held, 1, &of_now, &odds);
	ck_assert(odds.log && odds.log_missed);
	ck_assert_uint_eq(odds.boots, 11);
	ck_assert_uint_eq(odds.same, 11);
	ck_assert_uint_eq(odds.fitting, 11);
	/* Nine with kernel 1, but for the one that hibernated; three on the image's pages. */
	ck_assert_uint_eq(odds.log_boots, 9);
	ck_assert_uint_eq(odds.log_fitting, 6);
	maps_met_free(&met);
	ck_assert_uint_eq(drift_other_files(map_history_setup(&history, &now), &now, &moved), 1);
	ck_assert_uint_eq(moved, 1);
	with_log(&now, "kernel 1", 0x8000, 4);
	ck_assert_uint_eq(drift_other_files(map_history_setup(&history, &now), &now, &moved), 1);
	ck_assert_uint_eq(moved, 0);
	with_log(&now, "kernel 3", 0x8ffe, 4);
	ck_assert_uint_eq(drift_other_files(map_history_setup(&history, &now), &now, &moved), 2);
	ck_assert_uint_eq(moved, 1);
	ck_assert_uint_eq(drift_other_files(NULL, &now, &moved), 0);
	ck_assert_uint_eq(moved, 0);
}
END_TEST

static void name_loader(size_t map, const char *loader)
{
	text_copy(history.setups.items[0].maps.items[map].loader, BOOT_LOADER_MAX, loader);
}

static const char *other_loader(uint64_t frame, const char **ret_own)
{
	struct frame_range range = { frame, 1 };
	const struct frame_list frames = { &range, 1 };

	*ret_own = NULL;
	return drift_other_loader(map_history_setup(&history, &now), &now, PAGE, &frames, ret_own);
}

/* Named only if each boot that is known speaks for it. */
START_TEST(test_other_loader)
{
	const char *own;

	boot_with(0x10000, 1, 1, &now);
	ck_assert_ptr_null(other_loader(0x12000, &own));
	count_boots(0x10000, 1, 5);
	count_boots(0x12000, 1, 2);
	count_boots(0x12000, 2, 1);
	count_boots(0x13000, 1, 1);
	ck_assert_ptr_null(other_loader(0x12000, &own));
	name_loader(0, "systemd-boot 257");
	name_loader(1, "GRUB 2.12");
	ck_assert_ptr_null(other_loader(0x12000, &own)); /* of one map unknown */
	name_loader(2, "GRUB 2.12");
	ck_assert_str_eq(other_loader(0x12000, &own), "GRUB 2.12");
	ck_assert_str_eq(own, "systemd-boot 257");
	ck_assert_ptr_null(other_loader(0x13000, &own));
	ck_assert_ptr_null(own);
	ck_assert_ptr_null(other_loader(0x14000, &own)); /* nothing took it */
	name_loader(2, "GRUB 2.13");
	ck_assert_ptr_null(other_loader(0x12000, &own));
	name_loader(2, "systemd-boot 257");
	ck_assert_ptr_null(other_loader(0x12001, &own));
	name_loader(2, HISTORY_LOADERS);
	ck_assert_ptr_null(other_loader(0x12001, &own));
	name_loader(2, "GRUB 2.12");
	name_loader(0, HISTORY_LOADERS);
	ck_assert_ptr_null(other_loader(0x12001, &own));
	name_loader(0, "");
	ck_assert_ptr_null(other_loader(0x12001, &own));
}
END_TEST

/* A map whose frames do not fit is left out as a whole: it must not seem to fit. */
START_TEST(test_maps_met_limit)
{
	struct boot_memory boot;
	struct maps_met met;

	made_boot("0x0 0x1ffffffff System RAM\n", 1, &now);
	made_boot("0x0 0xffff System RAM\n", 1, &boot);
	/* More entries than a map may have when it is read, but frames are what counts here. */
	for (uint64_t i = 0; i <= MAPS_MET_FRAMES_MAX; i++) {
		struct memory_entry entry = { (0x100 + 2 * i) * PAGE, (0x101 + 2 * i) * PAGE - 1,
					      MEMORY_RAM, 0 };

		ck_assert_int_eq(list_append(&boot.map.entries, entry), 0);
		boot.map.table_count++;
	}
	boot.memory = now.memory;
	ck_assert_int_eq(map_history_count(&history, &boot, BOOT_STARTED), 0);
	ck_assert_int_eq(map_history_count(&history, &now, BOOT_STARTED), 0);
	ck_assert_int_eq(drift_maps_met(map_history_setup(&history, &now), &now, PAGE, &met), 0);
	ck_assert_uint_eq(met.maps.count, 1);
	ck_assert_uint_eq(met.maps.items[0].own, 1);
	ck_assert_uint_eq(met.frames.count, 0);
	maps_met_free(&met);
	boot_memory_free(&boot);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tests = test_case(suite, "drift");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, test_nothing);
	tcase_add_test(tests, test_two_places);
	tcase_add_test(tests, test_margin);
	tcase_add_test(tests, test_limit);
	tcase_add_test(tests, test_lost);
	tcase_add_test(tests, test_overlap);
	tcase_add_test(tests, test_tables_moved);
	tcase_add_test(tests, test_other_firmware);
	tcase_add_test(tests, test_log);
	tcase_add_loop_test(tests, test_log_sizes, 0, 6);
	tcase_add_test(tests, test_log_places);
	tcase_add_test(tests, test_other_boot_files);
	tcase_add_loop_test(tests, test_forum, 0, 2);
	tcase_add_test(tests, test_boots_taking);
	tcase_add_test(tests, test_partial_pages);
	tcase_add_test(tests, test_maps_met);
	tcase_add_test(tests, test_logs_met);
	tcase_add_test(tests, test_other_loader);
	tcase_add_test(tests, test_maps_met_limit);
}
