/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which page frames are RAM: of lists that end where they say, and in pages of each size. */
#include "fixtures/check_main.h"

#include "verdict/verdict_private.h"

#include <stdlib.h>

#define KIB UINT64_C(1024)

static struct frame_list frames;

static void check_frames(const struct platform *platform, uint64_t page_size, uint64_t first,
			 uint64_t count)
{
	frames = (struct frame_list){ 0 };
	ck_assert_int_eq(verdict_ram_frames(platform, page_size, &frames), 0);
	ck_assert_uint_eq(frames.count, 1);
	ck_assert_uint_eq(frames.items[0].first, first);
	ck_assert_uint_eq(frames.items[0].count, count);
	free(frames.items);
}

/* After the end of each list lies an item that would count. */
START_TEST(lists_end)
{
	struct byte_range used[] = { { 64 * KIB, 128 * KIB - 1 }, { 256 * KIB, 512 * KIB - 1 } };
	struct byte_range offline[] = { { 96 * KIB, 112 * KIB - 1 }, { 64 * KIB, 80 * KIB - 1 } };
	struct memory_entry entries[] = {
		{ .start = 64 * KIB, .end = 128 * KIB - 1, .type = MEMORY_RAM },
		{ .start = 112 * KIB, .end = 128 * KIB - 1, .type = MEMORY_RESERVED },
		{ .start = 64 * KIB, .end = 80 * KIB - 1, .type = MEMORY_RESERVED },
		{ .start = 256 * KIB, .end = 512 * KIB - 1, .type = MEMORY_RAM },
	};
	struct platform platform = { 0 };

	platform.ram.used.items = used;
	platform.ram.used.count = 1;
	platform.ram.used.known = true;
	check_frames(&platform, 4 * KIB, 16, 16);
	platform.map.entries.items = entries;
	platform.map.entries.count = 2;
	platform.map.entries.known = true;
	check_frames(&platform, 4 * KIB, 16, 12);
	platform.ram.offline.items = offline;
	platform.ram.offline.count = 1;
	check_frames(&platform, 4 * KIB, 16, 8);
	platform.ram.used.known = false;
	check_frames(&platform, 4 * KIB, 16, 8);
	entries[2] = entries[3];
	check_frames(&platform, 4 * KIB, 16, 8);
}
END_TEST

/* arm64 has pages of each of these sizes: a page that is RAM in part is none. */
START_TEST(parts_of_pages_do_not_count)
{
	struct byte_range used[] = { { 60 * KIB, 270 * KIB - 1 } };
	struct memory_entry entries[] = {
		{ .start = 200 * KIB, .end = 204 * KIB - 1, .type = MEMORY_RESERVED },
	};
	struct platform platform = { 0 };

	platform.ram.used.items = used;
	platform.ram.used.count = 1;
	platform.ram.used.known = true;
	check_frames(&platform, 4 * KIB, 15, 52);
	check_frames(&platform, 16 * KIB, 4, 12);
	check_frames(&platform, 64 * KIB, 1, 3);
	platform.map.entries.items = entries;
	platform.map.entries.count = 1;
	check_frames(&platform, 64 * KIB, 1, 2);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "frames");

	tcase_add_test(test, lists_end);
	tcase_add_test(test, parts_of_pages_do_not_count);
}
