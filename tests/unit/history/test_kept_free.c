/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note of what is kept free, and what is said of what the kernel holds. */
#include "base/cleanup.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "history/maps/kept_free.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct kept_free note;
static char text[600];

static void make(void)
{
	made_root_create();
	made_put("/proc/sys/kernel/random/boot_id", "boot-1\n");
	made_directory("/run");
}

static void end(void)
{
	kept_free_free(&note);
	made_root_remove();
}

static struct frame_range kept[] = { { 0x7e38b, 12 }, { 0x80000, 1 } };
static struct frame_range held[] = { { 0x7e397, 3 } };
static struct frame_range places[] = { { 0x7e38d, 13 } };
static struct frame_range huge[] = { { 0x200, 512 } };

static const struct kept_free full = {
	.boots = 11,
	.lost_boots = 2,
	.kept = { kept, 2 },
	.held = { held, 1 },
	.huge = { huge, 1 },
	.places = { places, 1 },
	.late = true,
};

static void check_frames(const struct frame_list *got, const struct frame_list *wanted)
{
	ck_assert_uint_eq(got->count, wanted->count);
	for (size_t i = 0; i < got->count; i++) {
		ck_assert_uint_eq(got->items[i].first, wanted->items[i].first);
		ck_assert_uint_eq(got->items[i].count, wanted->items[i].count);
	}
}

START_TEST(is_read_again)
{
	struct why w = { 0 };
	char path[256];
	struct stat st;

	ck_assert_int_eq(kept_free_read(made_root, &note), -ENOENT);
	ck_assert_msg(kept_free_write(made_root, &full, &w) == 0, "%s", w.text);
	ck_assert_int_eq(kept_free_read(made_root, &note), 0);
	ck_assert_uint_eq(note.boots, 11);
	ck_assert_uint_eq(note.lost_boots, 2);
	check_frames(&note.kept, &full.kept);
	check_frames(&note.held, &full.held);
	check_frames(&note.huge, &full.huge);
	check_frames(&note.places, &full.places);
	ck_assert(note.late);
	snprintf(path, sizeof(path), "%s/run/s2disk/kept-free", made_root);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	/* Replaced as a whole. */
	kept_free_free(&note);
	ck_assert_int_eq(kept_free_write(made_root, &note, &w), 0);
	ck_assert_int_eq(kept_free_read(made_root, &note), 0);
	ck_assert_uint_eq(note.boots + note.kept.count + note.held.count, 0);
	ck_assert(!note.late);
}
END_TEST

START_TEST(is_of_one_boot)
{
	struct why w = { 0 };

	ck_assert_int_eq(kept_free_write(made_root, &full, &w), 0);
	made_put("/proc/sys/kernel/random/boot_id", "boot-2\n");
	ck_assert_int_eq(kept_free_read(made_root, &note), -ESTALE);
	ck_assert_uint_eq(note.kept.count, 0);
}
END_TEST

START_TEST(cannot_be_written)
{
	struct why w = { 0 };

	made_put("/run/s2disk", "a file");
	ck_assert_int_eq(kept_free_write(made_root, &full, &w), -ENOTDIR);
	ck_assert_str_eq(w.text, "/run/s2disk/kept-free cannot be written: Not a directory");
	made_put("/run/s2disk", NULL);
	made_directory("/run/s2disk/kept-free");
	ck_assert_int_lt(kept_free_write(made_root, &full, &w), 0);
}
END_TEST

#define TITLE "s2disk kept free 1\n"
#define MINE TITLE "boot-id boot-1\n"

static const struct {
	const char *text;
	int result;
	uint64_t kept, held, boots;
} hostile[] = {
	{ "", -EBADMSG, 0, 0, 0 },
	{ "s2disk kept free 2\nboot-id boot-1\n", -EBADMSG, 0, 0, 0 },
	{ TITLE, -ESTALE, 0, 0, 0 },
	{ TITLE "boot-id boot-10\nkept 0x1 1\n", -ESTALE, 0, 0, 0 },
	{ MINE, 0, 0, 0, 0 },
	{ MINE "kept 0x1 1\nkept\nkept 1\nkept x 1\nkept 1 x\nkept  2\nnews 1 2\n", 0, 1, 0, 0 },
	/* Sorted and merged: none counts twice. */
	{ MINE "kept 5 5\nkept 1 6\nkept 9 1\nheld 3 1", 0, 9, 1, 0 },
	{ MINE "kept 1 0\nheld 0xffffffffffffffff 1\nheld 1 0xffffffffffffffff\n", 0, 0, 0, 0 },
	{ MINE "held 0xffffffffffffe 1\nheld 0xffffffffffffe 9\n", 0, 0, 1, 0 },
	{ MINE "boots 3 4\n", 0, 0, 0, 3 },
	{ MINE "boots -3 4\n", 0, 0, 0, 0 },
};

