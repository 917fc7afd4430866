/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offlined page frames, found in a made /proc/kpageflags. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/memory/offlined.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define POISONED (1ull << 19)
#define UPTODATE (1ull << 3)
#define ANON (1ull << 12)
#define SWAP_BACKED (1ull << 14)
#define FRAMES 6000u
#define NODE0 "/sys/devices/system/node/node0/memory_failure/"

static struct ram ram;
static struct frame_list found;
static int flags;
static struct why w;

static void put_flags(uint64_t frame, uint64_t value)
{
	char path[100];
	unsigned char bytes[8];
	int fd;

	snprintf(path, sizeof(path), "%s/proc/kpageflags", made_root);
	fd = open(path, O_WRONLY);
	put_le64(bytes, value);
	ck_assert_int_eq(pwrite(fd, bytes, 8, (off_t)frame * 8), 8);
	close(fd);
}

static void set_corrupted(uint64_t frames)
{
	char text[100];

	snprintf(text, sizeof(text), "MemTotal: 1 kB\nHardwareCorrupted: %5llu kB\nX: 1\n",
		 (unsigned long long)frames * 4);
	made_put("/proc/meminfo", text);
}

/* The kernel's counts of memory errors; NULL: it has none. */
static void put_counts(const char *count)
{
	made_put(NODE0 "ignored", count);
	made_put(NODE0 "failed", count);
	made_put(NODE0 "delayed", count);
}

/* RAM: frames 16 to 4095 and 4200 to 5999. */
static void setup(void)
{
	static struct byte_range ranges[] = { { 16 << 12, (4096 << 12) - 1 },
					      { 4200 << 12, (6000 << 12) - 1 } };
	char path[100];

	made_root_create();
	made_put("/proc/kpageflags", "");
	snprintf(path, sizeof(path), "%s/proc/kpageflags", made_root);
	ck_assert_int_eq(truncate(path, FRAMES * 8), 0);
	ram.used.items = ranges;
	ram.used.count = 2;
	ram.pages.page_size = 4096;
	set_corrupted(0);
	put_counts("0\n");
	flags = -1;
}

static void teardown(void)
{
	free(found.items);
	found = (struct frame_list){ 0 };
	if (flags >= 0)
		close(flags);
	made_root_remove();
}

static int find(void)
{
	return offlined_find(made_root, &ram, &found, &flags, &w);
}

START_TEST(test_found)
{
	put_flags(16, POISONED);
	put_flags(511 + 16, POISONED | UPTODATE | ANON | SWAP_BACKED); /* what was moved away */
	put_flags(512 + 16, POISONED);
	put_flags(4150, POISONED); /* not RAM */
	put_flags(4200, POISONED);
	put_flags(5998, POISONED);
	put_flags(5999, POISONED);
	set_corrupted(6);
	ck_assert_int_eq(find(), 0);
	ck_assert_int_ge(flags, 0);
	ck_assert_uint_eq(found.count, 4);
	ck_assert_uint_eq(found.items[0].first, 16);
	ck_assert_uint_eq(found.items[1].first, 527);
	ck_assert_uint_eq(found.items[1].count, 2);
	ck_assert_uint_eq(found.items[2].first, 4200);
	ck_assert_uint_eq(found.items[3].first, 5998);
	ck_assert_uint_eq(found.items[3].count, 2);
}
END_TEST

/* Nothing is read if the kernel counts none, and nothing after the last one. */
START_TEST(test_none)
{
	put_flags(100, POISONED);
	put_flags(5000, POISONED);
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, 0);
	ck_assert_int_eq(flags, -1);
	set_corrupted(1);
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(frames_total(found.items, found.count), 1);
}
END_TEST

