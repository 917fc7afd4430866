/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory maps that an image carries: what they say of the odds that it fits. */
#include "platform/memory/memory_map.h"
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "platform/memory/maps_met.h"
#include "platform/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct maps_met met;
static struct met_odds odds;

/* A map whose digest consists of one byte. */
static void add_map(unsigned char digest, uint64_t boots)
{
	struct map_met map = { .boots = boots, .last = 1700000000 };

	memset(map.digest, digest, sizeof(map.digest));
	ck_assert_int_eq(list_append(&met.maps, map), 0);
	met.maps.known = true;
}

static void add_frames(uint32_t map, uint64_t first, uint64_t count)
{
	struct met_frames frames = { .map = map, .first = first, .count = count };

	ck_assert_int_eq(list_append(&met.frames, frames), 0);
	met.frames.known = true;
}

/* A place of the log with boot files whose digest consists of one byte. */
static void add_log(unsigned char files, uint64_t first, uint64_t boots)
{
	struct met_log log = { .boots = boots, .last = 1700000000, .first = first, .count = 4 };

	memset(log.files, files, sizeof(log.files));
	ck_assert_int_eq(list_append(&met.logs, log), 0);
	met.logs.known = true;
}

/* Nine boots with the map of the image's own, one and two with others. */
static void setup(void)
{
	ck_assert_int_eq(crypto_init(NULL), 0);
	add_map('o', 9);
	met.maps.items[0].own = 1;
	add_map('a', 2);
	add_map('b', 1);
	add_frames(1, 100, 13);
	add_frames(2, 90, 3);
	add_frames(2, 1000, 1);
}

static void teardown(void)
{
	maps_met_free(&met);
	ck_assert_ptr_null(met.maps.items);
	ck_assert_ptr_null(met.frames.items);
	ck_assert_ptr_null(met.logs.items);
	ck_assert(!met.maps.known && !met.frames.known && !met.logs.known);
}

static void ask(const struct frame_range *ranges, size_t count, unsigned char digest)
{
	struct met_now now = { 0 };

	memset(now.digest, digest, sizeof(now.digest));
	maps_met_odds(&met, ranges, count, &now, &odds);
	ck_assert(!odds.log && !odds.log_missed);
	ck_assert_uint_eq(odds.log_boots, 0);
}

/* Of an image with page frames 500 to 502, at a boot with the log at that frame. */
static void ask_of_log(unsigned char files, uint64_t first)
{
	const struct frame_range range = { 500, 3 };
	struct met_now now = { .log = { first, 4 } };

	memset(now.digest, 'a', sizeof(now.digest));
	memset(now.files, files, sizeof(now.files));
	ck_assert(maps_met_valid(&met));
	maps_met_odds(&met, &range, 1, &now, &odds);
	ck_assert(odds.log);
	/* It counts as RAM in the maps. */
	ck_assert_uint_eq(odds.boots, 11);
	ck_assert_uint_eq(odds.fitting, 11);
	ck_assert_uint_eq(odds.same, 2);
}

/* Of which frames the image has a page, and at how many boots it fits, but for the one that made
 * it. */
static const struct {
	struct frame_range ranges[3];
	size_t count;
	uint64_t fitting;
} images[] = {
	{ { { 0, 0 } }, 0, 11 },
	{ { { 0, 90 } }, 1, 11 },
	{ { { 0, 91 } }, 1, 10 },
	{ { { 92, 1 } }, 1, 10 },
	{ { { 93, 7 } }, 1, 11 },
	{ { { 93, 8 } }, 1, 9 },
	{ { { 112, 1 } }, 1, 9 },
	{ { { 113, 887 } }, 1, 11 },
	{ { { 10, 5 }, { 113, 5 }, { 1000, 1 } }, 3, 10 },
	{ { { 10, 5 }, { 111, 5 }, { 1000, 1 } }, 3, 8 },
	{ { { 0, UINT64_MAX } }, 1, 8 },
};

START_TEST(at_how_many_boots_it_fits)
{
	ck_assert(maps_met_valid(&met));
	ask(images[_i].ranges, images[_i].count, 'x');
	ck_assert_uint_eq(odds.boots, 11);
	ck_assert_uint_eq(odds.fitting, images[_i].fitting);
	ck_assert_uint_eq(odds.same, 0);
}
END_TEST

START_TEST(how_often_this_map_was_there)
{
	ask(NULL, 0, 'a');
	ck_assert_uint_eq(odds.same, 2);
	ask(NULL, 0, 'o');
	ck_assert_uint_eq(odds.same, 8);
	/* The same map twice: the tables were elsewhere. */
	add_map('a', 5);
	ask(NULL, 0, 'a');
	ck_assert_uint_eq(odds.same, 7);
	ck_assert_uint_eq(odds.boots, 16);
}
END_TEST

