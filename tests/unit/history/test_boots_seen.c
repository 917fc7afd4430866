/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boots saw that found an image: as bytes, and counted in the history. */
#include "history/maps/boots_seen.h"

#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/recorded_boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 2048

static struct boots_seen seen, again;
static unsigned char bytes[SIZE];
static size_t length;

static void begin(void)
{
	seen = again = (struct boots_seen){ 0 };
	length = 0;
}

static void end(void)
{
	boots_seen_free(&seen);
	boots_seen_free(&again);
	ck_assert_ptr_null(seen.items.items);
}

static void add_recorded(const char *name, uint64_t time, enum boot_outcome outcome)
{
	struct boot_memory boot;

	recorded_boot(name, time, &boot);
	ck_assert_int_eq(boots_seen_add(&seen, &boot, outcome), 0);
	boot_memory_free(&boot);
}

/* entries entries, of which one is somewhere else for each place. */
static void add_made(unsigned int entries, unsigned int place, uint64_t time)
{
	char map[16384];
	size_t used = 0;
	struct boot_memory boot;

	for (unsigned int i = 0; i < entries; i++) {
		unsigned int start = i * 0x500000 + (i == entries / 2 ? place * 0x1000 : 0);

		used += (size_t)snprintf(map + used, sizeof(map) - used, "0x%x 0x%x %s\n", start,
					 start + 0x1000 * (i % 7 + 1) + i % 3 - 1,
					 i % 2 ? "Reserved" : "System RAM");
	}
	ck_assert_uint_lt(used, sizeof(map) - 1);
	made_boot(map, time, &boot);
	ck_assert_int_eq(boots_seen_add(&seen, &boot, BOOT_REFUSED), 0);
	boot_memory_free(&boot);
}

static void encode(size_t size)
{
	static unsigned char untouched[SIZE];

	ck_assert_uint_le(size, SIZE);
	memset(bytes, 0xee, sizeof(bytes));
	ck_assert_int_eq(boots_seen_encode(&seen, bytes, size, &length), 0);
	ck_assert_uint_le(length, size);
	memset(untouched, 0xee, sizeof(untouched));
	ck_assert_mem_eq(bytes + size, untouched, SIZE - size);
}

static void decode(void)
{
	/* Of the exact size, so that a sanitizer detects any excess read. */
	unsigned char *exact = malloc(length ? length : 1);
	struct why w = { "" };
	int r;

	memcpy(exact, bytes, length);
	boots_seen_free(&again);
	r = boots_seen_decode(exact, length, &again, &w);
	ck_assert_msg(r == 0, "%s", w.text);
	free(exact);
}

static void check_equal(const struct boot_seen *a, const struct boot_seen *b)
{
	ck_assert_int_eq(a->outcome, b->outcome);
	ck_assert_uint_eq(a->boots, b->boots);
	ck_assert_uint_eq(a->memory.time, b->memory.time);
	ck_assert_uint_eq(a->memory.memory, b->memory.memory);
	ck_assert_uint_eq(a->memory.log_start, b->memory.log_start);
	ck_assert_uint_eq(a->memory.log_end, b->memory.log_end);
	ck_assert_str_eq(a->memory.machine, b->memory.machine);
	ck_assert_str_eq(a->memory.firmware, b->memory.firmware);
	ck_assert_str_eq(a->memory.boot_files, b->memory.boot_files);
	ck_assert_str_eq(a->memory.loader, b->memory.loader);
	ck_assert(memory_map_equal(&a->memory.map, &b->memory.map));
	ck_assert_uint_eq(a->memory.map.table_known, b->memory.map.table_known);
	ck_assert(a->memory.tables.known == b->memory.tables.known);
	ck_assert_uint_eq(a->memory.tables.count, b->memory.tables.count);
	for (size_t i = 0; i < a->memory.tables.count; i++) {
		ck_assert_str_eq(a->memory.tables.items[i].name, b->memory.tables.items[i].name);
		ck_assert_uint_eq(a->memory.tables.items[i].address,
				  b->memory.tables.items[i].address);
	}
}

