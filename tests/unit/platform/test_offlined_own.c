/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the frames that s2disk offlined. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/held_lock.h"
#include "fixtures/machine/made_root.h"
#include "platform/memory/offlined_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTE "/run/s2disk/offlined"

#define LOCK "/run/s2disk/offlined.lock"

static struct frame_list list;
static struct why w;

static void teardown(void)
{
	free(list.items);
	list = (struct frame_list){ 0 };
	made_root_remove();
}

static void read_again(void)
{
	free(list.items);
	list = (struct frame_list){ 0 };
	ck_assert_int_eq(offlined_own_read(made_root, &list), 0);
	ck_assert(frames_valid(list.items, list.count));
}

static void check_note(const char *expected)
{
	char text[256];

	ck_assert_int_ge(io_read_text(made_root, NOTE, text, sizeof(text)), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(test_adds)
{
	const uint64_t first[] = { 900, 12 }, second[] = { 13, 900, 2 };

	read_again();
	ck_assert_uint_eq(list.count, 0);
	made_directory("/run");
	ck_assert_int_eq(offlined_own_add(made_root, first, 2, &w), 0);
	check_note("12\n900\n");
	ck_assert_int_eq(offlined_own_add(made_root, second, 3, &w), 0);
	check_note("2\n12 2\n900\n");
	read_again();
	ck_assert_uint_eq(frames_total(list.items, list.count), 4);
	ck_assert_uint_eq(list.items[1].first, 12);
	ck_assert_uint_eq(list.items[1].count, 2);
}
END_TEST

/* Each line on its own. */
START_TEST(test_broken)
{
	const uint64_t more = 8;

	made_put(NOTE, "7\n-1\n\n 5 6\nx9\n18446744073709551616\n18446744073709551615\n"
		       "20 0\n20 x\n20 1 1\n20 \n20  1\n1 18446744073709551615\n"
		       "4503599627370495 2\n"
		       "4503599627370496\n4503599627370495\n7\n3\x01\n99999999999999999999999\n3");
	read_again();
	ck_assert_uint_eq(frames_total(list.items, list.count), 3);
	ck_assert_uint_eq(list.items[0].first, 3);
	ck_assert_uint_eq(list.items[1].first, 7);
	ck_assert_uint_eq(list.items[2].first, 4503599627370495);
	ck_assert_int_eq(offlined_own_add(made_root, &more, 1, &w), 0);
	check_note("3\n7 2\n4503599627370495\n");
}
END_TEST

/* All that may drift is in it; and a file that is too long to be ours is ignored. */
START_TEST(test_bounds)
{
	static uint64_t frames[OFFLINED_OWN_MAX + 1];
	static char text[OFFLINED_OWN_MAX * 42 + 100];

	made_directory("/run");
	for (size_t i = 0; i < OFFLINED_OWN_MAX; i++)
		frames[i] = i;
	ck_assert_int_eq(offlined_own_add(made_root, frames, OFFLINED_OWN_MAX, &w), 0);
	check_note("0 65536\n");
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = 70000 + 2 * i;
	/* One range is there. */
	ck_assert_int_eq(offlined_own_add(made_root, frames, OFFLINED_OWN_MAX, &w), -E2BIG);
	ck_assert_str_eq(w.text, NOTE " cannot be written: it would have more than 65536 ranges");
	check_note("0 65536\n");
	ck_assert_int_eq(offlined_own_add(made_root, frames, OFFLINED_OWN_MAX - 1, &w), 0);
	read_again();
	ck_assert_uint_eq(frames_total(list.items, list.count), 2 * OFFLINED_OWN_MAX - 1);
	memset(text, '\n', sizeof(text) - 1);
	memcpy(text, "7\n", 2);
	made_put(NOTE, text);
	read_again();
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(test_removes)
{
	const uint64_t frames[] = { 3, 4, 5, 6, 9 };
	struct frame_range gone[] = { { 5, 1 }, { 9, 100 } };
	const struct frame_list some = { gone, 2 };

	made_directory("/run");
	ck_assert_int_eq(offlined_own_add(made_root, frames, ARRAY_SIZE(frames), &w), 0);
	ck_assert_int_eq(offlined_own_remove(made_root, &some, &w), 0);
	check_note("3 2\n6\n");
}
END_TEST

/* Adds each of count frames, every other one from first on, and removes one that it added, at once
 * with others that do the same. */
static void add_some(uint64_t first, unsigned int count)
{
	const uint64_t mine = first + 1;
	struct frame_range gone = { mine, 1 };
	const struct frame_list some = { &gone, 1 };

	for (unsigned int i = 0; i < count; i++) {
		const uint64_t frame = first + 2 * i;

		if (offlined_own_add(made_root, &frame, 1, NULL) < 0 ||
		    offlined_own_add(made_root, &mine, 1, NULL) < 0 ||
		    offlined_own_remove(made_root, &some, NULL) < 0)
			_exit(1);
	}
	_exit(0);
}

/* The early service and a hibernation may do it at the same time. None is lost. */
START_TEST(test_many_writers)
{
	enum { WRITERS = 5, EACH = 20 };

	made_directory("/run");
	for (unsigned int i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			add_some(1000 * (i + 1), EACH);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	read_again();
	ck_assert_uint_eq(list.count, WRITERS * EACH);
	ck_assert_uint_eq(frames_total(list.items, list.count), WRITERS * EACH);
}
END_TEST

START_TEST(test_waits)
{
	const uint64_t frame = 8, other = 10;
	struct frame_range gone = { 8, 1 };

	made_directory("/run");
	ck_assert_int_eq(offlined_own_add(made_root, &frame, 1, &w), 0);
	held_lock_take(made_root, LOCK, 3);
	ck_assert_int_eq(offlined_own_add(made_root, &other, 1, &w), 0);
	ck_assert_uint_eq(held_pauses, 3);
	check_note("8\n10\n");
	/* Two seconds; then the list stays as it is. */
	held_lock_take(made_root, LOCK, 0);
	ck_assert_int_eq(offlined_own_add(made_root, &frame, 1, &w), -ENOLCK);
	ck_assert_str_eq(w.text, NOTE " cannot be written: " LOCK " is held by another program");
	ck_assert_uint_eq(held_pauses, 40);
	ck_assert_int_eq(offlined_own_remove(made_root, &(struct frame_list){ &gone, 1 }, &w),
			 -ENOLCK);
	ck_assert_uint_eq(held_pauses, 40 + 40);
	check_note("8\n10\n");
	held_lock_release();
}
END_TEST

START_TEST(test_not_writable)
{
	const uint64_t frame = 8;

	/* Without /run. */
	ck_assert_int_lt(offlined_own_add(made_root, &frame, 1, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, NOTE));
	w.text[0] = '\0';
	ck_assert_int_lt(offlined_own_remove(made_root, &(struct frame_list){ 0 }, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, NOTE));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_checked_fixture(tcase, made_root_create, teardown);
	tcase_add_test(tcase, test_adds);
	tcase_add_test(tcase, test_broken);
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_removes);
	tcase_add_test(tcase, test_many_writers);
	tcase_add_test(tcase, test_waits);
	tcase_add_test(tcase, test_not_writable);
}