START_TEST(moved_tables_never_fit)
{
	static const struct frame_range ranges[] = { { 92, 1 } };

	met.maps.items[1].tables_moved = 1;
	ask(NULL, 0, 'x');
	ck_assert_uint_eq(odds.fitting, 9);
	/* The frames of the map after it still count. */
	ask(ranges, 1, 'x');
	ck_assert_uint_eq(odds.fitting, 8);
	ck_assert_uint_eq(odds.boots, 11);
}
END_TEST

/* With the same boot files it slides; where others have put it says nothing. */
START_TEST(the_event_log)
{
	add_log('k', 600, 4);
	met.logs.items[0].own = 1;
	add_log('k', 502, 2); /* with one frame on the image's last */
	add_log('k', 503, 1);
	add_log('k', 496, 5);
	add_log('l', 499, 7);
	ask_of_log('k', 499);
	ck_assert(odds.log_missed);
	ck_assert_uint_eq(odds.log_boots, 11);
	ck_assert_uint_eq(odds.log_fitting, 9);
	ask_of_log('k', 496);
	ck_assert(!odds.log_missed);
	ck_assert_uint_eq(odds.log_fitting, 9);
	ask_of_log('l', 497);
	ck_assert(odds.log_missed);
	ck_assert_uint_eq(odds.log_boots, 7);
	ck_assert_uint_eq(odds.log_fitting, 0);
	ask_of_log('m', 600);
	ck_assert(!odds.log_missed);
	ck_assert_uint_eq(odds.log_boots, 0);
}
END_TEST

/* The map always fits. By hand: the chance is 12/13 times that of the log, or with a log that
 * does not miss 12/14 times (fitting + 2) / (boots + 3). */
static const struct {
	bool missed;
	uint64_t boots, fitting;
	uint32_t worth;
} logs[] = {
	{ false, 0, 0, 4 },  /* 12/14 * 2/3 = 0.57 */
	{ false, 9, 9, 2 },  /* 12/14 * 11/12 = 0.79 */
	{ false, 9, 0, 20 }, /* 12/14 * 2/12 = 0.143 */
	{ true, 0, 0, 1 },   /* nothing is known of these boot files */
	{ true, 2, 2, 1 },   /* too few boots */
	{ true, 9, 0, 1 },   /* it never fitted */
	{ true, 9, 9, 3 },   /* 12/13 * 10/12 = 0.77 */
	{ true, 9, 5, 5 },   /* 12/13 * 6/12 = 0.46 */
	{ true, 9, 1, 18 },  /* 12/13 * 2/12 = 0.154 */
};

START_TEST(worth_with_an_event_log)
{
	const struct met_odds given = {
		.boots = 11,
		.fitting = 11,
		.log = true,
		.log_missed = logs[_i].missed,
		.log_boots = logs[_i].boots,
		.log_fitting = logs[_i].fitting,
	};
	const struct met_odds of_maps = { .boots = 11, .fitting = 11 };

	ck_assert_uint_eq(maps_met_worth(&given, 1), logs[_i].worth);
	ck_assert_uint_eq(maps_met_worth(&of_maps, 1), 2);
}
END_TEST

START_TEST(refuses_logs_that_are_not_valid)
{
	add_log('k', 500, 1);
	add_log('k', 600, UINT64_MAX - 1);
	met.logs.items[1].count = UINT64_MAX - 600;
	met.logs.items[1].own = 1;
	ck_assert(maps_met_valid(&met));
	switch (_i) {
	case 0:
		met.logs.items[0].count = 0;
		break;
	case 1:
		met.logs.items[1].count++;
		break;
	case 2:
		met.logs.items[0].boots = 2;
		break;
	case 3:
		met.logs.items[0].own = 1;
		break;
	default:
		while (met.logs.count < MAPS_MET_LOGS_MAX)
			add_log('l', 700, 0);
		ck_assert(maps_met_valid(&met));
		add_log('l', 700, 0);
		break;
	}
	ck_assert(!maps_met_valid(&met));
}
END_TEST

START_TEST(nothing_known)
{
	static const struct frame_range ranges[] = { { 0, 1000 } };

	maps_met_free(&met);
	ck_assert(maps_met_valid(&met));
	ask(ranges, 1, 'x');
	ck_assert_uint_eq(odds.boots, 0);
	ck_assert_uint_eq(odds.fitting, 0);
	ck_assert_uint_eq(odds.same, 0);
}
END_TEST