START_TEST(test_nothing)
{
	const struct boot_memory unknown = { .time = 5 };

	ck_assert_int_eq(boots_seen_add(&seen, &unknown, BOOT_REFUSED), 0);
	ck_assert_uint_eq(seen.items.count, 0);
	encode(SIZE);
	ck_assert_uint_eq(length, 0);
	decode();
	ck_assert_uint_eq(again.items.count, 0);
}
END_TEST

/* Real maps with all their tables: what a page has room for beside the boot record. */
static const struct {
	const char *names[4];
	size_t most; /* bytes */
} machines[] = {
	{ { "forum-boot-1", "forum-boot-2" }, 500 },
	{ { "qemu-hole-0e000000", "qemu-hole-10000000" }, 250 },
	{ { "acer-a315-59-1", "acer-a315-59-2" }, 900 },
	{ { "supermicro-2023us-1", "supermicro-2023us-2" }, 900 },
	{ { "ami-desktop-1", "ami-desktop-2", "ami-desktop-3", "ami-desktop-4" }, 500 },
};

START_TEST(test_machines)
{
	size_t count = 0;

	while (count < ARRAY_SIZE(machines[_i].names) && machines[_i].names[count]) {
		add_recorded(machines[_i].names[count], 1700000000 + count,
			     count == 0 ? BOOT_RESUMED : BOOT_REFUSED);
		count++;
	}
	encode(SIZE);
	ck_assert_uint_gt(length, 0);
	ck_assert_msg(length <= machines[_i].most, "%s: %zu bytes", machines[_i].names[0], length);
	decode();
	ck_assert_uint_eq(again.items.count, seen.items.count);
	for (size_t i = 0; i < seen.items.count; i++)
		check_equal(&seen.items.items[i], &again.items.items[i]);
}
END_TEST

/* 100 entries, and several refusals. */
START_TEST(test_large_map)
{
	size_t one;

	add_made(100, 0, 100);
	encode(SIZE);
	one = length;
	ck_assert_msg(one > 0 && one <= 800, "%zu bytes", one);
	for (unsigned int place = 1; place < 8; place++)
		add_made(100, place, 100 + place);
	encode(SIZE);
	ck_assert_msg(length - one <= 7 * 60, "%zu bytes more", length - one);
	decode();
	ck_assert_uint_eq(again.items.count, 8);
	for (size_t i = 0; i < 8; i++)
		check_equal(&seen.items.items[i], &again.items.items[i]);
}
END_TEST

