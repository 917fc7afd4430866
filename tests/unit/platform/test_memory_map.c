/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/memory_map, e820, map_diff and frames. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/made_data.h"
#include "platform/memory/memory_map.h"
#include "platform/memory/e820.h"
#include "platform/memory/map_diff.h"
#include "platform/memory/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_MD5 0x23456789abcdef01
#define MAGIC_CRC32 0x23456789abcdef02

static char *read_map_text(const char *name)
{
	char path[300], *text;

	snprintf(path, sizeof(path), "/memory-maps/%s", name);
	ck_assert_int_eq(io_read_file(test_data(), path, 1 << 20, &text, NULL), 0);
	return text;
}

static struct memory_map read_map(const char *name)
{
	_cleanup_free_ char *text = read_map_text(name);
	struct memory_map map = { 0 };

	ck_assert_msg(memory_map_parse(text, &map) == 0, "%s", name);
	return map;
}

static struct memory_map make_map(const char *text)
{
	struct memory_map map = { 0 };

	ck_assert_int_eq(memory_map_parse(text, &map), 0);
	return map;
}

static const char *const with_checksum[] = { "qemu-seabios-a.map", "qemu-seabios-b.map",
					     "qemu-hole-10000000.map", "qemu-hole-0e000000.map" };

/* What a kernel stored for the map, from the comment in the file. */
static uint64_t known_checksum(const char *name)
{
	_cleanup_free_ char *text = read_map_text(name);
	const char *at = strstr(text, "e820_checksum): ");

	ck_assert_ptr_nonnull(at);
	return strtoull(at + strlen("e820_checksum): "), NULL, 16);
}

START_TEST(parses_lines)
{
	static const char *const wrong[] = { "0x0 0xfff", "0x0", "x 0xfff System RAM",
					     "0x0 y System RAM", "0x1000 0xfff System RAM" };
	struct memory_map map = make_map("# of a boot\n\n0x0 0x9ffff System RAM # low\n"
					 " 0x100000\t0x1fffff  of a vendor\n");

	ck_assert(map.entries.known);
	ck_assert_uint_eq(map.entries.count, 2);
	ck_assert_uint_eq(map.table_count, 2);
	ck_assert_uint_eq(map.entries.items[0].end, 0x9ffff);
	ck_assert_uint_eq(map.entries.items[0].type, MEMORY_RAM);
	ck_assert_uint_eq(map.entries.items[1].start, 0x100000);
	ck_assert_uint_eq(map.entries.items[1].type, MEMORY_VENDOR_20);
	ck_assert_uint_eq(map.entries.items[1].unknown, 1);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_int_eq(memory_map_parse(wrong[i], &map), -EINVAL);
	ck_assert_uint_eq(map.entries.count, 2);
	memory_map_free(&map);
}
END_TEST

START_TEST(parses_no_more_than_fit)
{
	struct memory_map map = { 0 };
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	for (unsigned int i = 0; i < MEMORY_MAP_MAX; i++)
		fputs("0x0 0xfff Reserved\n", file);
	fflush(file);
	ck_assert_int_eq(memory_map_parse(text, &map), 0);
	ck_assert_uint_eq(map.entries.count, MEMORY_MAP_MAX);
	memory_map_free(&map);
	fputs("0x0 0xfff Reserved\n", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(memory_map_parse(text, &map), -EINVAL);
	free(text);
}
END_TEST

START_TEST(computes_what_kernels_stored)
{
	struct memory_map map = read_map(with_checksum[_i]);
	unsigned char sum[E820_CHECKSUM_MAX];
	uint32_t state = CALIBRATION_NOT_TRIED;

	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &map, sum), 0);
	ck_assert_uint_eq(get_le64(sum), known_checksum(with_checksum[_i]));
	ck_assert_int_eq(e820_calibrate(&map, MAGIC_CRC32, sum, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_MATCHED);
	memory_map_free(&map);
}
END_TEST

START_TEST(knows_both_generations)
{
	struct memory_map map = make_map("0x1000 0x9ffff System RAM\n0xf0000 0xfffff Reserved\n");
	unsigned char a[E820_CHECKSUM_MAX], table[4 + 40] = { 2 };
	unsigned char md5[MD5_SIZE];
	uint32_t crc;

	put_le64(table + 4, 0x1000);
	put_le64(table + 12, 0x9f000);
	put_le32(table + 20, 1);
	put_le64(table + 24, 0xf0000);
	put_le64(table + 32, 0x10000);
	put_le32(table + 40, 2);
	ck_assert_int_eq(crypto_md5(table, sizeof(table), md5), 0);
	ck_assert_int_eq(e820_checksum(E820_CHECK_MD5, &map, a), 0);
	ck_assert_mem_eq(a, md5, sizeof(md5));
	ck_assert_int_eq(crypto_crc32(table, sizeof(table), &crc), 0);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &map, a), 0);
	ck_assert_uint_eq(get_le64(a), crc);
	ck_assert_int_eq(e820_checksum(E820_CHECK_UNKNOWN, &map, a), -EINVAL);
	memory_map_free(&map);
}
END_TEST