/* Poisoned by an error, and still used: everything that shows it. */
START_TEST(test_in_use)
{
	static const unsigned int bits[] = { 0,	 5,  7,	 8,  10, 11, 13, 15,
					     16, 17, 20, 22, 23, 24, 26, 32 };

	ck_assert(offlined_flags(POISONED));
	ck_assert(offlined_flags(0x285018)); /* anonymous memory before, Linux 6.12 */
	ck_assert(!offlined_flags(0));
	ck_assert(!offlined_flags(UPTODATE));
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		ck_assert_msg(!offlined_flags(POISONED | 1ull << bits[i]), "bit %u", bits[i]);
	put_flags(100, POISONED | 1 << 7);
	put_flags(101, POISONED);
	set_corrupted(2);
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_uint_eq(found.items[0].first, 101);
}
END_TEST

/* Flags alone do not show every use by the kernel itself. */
START_TEST(test_failures)
{
	static const char *const kinds[] = { "ignored", "failed", "delayed" };
	char path[100];

	put_flags(100, POISONED);
	set_corrupted(1);
	for (int node = 0; node < 2; node++) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			snprintf(path, sizeof(path),
				 "/sys/devices/system/node/node%d/memory_failure/%s", node,
				 kinds[i]);
			made_put(path, "2\n");
			ck_assert_int_eq(find(), -EBUSY);
			ck_assert_uint_eq(found.count, 0);
			ck_assert_int_eq(flags, -1);
			made_put(path, "0\n");
		}
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%d/memory_failure/recovered", node);
		made_put(path, "3\n");
	}
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, 1);
}
END_TEST

/* A kernel that does not count them (Linux before 6.3, or without NUMA): only frames that
 * s2disk offlined itself. */
START_TEST(test_no_counts)
{
	put_flags(100, POISONED); /* in use by the kernel, without any flag */
	put_flags(101, POISONED);
	put_flags(200, POISONED);
	set_corrupted(3);
	made_put(NODE0 "delayed", NULL);
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, 0);
	ck_assert_int_eq(flags, -1);
	put_counts(NULL);
	made_put("/run/s2disk/offlined", "200\nx\n101\n300\n");
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, 2);
	ck_assert_uint_eq(found.items[0].first, 101);
	ck_assert_uint_eq(found.items[0].count, 1);
	ck_assert_uint_eq(found.items[1].first, 200);
	ck_assert_int_ge(flags, 0);
}
END_TEST

/* Bit 19 is poison, 32 reserved, 22 a huge zero or transparent page, 26 a page table. */
static const struct {
	uint64_t flags;
	enum offlined_prospect prospect;
} prospects[] = {
	{ 0, PROSPECT_NO_FLAG },
	{ 1ull << 15 | 1ull << 3, PROSPECT_NO_FLAG }, /* compound, up to date */
	{ 1ull << 10, PROSPECT_GOOD },		      /* buddy */
	{ 1ull << 5, PROSPECT_GOOD },		      /* LRU */
	{ 1ull << 11, PROSPECT_GOOD },		      /* mapped */
	{ 1ull << 12, PROSPECT_GOOD },		      /* anonymous */
	{ 1ull << 13, PROSPECT_GOOD },		      /* swap cache */
	{ 1ull << 22, PROSPECT_GOOD },		      /* transparent huge page */
	{ 1ull << 0 | 1ull << 5, PROSPECT_WAIT },     /* locked */
	{ 1ull << 8 | 1ull << 5, PROSPECT_WAIT },     /* writeback */
	{ 1ull << 7, PROSPECT_KERNELS },	      /* slab */
	{ 1ull << 7 | 1, PROSPECT_KERNELS },
	{ 1ull << 26, PROSPECT_KERNELS }, /* page table */
	{ 1ull << 32, PROSPECT_KERNELS }, /* reserved */
	{ 1ull << 17, PROSPECT_HUGE },
	{ 1ull << 17 | 1 << 5 | 1, PROSPECT_HUGE },
	{ POISONED, PROSPECT_POISONED },
	{ POISONED | 1 << 7 | 1 << 17, PROSPECT_POISONED },
};

START_TEST(test_prospects)
{
	struct offlined_access access;

	put_flags(102, prospects[_i].flags);
	offlined_open(made_root, &access);
	ck_assert_int_eq(offlined_prospect(&access, 102), prospects[_i].prospect);
	ck_assert_int_eq(offlined_prospect(&access, FRAMES), PROSPECT_UNKNOWN);
	offlined_close(&access);
	ck_assert_int_eq(offlined_prospect(&access, 102), PROSPECT_UNKNOWN);
}
END_TEST