static const struct {
	uint64_t boots, fitting;
	uint32_t least, worth;
} worths[] = {
	{ 0, 0, 2, 2 },
	{ 11, 0, 2, 2 },
	{ 11, 0, 0, 0 },
	{ 1, 1, 0, 0 },
	{ 1, 1, 7, 7 },
	{ 2, 2, 2, 2 },
	{ 3, 3, 0, 3 },
	{ 3, 1, 2, 8 },
	{ 4, 4, 0, 3 },
	{ 99, 99, 0, 1 },
	{ 99, 99, 2, 2 },
	{ 11, 9, 2, 3 },
	{ 11, 6, 2, 5 },
	{ 10, 7, 0, 4 },
	{ 10, 1, 2, 18 },
	{ UINT64_MAX, UINT64_MAX, 0, 1 },
	/* 14 of 100 is what 20 boots are too few for. */
	{ 105, 15, 2, 19 },
	{ 105, 14, 2, 2 },
	{ 11, 1, 2, 20 },
	{ 12, 1, 2, 2 },
	{ 99, 1, 2, 2 },
	{ 99, 1, 30, 30 },
	{ UINT64_MAX, 1, 0, 0 },
};

START_TEST(how_long_it_is_worth_keeping)
{
	const struct met_odds given = { .boots = worths[_i].boots, .fitting = worths[_i].fitting };

	ck_assert_uint_eq(maps_met_worth(&given, worths[_i].least), worths[_i].worth);
}
END_TEST

START_TEST(refuses_what_is_not_valid)
{
	switch (_i) {
	case 0:
		met.frames.items[2].map = 3;
		break;
	case 1:
		met.frames.items[2].map = 0;
		break;
	case 2:
		met.frames.items[1].count = 0;
		break;
	case 3:
		met.frames.items[1].count = 911; /* overlaps the next */
		break;
	case 4:
		met.frames.items[2].count = UINT64_MAX - 999;
		break;
	case 5:
		met.frames.items[2].first = 80;
		break;
	case 6:
		met.maps.items[2].own = 1;
		break;
	case 7:
		met.maps.items[2].boots = UINT64_MAX - 10;
		break;
	case 8:
		while (met.maps.count <= MAPS_MET_MAX)
			add_map('y', 1);
		break;
	default:
		while (met.frames.count <= MAPS_MET_FRAMES_MAX)
			add_frames(2, 2000 + 2 * met.frames.count, 1);
		break;
	}
	ck_assert(!maps_met_valid(&met));
}
END_TEST

START_TEST(accepts_the_limits)
{
	met.frames.items[1].count = 910; /* touches the next */
	met.frames.items[2].count = UINT64_MAX - 1000;
	ck_assert(maps_met_valid(&met));
	met.frames.items[2].count = 1;
	met.maps.items[2].boots = UINT64_MAX - 11;
	while (met.maps.count < MAPS_MET_MAX)
		add_map('y', 0);
	while (met.frames.count < MAPS_MET_FRAMES_MAX)
		add_frames(2, 2000 + 2 * met.frames.count, 1);
	ck_assert(maps_met_valid(&met));
	ask(NULL, 0, 'o');
	ck_assert_uint_eq(odds.boots, UINT64_MAX - 1);
}
END_TEST

/* By hand: sha256sum of the bytes. Without what was hot-plugged. */
START_TEST(digest_of_a_map)
{
	static const char text[] = "0x0 0x9ffff System RAM\n0xa0000 0xfffff Reserved\n";
	static const char plugged[] = "0x100000000 0x1ffffffff System RAM\n";
	unsigned char bytes[40] = { 0 }, expected[SHA256_SIZE], digest[SHA256_SIZE];
	struct memory_map map = { 0 }, more = { 0 };
	char longer[200];

	put_le64(bytes + 8, 0x9ffff);
	put_le32(bytes + 16, 1);
	put_le64(bytes + 20, 0xa0000);
	put_le64(bytes + 28, 0xfffff);
	put_le32(bytes + 36, 2);
	ck_assert_int_eq(crypto_sha256(bytes, sizeof(bytes), expected), 0);
	ck_assert_int_eq(memory_map_parse(text, &map), 0);
	ck_assert_int_eq(memory_map_digest(&map, digest), 0);
	ck_assert_mem_eq(digest, expected, SHA256_SIZE);
	snprintf(longer, sizeof(longer), "%s%s", text, plugged);
	ck_assert_int_eq(memory_map_parse(longer, &more), 0);
	ck_assert_int_eq(memory_map_digest(&more, digest), 0);
	ck_assert_mem_ne(digest, expected, SHA256_SIZE);
	more.table_count = 2;
	ck_assert_int_eq(memory_map_digest(&more, digest), 0);
	ck_assert_mem_eq(digest, expected, SHA256_SIZE);
	more.table_count = 4;
	ck_assert_int_eq(memory_map_digest(&more, digest), -EINVAL);
	map.entries.items[1].type = MEMORY_ACPI;
	ck_assert_int_eq(memory_map_digest(&map, digest), 0);
	ck_assert_mem_ne(digest, expected, SHA256_SIZE);
	memory_map_free(&map);
	memory_map_free(&more);
}
END_TEST