/* A kernel's map with a type that sysfs cannot name, followed by two hot-plugged entries. */
START_TEST(calibrates_types_and_hotplug)
{
	static const char text[] = "0x0 0x9fbff System RAM\n0x100000 0x1ffdbfff System RAM\n"
				   "0x1ffdc000 0x1fffffff Unknown E820 type\n"
				   "0xffe00000 0xffffffff Reserved\n"
				   "0x100000000 0x13fffffff System RAM\n";
	struct memory_map table = make_map(text), seen;
	unsigned char sum[E820_CHECKSUM_MAX];
	char more[sizeof(text) + 128];
	uint32_t state;

	snprintf(more, sizeof(more), "%s%s", text,
		 "0x140000000 0x147ffffff System RAM\n0x148000000 0x14fffffff System RAM\n");
	seen = make_map(more);
	table.entries.items[2].type = (uint32_t)_i;
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &table, sum), 0);
	ck_assert_int_eq(e820_calibrate(&seen, MAGIC_CRC32, sum, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_MATCHED);
	ck_assert_uint_eq(seen.table_count, 5);
	ck_assert_uint_eq(seen.entries.items[2].type, (uint32_t)_i);
	sum[0] ^= 1;
	ck_assert_int_eq(e820_calibrate(&seen, MAGIC_CRC32, sum, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_FAILED);
	ck_assert_uint_eq(seen.table_count, 5);
	ck_assert_uint_eq(seen.entries.items[2].type, (uint32_t)_i);
	memory_map_free(&table);
	memory_map_free(&seen);
}
END_TEST

/* Two vendor types, and one beyond all guesses: the boot loader's list names them. */
START_TEST(computes_with_known_types)
{
	static const char text[] = "0x0 0x9ffff System RAM\n0x100000 0x1fffff Unknown E820 type\n"
				   "0x200000 0x2fffff Unknown E820 type\n";
	static const uint32_t types[] = { MEMORY_RAM, 13, 0x4000 };
	struct memory_map table = make_map(text), seen = make_map(text);
	unsigned char page[4096] = { [0x1e8] = 3 }, sum[E820_CHECKSUM_MAX];
	uint32_t state;

	for (size_t i = 0; i < 3; i++) {
		struct memory_entry *entry = &table.entries.items[i];
		unsigned char *at = page + 0x2d0 + 20 * i;

		entry->type = types[i];
		put_le64(at, entry->start);
		put_le64(at + 8, entry->end - entry->start + 1);
		put_le32(at + 16, types[i]);
	}
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &table, sum), 0);
	ck_assert_int_eq(e820_calibrate(&seen, MAGIC_CRC32, sum, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_FAILED);
	e820_apply_boot_params(&seen, page, sizeof(page));
	ck_assert_int_eq(e820_calibrate(&seen, MAGIC_CRC32, sum, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_MATCHED);
	ck_assert(memory_map_equal(&seen, &table));
	memory_map_free(&table);
	memory_map_free(&seen);
}
END_TEST

START_TEST(leaves_unknown_generations_alone)
{
	struct memory_map map = read_map("qemu-seabios-a.map");
	static const unsigned char none[E820_CHECKSUM_MAX];
	uint32_t state;

	ck_assert_int_eq(e820_calibrate(&map, 0x23456789abcdef03, none, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_UNKNOWN);
	ck_assert_int_eq(e820_calibrate(&map, MAGIC_MD5, none, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_UNCHECKED);
	ck_assert_int_eq(e820_calibrate(&map, MAGIC_CRC32, none, &state), 0);
	ck_assert_uint_eq(state, CALIBRATION_FAILED);
	memory_map_free(&map);
}
END_TEST

START_TEST(reads_boot_params)
{
	struct memory_map map =
		make_map("0x0 0x9ffff System RAM\n0x100000 0x1fffff Unknown E820 type\n"
			 "0x100000000 0x107ffffff System RAM\n");
	unsigned char page[4096] = { 0 }, *at = page + 0x2d0;

	page[0x1e8] = 2;
	put_le64(at + 8, 0xa0000);
	put_le32(at + 16, 1);
	put_le64(at + 20, 0x100000);
	put_le64(at + 28, 0x100000);
	put_le32(at + 36, 13);
	for (size_t length = 0; length < 0x2d0 + 40; length++)
		e820_apply_boot_params(&map, page, length);
	ck_assert_uint_eq(map.table_count, 3);
	e820_apply_boot_params(&map, page, sizeof(page));
	ck_assert_uint_eq(map.table_count, 2);
	ck_assert_uint_eq(map.entries.items[1].type, 13);
	ck_assert_uint_eq(map.entries.items[1].unknown, 0);
	page[0x1e8] = 255;
	e820_apply_boot_params(&map, page, sizeof(page));
	memory_map_free(&map);
}
END_TEST

/* A module that was present at boot comes first in sysfs; no firmware list contains it. */
START_TEST(leaves_out_memory_plugged_at_boot)
{
	struct memory_map map =
		make_map("0x100000000 0x107ffffff System RAM\n0x0 0x9ffff System RAM\n"
			 "0x100000 0x1fffff Reserved\n0x108000000 0x10fffffff System RAM\n");
	unsigned char page[4096] = { 0 }, *at = page + 0x2d0;

	page[0x1e8] = 2;
	put_le64(at + 8, 0xa0000);
	put_le32(at + 16, 1);
	put_le64(at + 20, 0x100000);
	put_le64(at + 28, 0x100000);
	put_le32(at + 36, 2);
	/* Twice: the second time finds them where the first put them. */
	for (int i = 0; i < 2; i++) {
		e820_apply_boot_params(&map, page, sizeof(page));
		ck_assert_uint_eq(map.table_count, 2);
		ck_assert_uint_eq(map.entries.count, 4);
		ck_assert_uint_eq(map.entries.items[0].start, 0);
		ck_assert_uint_eq(map.entries.items[1].start, 0x100000);
		ck_assert_uint_eq(map.entries.items[2].start, 0x100000000);
		ck_assert_uint_eq(map.entries.items[3].start, 0x108000000);
	}
	memory_map_free(&map);
}
END_TEST

START_TEST(sees_a_region_move)
{
	struct memory_map then = read_map("forum-boot-1.map"), now = read_map("forum-boot-2.map");
	struct map_diff diff;

	ck_assert_int_eq(map_diff(&then, &now, &diff), 0);
	ck_assert_uint_eq(diff.change_count, 1);
	ck_assert_int_eq(diff.changes[0].kind, CHANGE_MOVED);
	ck_assert_uint_eq(then.entries.items[diff.changes[0].then].start, 0x7df0a000);
	ck_assert_uint_eq(now.entries.items[diff.changes[0].now].start, 0x7e38b000);
	ck_assert_uint_eq(diff.segment_count, 2);
	map_diff_free(&diff);
	memory_map_free(&then);
	memory_map_free(&now);
}
END_TEST

#define FRAME "0x0 0xfff System RAM\n0x1000 0x4fff Reserved\n0x5000 0x8fff System RAM\n"
static const struct {
	const char *then, *now;
	enum change_kind kind;
	size_t changes;
} pairs[] = {
	{ "0x0 0x8fff System RAM\n0x9000 0x9fff Reserved\n",
	  "0x0 0x7fff System RAM\n0x8000 0x9fff Reserved\n", CHANGE_GREW, 1 },
	{ "0x0 0x7fff System RAM\n0x8000 0x9fff Reserved\n",
	  "0x0 0x8fff System RAM\n0x9000 0x9fff Reserved\n", CHANGE_SHRANK, 1 },
	{ FRAME, "0x0 0x1fff System RAM\n0x2000 0x5fff Reserved\n0x6000 0x8fff System RAM\n",
	  CHANGE_MOVED, 1 },
	{ FRAME, "0x0 0x1fff System RAM\n0x2000 0x6fff Reserved\n0x7000 0x8fff System RAM\n",
	  CHANGE_RESIZED, 1 },
	{ FRAME,
	  "0x0 0xfff System RAM\n0x1000 0x1fff Reserved\n0x2000 0x3fff System RAM\n"
	  "0x4000 0x4fff Reserved\n0x5000 0x8fff System RAM\n",
	  CHANGE_SPLIT, 1 },
	{ FRAME,
	  "0x0 0xfff System RAM\n0x1000 0x4fff ACPI Non-volatile Storage\n"
	  "0x5000 0x8fff System RAM\n",
	  CHANGE_RETYPED, 1 },
	{ FRAME, "0x0 0x8fff System RAM\n", CHANGE_VANISHED, 1 },
	{ "0x0 0x8fff System RAM\n", FRAME, CHANGE_APPEARED, 1 },
	{ "0x0 0x8fff System RAM\n", "0x0 0x6fff System RAM\n", CHANGE_RAM_REMOVED, 1 },
	{ "0x0 0x6fff System RAM\n", "0x0 0x8fff System RAM\n", CHANGE_RAM_ADDED, 1 },
	{ FRAME, FRAME, CHANGE_MOVED, 0 },
	{ "0x0 0xffffffffffffffff Reserved\n", "0x0 0xfffffffffffffffe Reserved\n", CHANGE_SHRANK,
	  1 },
};

START_TEST(names_changes)
{
	struct memory_map then = make_map(pairs[_i].then), now = make_map(pairs[_i].now);
	struct map_diff diff;

	ck_assert_int_eq(map_diff(&then, &now, &diff), 0);
	ck_assert_uint_eq(diff.change_count, pairs[_i].changes);
	if (diff.change_count)
		ck_assert_int_eq(diff.changes[0].kind, pairs[_i].kind);
	map_diff_free(&diff);
	memory_map_free(&then);
	memory_map_free(&now);
}
END_TEST

START_TEST(counts_pages)
{
	static const struct frame_range ranges[] = { { 0, 1 }, { 10, 5 }, { 15, 1 }, { 100, 50 } };
	const size_t count = ARRAY_SIZE(ranges);
	static const struct frame_range wrapped[] = { { UINT64_MAX, 2 } },
					crossed[] = { { 5, 2 }, { 6, 1 } };

	ck_assert(frames_valid(ranges, count));
	ck_assert(!frames_valid(wrapped, 1) && !frames_valid(crossed, 2));
	ck_assert_uint_eq(frames_total(ranges, count), 57);
	for (uint64_t first = 0; first < 160; first++) {
		for (uint64_t last = first; last < 160; last++) {
			uint64_t expected = 0;

			for (uint64_t pfn = first; pfn <= last; pfn++)
				expected += pfn == 0 || (pfn >= 10 && pfn <= 15) ||
					    (pfn >= 100 && pfn < 150);
			ck_assert_uint_eq(frames_within(ranges, count, first, last), expected);
		}
	}
	ck_assert_uint_eq(frames_in_bytes(ranges, count, 4096, 0x9fff, 0xa000), 1);
	ck_assert_uint_eq(frames_in_bytes(ranges, count, 4096, 0, UINT64_MAX), 57);
}
END_TEST

/* Compared with a bitmap of frames. */
START_TEST(selects_frames)
{
	srand((unsigned int)_i + 1);
	for (int round = 0; round < 200; round++) {
		struct frame_list list[2] = { 0 }, both = { 0 }, only = { 0 };
		bool bits[2][96] = { 0 };

		for (size_t side = 0; side < 2; side++) {
			for (int i = rand() % 6; i > 0; i--) {
				uint64_t first = (uint64_t)(rand() % 80),
					 size = (uint64_t)(rand() % 15 + 1);

				ck_assert_int_eq(frames_append(&list[side], first, size), 0);
				memset(&bits[side][first], 1, size);
			}
			frames_normalize(&list[side]);
			ck_assert(frames_valid(list[side].items, list[side].count));
		}
		ck_assert_int_eq(frames_select(&list[0], &list[1], true, &both), 0);
		ck_assert_int_eq(frames_select(&list[0], &list[1], false, &only), 0);
		for (uint64_t pfn = 0; pfn < 96; pfn++) {
			ck_assert_uint_eq(frames_within(both.items, both.count, pfn, pfn),
					  bits[0][pfn] && bits[1][pfn]);
			ck_assert_uint_eq(frames_within(only.items, only.count, pfn, pfn),
					  bits[0][pfn] && !bits[1][pfn]);
		}
		free(list[0].items);
		free(list[1].items);
		free(both.items);
		free(only.items);
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "memory_map");

	crypto_init(NULL);
	tcase_add_test(tcase, parses_lines);
	tcase_add_test(tcase, parses_no_more_than_fit);
	tcase_add_loop_test(tcase, computes_what_kernels_stored, 0, (int)ARRAY_SIZE(with_checksum));
	tcase_add_test(tcase, knows_both_generations);
	tcase_add_loop_test(tcase, calibrates_types_and_hotplug, 6, 24);
	tcase_add_test(tcase, computes_with_known_types);
	tcase_add_test(tcase, leaves_unknown_generations_alone);
	tcase_add_test(tcase, reads_boot_params);
	tcase_add_test(tcase, leaves_out_memory_plugged_at_boot);
	tcase_add_test(tcase, sees_a_region_move);
	tcase_add_loop_test(tcase, names_changes, 0, (int)ARRAY_SIZE(pairs));
	tcase_add_test(tcase, counts_pages);
	tcase_add_loop_test(tcase, selects_frames, 0, 8);
}