START_TEST(is_hostile)
{
	made_put("/run/s2disk/kept-free", hostile[_i].text);
	ck_assert_int_eq(kept_free_read(made_root, &note), hostile[_i].result);
	ck_assert_uint_eq(frames_total(note.kept.items, note.kept.count), hostile[_i].kept);
	ck_assert_uint_eq(frames_total(note.held.items, note.held.count), hostile[_i].held);
	ck_assert_uint_eq(note.boots, hostile[_i].boots);
	ck_assert_uint_le(note.lost_boots, note.boots);
	ck_assert(frames_valid(note.kept.items, note.kept.count));
	ck_assert(frames_valid(note.held.items, note.held.count));
}
END_TEST

START_TEST(too_long)
{
	char *long_text = malloc(KEPT_FREE_LIMIT + 2);

	ck_assert_ptr_nonnull(long_text);
	memset(long_text, 'x', KEPT_FREE_LIMIT + 1);
	long_text[KEPT_FREE_LIMIT + 1] = '\0';
	made_put("/run/s2disk/kept-free", long_text);
	free(long_text);
	ck_assert_int_eq(kept_free_read(made_root, &note), -EFBIG);
}
END_TEST

START_TEST(lists)
{
	struct frame_range many[40];
	const struct frame_list all = { many, 40 };
	size_t length;

	ck_assert_str_eq(kept_free_list(&full.kept, 4096, text, sizeof(text)),
			 "12 pages at 0x7e38b000, 1 page at 0x80000000");
	ck_assert_str_eq(kept_free_memmap(&full.kept, 4096, "$", text, sizeof(text)),
			 "memmap=48K$0x7e38b000 memmap=4K$0x80000000");
	for (size_t i = 0; i < 40; i++)
		many[i] = (struct frame_range){ UINT64_MAX / 4096 - 100 + 2 * i, 1 };
	for (size_t size = 80; size < sizeof(text); size++) {
		kept_free_list(&all, 4096, text, size);
		length = strlen(text);
		ck_assert_uint_lt(length, size);
		ck_assert_str_eq(text + length - 5, ", ...");
		/* Half of them would help only by half. */
		ck_assert_str_eq(kept_free_memmap(&all, 4096, "$", text, size), "");
	}
}
END_TEST

START_TEST(words)
{
	struct kept_free some = full;
	struct frame_range many[40];

	kept_free_problem(&full, 4096, text, sizeof(text));
	ck_assert_str_eq(text, "the kernel uses 3 pages at 0x7e397000, and 512 pages at 0x200000 "
			       "reserved as huge pages; at 2 of 11 boots the firmware had a region "
			       "there, and a boot that has it cannot resume the next session");
	some.huge.count = 0;
	kept_free_problem(&some, 4096, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "the kernel uses 3 pages at 0x7e397000; at 2 of 11"));
	kept_free_advice(&some, 4096, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "on every boot: memmap=52K$0x7e38d000 on"));
	ck_assert_ptr_nonnull(strstr(text, "backslashes: memmap=52K\\\\\\$0x7e38d000)"));
	for (size_t i = 0; i < 40; i++)
		many[i] = (struct frame_range){ 2 * i, 1 };
	some.places = (struct frame_list){ many, 40 };
	kept_free_advice(&some, 4096, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "memmap=SIZE$ADDRESS"));
	some.huge.count = 1;
	some.held.count = 0;
	kept_free_problem(&some, 4096, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "512 pages at 0x200000 reserved as huge pages; at 2"));
	ck_assert_ptr_null(strstr(text, "the kernel uses"));
	some.huge.count = 0;
	ck_assert_str_eq(kept_free_problem(&some, 4096, text, sizeof(text)), "");
	ck_assert_str_eq(kept_free_advice(&some, 4096, text, sizeof(text)), "");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kept_free");

	tcase_add_checked_fixture(tcase, make, end);
	tcase_add_test(tcase, is_read_again);
	tcase_add_test(tcase, is_of_one_boot);
	tcase_add_test(tcase, cannot_be_written);
	tcase_add_loop_test(tcase, is_hostile, 0, (int)(sizeof(hostile) / sizeof(hostile[0])));
	tcase_add_test(tcase, too_long);
	tcase_add_test(tcase, lists);
	tcase_add_test(tcase, words);
}