/* In the image: records 27 to 29 of the platform section. */
START_TEST(survives_a_round_trip)
{
	struct platform platform = { 0 }, copy;
	unsigned char *bytes;
	size_t length;
	struct why w = { "" };

	met.maps.items[1].tables_moved = 1;
	add_log('k', 500, 3);
	met.logs.items[0].own = 1;
	platform.met = met;
	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	platform.met = (struct maps_met){ 0 };
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	free(bytes);
	ck_assert(copy.met.maps.known && copy.met.frames.known);
	ck_assert_uint_eq(copy.met.maps.count, met.maps.count);
	ck_assert_uint_eq(copy.met.frames.count, met.frames.count);
	for (size_t i = 0; i < met.maps.count; i++) {
		const struct map_met *a = &met.maps.items[i], *b = &copy.met.maps.items[i];

		ck_assert_mem_eq(a->digest, b->digest, SHA256_SIZE);
		ck_assert_uint_eq(a->boots, b->boots);
		ck_assert_uint_eq(a->last, b->last);
		ck_assert_uint_eq(a->tables_moved, b->tables_moved);
		ck_assert_uint_eq(a->own, b->own);
	}
	for (size_t i = 0; i < met.frames.count; i++) {
		ck_assert_uint_eq(met.frames.items[i].map, copy.met.frames.items[i].map);
		ck_assert_uint_eq(met.frames.items[i].first, copy.met.frames.items[i].first);
		ck_assert_uint_eq(met.frames.items[i].count, copy.met.frames.items[i].count);
	}
	ck_assert(copy.met.logs.known);
	ck_assert_uint_eq(copy.met.logs.count, 1);
	ck_assert_mem_eq(copy.met.logs.items[0].files, met.logs.items[0].files, SHA256_SIZE);
	ck_assert_uint_eq(copy.met.logs.items[0].boots, 3);
	ck_assert_uint_eq(copy.met.logs.items[0].last, 1700000000);
	ck_assert_uint_eq(copy.met.logs.items[0].first, 500);
	ck_assert_uint_eq(copy.met.logs.items[0].count, 4);
	ck_assert_uint_eq(copy.met.logs.items[0].own, 1);
	platform_free(&copy);
	ck_assert_ptr_null(copy.met.logs.items);
	ck_assert_ptr_null(copy.met.maps.items);
	ck_assert_ptr_null(copy.met.frames.items);
}
END_TEST

START_TEST(an_image_with_bad_ones_is_damaged)
{
	struct platform platform = { 0 }, copy;
	unsigned char *bytes;
	size_t length;
	struct why w = { "" };

	met.frames.items[1].map = 9;
	platform.met = met;
	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	ck_assert_int_eq(platform_decode(bytes, length, &copy, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "memory maps that were met"));
	free(bytes);
	/* What is not known is in no record, as in an older image. */
	platform.met.maps.known = platform.met.frames.known = false;
	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	ck_assert_uint_eq(copy.met.maps.count, 0);
	ck_assert(!copy.met.maps.known && !copy.met.frames.known);
	platform_free(&copy);
	free(bytes);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "maps met");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, at_how_many_boots_it_fits, 0, (int)ARRAY_SIZE(images));
	tcase_add_test(tcase, how_often_this_map_was_there);
	tcase_add_test(tcase, moved_tables_never_fit);
	tcase_add_test(tcase, the_event_log);
	tcase_add_loop_test(tcase, worth_with_an_event_log, 0, (int)ARRAY_SIZE(logs));
	tcase_add_loop_test(tcase, refuses_logs_that_are_not_valid, 0, 5);
	tcase_add_test(tcase, nothing_known);
	tcase_add_loop_test(tcase, how_long_it_is_worth_keeping, 0, (int)ARRAY_SIZE(worths));
	tcase_add_loop_test(tcase, refuses_what_is_not_valid, 0, 10);
	tcase_add_test(tcase, accepts_the_limits);
	tcase_add_test(tcase, digest_of_a_map);
	tcase_add_test(tcase, survives_a_round_trip);
	tcase_add_test(tcase, an_image_with_bad_ones_is_damaged);
}