/* The last ones stay. */
START_TEST(test_little_room)
{
	size_t last = SIZE, count = 9;

	for (unsigned int place = 0; place < 9; place++)
		add_made(20, place, 100 + place);
	for (size_t size = SIZE; size-- > 0; size -= min_u64(size, 6)) {
		encode(size);
		ck_assert_uint_le(length, last);
		last = length;
		decode();
		ck_assert_uint_le(again.items.count, count);
		count = again.items.count;
		for (size_t i = 0; i < count; i++)
			check_equal(&seen.items.items[9 - count + i], &again.items.items[i]);
	}
	ck_assert_uint_eq(length, 0);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* A map that is too small to be compressed. */
START_TEST(test_raw)
{
	struct boot_memory boot;

	made_boot("0x0 0x7ffffff System RAM\n", 7, &boot);
	ck_assert_int_eq(boots_seen_add(&seen, &boot, BOOT_STARTED), 0);
	boot_memory_free(&boot);
	encode(SIZE);
	decode();
	check_equal(&seen.items.items[0], &again.items.items[0]);
	encode(length);
	ck_assert_uint_gt(length, 0);
}
END_TEST

START_TEST(test_counts_equal_ones)
{
	add_made(5, 1, 10);
	add_made(5, 2, 20);
	add_made(5, 1, 30);
	ck_assert_uint_eq(seen.items.count, 2);
	ck_assert_uint_eq(seen.items.items[0].memory.time, 20);
	ck_assert_uint_eq(seen.items.items[1].memory.time, 30);
	ck_assert_uint_eq(seen.items.items[1].boots, 2);
	/* What it came to makes it another. */
	seen.items.items[1].outcome = BOOT_RESUMED;
	add_made(5, 1, 40);
	ck_assert_uint_eq(seen.items.count, 3);
	boots_seen_refuse_all(&seen);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(seen.items.items[i].outcome, BOOT_REFUSED);
	for (unsigned int i = 0; i < BOOTS_SEEN_TIMES_MAX + 5; i++)
		add_made(5, 2, 50);
	ck_assert_uint_eq(seen.items.items[2].boots, BOOTS_SEEN_TIMES_MAX);
	encode(SIZE);
	decode();
	check_equal(&seen.items.items[2], &again.items.items[2]);
}
END_TEST

/* Anyone who can write to the disk can make them: the last ones count, and no more than a few. */
START_TEST(test_forged)
{
	struct map_history history = { 0 };
	const struct history_setup *setup;

	for (unsigned int place = 0; place < 10; place++)
		for (unsigned int i = 0; i < BOOTS_SEEN_TIMES_MAX / 4; i++)
			add_made(5, place, 100 + place);
	seen.items.items[9].boots = UINT32_MAX;
	ck_assert_int_eq(boots_seen_count(&seen, &history), 0);
	ck_assert_uint_eq(history_boots(&history.setups.items[0]), BOOTS_SEEN_TIMES_MAX);
	ck_assert_uint_eq(history.setups.items[0].maps.count, 1);
	map_history_free(&history);
	encode(SIZE);
	decode();
	ck_assert_uint_eq(again.items.items[9].boots, BOOTS_SEEN_TIMES_MAX);
	seen.items.items[9].boots = 1;
	ck_assert_int_eq(boots_seen_count(&seen, &history), 0);
	setup = &history.setups.items[0];
	ck_assert_uint_eq(history_boots(setup), BOOTS_SEEN_TIMES_MAX);
	ck_assert_uint_eq(setup->maps.count, 5);
	ck_assert_uint_eq(setup->maps.items[0].last, 105);
	ck_assert_uint_eq(setup->maps.items[0].boots, 7);
	ck_assert_uint_eq(setup->maps.items[4].last, 109);
	map_history_free(&history);
}
END_TEST

/* Each of these is another boot. */
START_TEST(test_tells_boots_apart)
{
	struct boot_memory boot;

	add_recorded("acer-a315-59-1", 10, BOOT_REFUSED);
	recorded_boot("acer-a315-59-1", 10, &boot);
	ck_assert_uint_gt(boot.tables.count, 2);
	switch (_i) {
	case 0:
		boot.machine[0] ^= 1;
		break;
	case 1:
		boot.firmware[0] = 'x';
		boot.firmware[1] = '\0';
		break;
	case 2:
		boot.boot_files[0] ^= 1;
		break;
	case 3:
		boot.map.entries.items[3].end--;
		break;
	case 4:
		boot.log_end += 4096;
		break;
	case 5:
		boot.tables.items[1].address += 16;
		break;
	case 6:
		boot.tables.count = 0;
		break;
	case 7:
		strcpy(boot.loader, "GRUB 2.12");
		break;
	default:
		boot.memory++;
		break;
	}
	ck_assert_int_eq(boots_seen_add(&seen, &boot, BOOT_REFUSED), 0);
	ck_assert_uint_eq(seen.items.count, 2);
	encode(SIZE);
	decode();
	check_equal(&seen.items.items[1], &again.items.items[1]);
	boot_memory_free(&boot);
}
END_TEST

START_TEST(test_drops_the_oldest)
{
	for (unsigned int place = 0; place < BOOTS_SEEN_MAX + 3; place++)
		add_made(5, place, 100 + place);
	ck_assert_uint_eq(seen.items.count, BOOTS_SEEN_MAX);
	ck_assert_uint_eq(seen.items.items[0].memory.time, 103);
	ck_assert_uint_eq(seen.items.items[BOOTS_SEEN_MAX - 1].memory.time,
			  100 + BOOTS_SEEN_MAX + 2);
	encode(SIZE);
	decode();
	ck_assert_uint_eq(again.items.count, BOOTS_SEEN_MAX);
}
END_TEST

/* The present boot is the last. */
START_TEST(test_history)
{
	struct map_history history = { 0 };
	const struct history_setup *setup;

	add_made(5, 2, 20);
	add_made(5, 2, 25);
	add_made(5, 3, 30);
	seen.items.items[1].outcome = BOOT_RESUMED;
	strcpy(seen.items.items[0].memory.loader, "GRUB 2.12");
	ck_assert_int_eq(boots_seen_count(&seen, &history), 0);
	setup = map_history_setup(&history, &seen.items.items[1].memory);
	ck_assert_ptr_nonnull(setup);
	ck_assert_uint_eq(history_boots(setup), 3);
	ck_assert_uint_eq(setup->maps.items[0].refused, 2);
	ck_assert_uint_eq(setup->maps.items[0].last, 25);
	ck_assert_uint_eq(setup->maps.items[1].resumes, 1);
	ck_assert_uint_eq(setup->maps.items[1].refused, 0);
	ck_assert_str_eq(setup->maps.items[0].loader, "GRUB 2.12");
	ck_assert_str_eq(setup->maps.items[1].loader, "");
	map_history_free(&history);
}
END_TEST

/* Whatever the bytes: an answer, and what is accepted can be written. */
static void feed(const unsigned char *from, size_t size)
{
	unsigned char *exact = malloc(size ? size : 1);
	static unsigned char out[SIZE];
	struct why w = { "" };
	size_t out_length;
	int r;

	memcpy(exact, from, size);
	boots_seen_free(&again);
	r = boots_seen_decode(exact, size, &again, &w);
	free(exact);
	if (r < 0) {
		ck_assert(r == -EBADMSG || r == -ENOTSUP);
		ck_assert_str_ne(w.text, "");
		ck_assert_uint_eq(again.items.count, 0);
		return;
	}
	for (size_t i = 0; i < again.items.count; i++)
		ck_assert(memory_map_valid(&again.items.items[i].memory.map));
	ck_assert_int_eq(boots_seen_encode(&again, out, SIZE, &out_length), 0);
}

/* 0: as stored; 1: raw, so that the numbers themselves are hit. */
static void make_hostile(bool raw)
{
	static unsigned char plain[8192];

	add_recorded("acer-a315-59-1", 10, BOOT_REFUSED);
	encode(SIZE);
	if (!raw)
		return;
	length = 8;
	boots_seen_free(&seen);
	add_made(4, 1, 5);
	add_made(4, 3, 6);
	ck_assert_int_eq(boots_seen_encode(&seen, plain, sizeof(plain), &length), 0);
	ck_assert_uint_gt(length, 8);
	memcpy(bytes, plain, length);
}

START_TEST(test_cut)
{
	make_hostile(_i);
	for (size_t cut = 0; cut < length; cut++)
		feed(bytes, cut);
}
END_TEST

START_TEST(test_flipped)
{
	static const unsigned char masks[] = { 0x01, 0x80, 0xff };

	make_hostile(_i);
	for (size_t i = 0; i < length; i++) {
		for (size_t m = 0; m < ARRAY_SIZE(masks); m++) {
			bytes[i] ^= masks[m];
			feed(bytes, length);
			bytes[i] ^= masks[m];
		}
	}
	bytes[0] = 3;
	ck_assert_int_eq(boots_seen_decode(bytes, length, &again, NULL), -ENOTSUP);
}
END_TEST

/* By hand, as doc/image-format.md says: one boot, raw. */
static const unsigned char plain_boot[] = {
	1,					  /* boots */
	2,    3,    10,	  0x80, 0x80, 0x01, 0, 0, /* refused, three times, time, memory, no log */
	7,					  /* all is known */
	2,    'm',  'y',  1,	'f',  0,	  /* machine, firmware, boot files */
	4,    'G',  'R',  'U',	'B',		  /* loader: not in form 1 */
	2,    2,				  /* table, entries */
	0,    0xff, 0x1f, 2,			  /* 0 to 0xfff, RAM */
	0x80, 0x20, 0xff, 0x1f, 5,		  /* 0x2000 to 0x2fff, reserved, a guess */
	1,    4,    'D',  'S',	'D',  'T',  9,	  /* tables */
};

#define AT_LOADER 16
#define LOADER_SIZE 5

static void put_plain(unsigned char form, const unsigned char *plain, size_t size)
{
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = form;
	put_le32(bytes + 4, (uint32_t)size);
	memcpy(bytes + 8, plain, size);
	length = 8 + size;
}

START_TEST(test_form)
{
	const struct boot_seen *boot;

	unsigned char plain[sizeof(plain_boot)];
	size_t size = sizeof(plain);

	memcpy(plain, plain_boot, size);
	if (_i == 1) {
		size -= LOADER_SIZE;
		memcpy(plain + AT_LOADER, plain_boot + AT_LOADER + LOADER_SIZE, size - AT_LOADER);
	}
	put_plain((unsigned char)_i, plain, size);
	decode();
	ck_assert_uint_eq(again.items.count, 1);
	boot = &again.items.items[0];
	ck_assert_int_eq(boot->outcome, BOOT_REFUSED);
	ck_assert_uint_eq(boot->boots, 3);
	ck_assert_uint_eq(boot->memory.time, 10);
	ck_assert_uint_eq(boot->memory.memory, 1 << 14);
	ck_assert_str_eq(boot->memory.machine, "my");
	ck_assert_str_eq(boot->memory.firmware, "f");
	ck_assert_str_eq(boot->memory.boot_files, "");
	ck_assert_str_eq(boot->memory.loader, _i == 1 ? "" : "GRUB");
	ck_assert(boot->memory.map.entries.known && boot->memory.tables.known);
	ck_assert_uint_eq(boot->memory.map.table_known, 1);
	ck_assert_uint_eq(boot->memory.map.entries.count, 2);
	ck_assert_uint_eq(boot->memory.map.entries.items[1].start, 0x2000);
	ck_assert_uint_eq(boot->memory.map.entries.items[1].end, 0x2fff);
	ck_assert_uint_eq(boot->memory.map.entries.items[1].type, MEMORY_RESERVED);
	ck_assert_uint_eq(boot->memory.map.entries.items[1].unknown, 1);
	ck_assert_str_eq(boot->memory.tables.items[0].name, "DSDT");
	ck_assert_uint_eq(boot->memory.tables.items[0].address, 9);
}
END_TEST

/* A byte of it is another one. */
static const struct {
	size_t at;
	unsigned char value;
} wrongs[] = {
	{ 0, 2 },  { 0, 25 },  { 1, 3 },  { 2, 0 },   { 9, 8 },	  { 10, 127 }, { 16, 64 },
	{ 21, 3 }, { 22, 99 }, { 22, 1 }, { 32, 99 }, { 33, 16 }, { 7, 1 },
};

START_TEST(test_wrong)
{
	unsigned char plain[sizeof(plain_boot)];
	struct why w = { "" };

	memcpy(plain, plain_boot, sizeof(plain));
	plain[wrongs[_i].at] = wrongs[_i].value;
	put_plain(2, plain, sizeof(plain));
	ck_assert_int_eq(boots_seen_decode(bytes, length, &again, &w), -EBADMSG);
	ck_assert_str_eq(w.text, "what earlier boots saw is damaged");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "boots seen");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, test_nothing);
	tcase_add_loop_test(tcase, test_machines, 0, (int)ARRAY_SIZE(machines));
	tcase_add_test(tcase, test_large_map);
	tcase_add_test(tcase, test_little_room);
	tcase_add_test(tcase, test_raw);
	tcase_add_test(tcase, test_counts_equal_ones);
	tcase_add_test(tcase, test_forged);
	tcase_add_loop_test(tcase, test_tells_boots_apart, 0, 9);
	tcase_add_test(tcase, test_drops_the_oldest);
	tcase_add_test(tcase, test_history);
	tcase_add_loop_test(tcase, test_cut, 0, 2);
	tcase_add_loop_test(tcase, test_flipped, 0, 2);
	tcase_add_loop_test(tcase, test_form, 1, 3);
	tcase_add_loop_test(tcase, test_wrong, 0, (int)ARRAY_SIZE(wrongs));
}