START_TEST(test_is_poisoned)
{
	struct offlined_access access;

	put_flags(100, POISONED | 1 << 7);
	offlined_open(made_root, &access);
	ck_assert_int_eq(offlined_is_poisoned(&access, 100), 1);
	ck_assert_int_eq(offlined_is_poisoned(&access, 101), 0);
	ck_assert_int_lt(offlined_is_poisoned(&access, FRAMES), 0);
	ck_assert_int_eq(offlined_ask(&access, 100, 4096), -ENOENT); /* no such file */
	offlined_close(&access);
	ck_assert_int_eq(offlined_is_poisoned(&access, 100), -EBADF);
	offlined_close(&access);
}
END_TEST

START_TEST(test_unknown)
{
	char path[100];

	set_corrupted(1);
	snprintf(path, sizeof(path), "%s/proc/kpageflags", made_root);
	unlink(path);
	ck_assert_int_eq(find(), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "kpageflags"));
	snprintf(path, sizeof(path), "%s/proc/meminfo", made_root);
	unlink(path);
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, 0);
}
END_TEST

START_TEST(test_confirm)
{
	for (uint64_t frame = 100; frame < 1900; frame++)
		put_flags(frame, POISONED);
	put_flags(2000, POISONED);
	put_flags(3000, POISONED);
	set_corrupted(1802);
	ck_assert_int_eq(find(), 0);
	offlined_confirm(made_root, flags, &found);
	ck_assert_uint_eq(found.count, 3);
	put_flags(2000, UPTODATE); /* back in use */
	offlined_confirm(made_root, flags, &found);
	ck_assert_uint_eq(found.count, 2);
	ck_assert_uint_eq(found.items[1].first, 3000);
	put_flags(1899, POISONED | 1 << 11);
	offlined_confirm(made_root, flags, &found);
	ck_assert_uint_eq(found.count, 1);
	offlined_confirm(made_root, -1, &found);
	ck_assert_uint_eq(found.count, 0);
}
END_TEST

/* A memory error was being handled during the scan. */
START_TEST(test_confirm_after_failure)
{
	put_flags(100, POISONED);
	set_corrupted(1);
	ck_assert_int_eq(find(), 0);
	offlined_confirm(made_root, flags, &found);
	ck_assert_uint_eq(found.count, 1);
	made_put(NODE0 "failed", "1\n");
	offlined_confirm(made_root, flags, &found);
	ck_assert_uint_eq(found.count, 0);
}
END_TEST

/* The list is full; everything beyond it stays in the image. */
START_TEST(test_many)
{
	enum { frames = 2 * OFFLINED_RANGES_MAX + 100 };
	static struct byte_range all = { 0, ((uint64_t)frames << 12) - 1 };
	static unsigned char flags_of_all[frames * 8];

	ram.used.items = &all;
	ram.used.count = 1;
	for (size_t frame = 0; frame < frames; frame += 2)
		put_le64(flags_of_all + frame * 8, POISONED);
	made_put_bytes("/proc/kpageflags", flags_of_all, sizeof(flags_of_all));
	set_corrupted(frames / 2);
	ck_assert_int_eq(find(), 0);
	ck_assert_uint_eq(found.count, OFFLINED_RANGES_MAX);
	ck_assert(frames_valid(found.items, found.count));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_found);
	tcase_add_test(tcase, test_none);
	tcase_add_test(tcase, test_in_use);
	tcase_add_test(tcase, test_failures);
	tcase_add_test(tcase, test_no_counts);
	tcase_add_test(tcase, test_is_poisoned);
	tcase_add_loop_test(tcase, test_prospects, 0, (int)ARRAY_SIZE(prospects));
	tcase_add_test(tcase, test_unknown);
	tcase_add_test(tcase, test_confirm);
	tcase_add_test(tcase, test_confirm_after_failure);
	tcase_add_test(tcase, test_many);
}
