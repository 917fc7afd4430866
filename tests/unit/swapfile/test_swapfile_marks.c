/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_marks: what is put into files comes out again, and they are as before. */
#include "fixtures/check_main.h"
#include "tools/swapfile/marks.h"

#include "base/bytes.h"
#include "fixtures/machine/made_marks.h"
#include "fixtures/machine/made_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE "/swapfile none swap defaults 0 0\n"

static struct edit edit;

/* Reads and restores it. */
static int take(const char *path, struct why *w)
{
	int r = edit_read(made_root, path, &edit, w);

	if (r == 0)
		r = edit_write(made_root, &edit, w);
	edit_free(&edit);
	return r;
}

static int put(const char *path, bool own, const char *lines, struct why *w)
{
	int r = edit_read(made_root, path, &edit, w);

	if (r == 0)
		r = edit_mark(&edit, own, strdup(lines), w);
	if (r == 0)
		r = edit_write(made_root, &edit, w);
	return r;
}

/* A text with marks, what is marked, and the text without. */
static const struct {
	const char *text, *body, *rest;
} texts[] = {
	{ "", "", "" },
	{ "a\nb", "", "a\nb" },
	{ BEGIN LINE END, LINE, NULL },
	{ "a\n" BEGIN LINE END, LINE, "a\n" },
	{ "a\n" BEGIN LINE END "b", LINE, "a\nb" },
	/* The mark's own last newline was lost. */
	{ "a\n" BEGIN LINE "# s2disk-swapfile end", LINE, "a\n" },
	{ BEGIN END "b\n", "", "b\n" },
	{ OWN "x = 1\n", "x = 1\n", NULL },
	{ OWN "# words\nx = 1", "# words\nx = 1", NULL },
	{ "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.", "", NULL },
	{ "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away.\r", "", NULL },
	/* Only the first line makes it ours. */
	{ "y\n" OWN "x = 1\n", "", "y\n" OWN "x = 1\n" },
	{ "y\n  " BEGIN, "", "y\n  " BEGIN },
};

START_TEST(takes_apart)
{
	const char *rest = texts[_i].rest;

	made_put("/etc/fstab", texts[_i].text);
	ck_assert_int_eq(edit_read(made_root, "/etc/fstab", &edit, NULL), 0);
	ck_assert_str_eq(edit.body, texts[_i].body);
	ck_assert_pstr_eq(edit.rest, rest);
	ck_assert_pstr_eq(edit.want, rest);
	ck_assert(edit_differs(&edit) == (!rest || strcmp(texts[_i].text, rest) != 0));
	edit_free(&edit);
}
END_TEST

static const struct {
	const char *text, *says;
} broken[] = {
	{ BEGIN, " at the marks" },
	{ BEGIN LINE, " at the marks" },
	{ "mine\n" END, " at the marks" },
	{ BEGIN LINE BEGIN LINE END, " at the marks" },
	{ BEGIN LINE END END, " at the marks" },
	/* Lines of others between the marks are not to be lost. */
	{ BEGIN LINE "mine\n" END, " between the marks" },
	{ BEGIN LINE "# mine\n" END, " between the marks" },
	{ BEGIN "# was: x 1 none luks\nx 1 none luks,o\n" END, " between the marks" },
};

START_TEST(refuses_edited_marks)
{
	struct why w = { "" };

	made_put("/etc/fstab", broken[_i].text);
	ck_assert_int_eq(edit_read(made_root, "/etc/fstab", &edit, &w), -EINVAL);
	ck_assert_ptr_null(edit.body);
	ck_assert(!edit_differs(&edit));
	ck_assert_int_eq(take("/etc/fstab", &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab was edited "));
	ck_assert_ptr_nonnull(strstr(w.text, broken[_i].says));
	made_check("/etc/fstab", broken[_i].text);
}
END_TEST

/* A line that is added, and the text in which it is marked. NULL: no file. */
static const struct {
	const char *before, *after;
} blocks[] = {
	{ "a\n", "a\n" BEGIN LINE END },
	{ "a", BEGIN LINE END "a" },
	{ "a\nb", "a\n" BEGIN LINE END "b" },
	{ "\n", "\n" BEGIN LINE END },
	{ NULL, BEGIN LINE END },
};

START_TEST(puts_and_takes_blocks)
{
	struct why w = { "" };
	char *before, *after;

	made_put("/etc/other", "");
	made_put("/etc/file", blocks[_i].before);
	before = made_look();
	ck_assert_msg(put("/etc/file", false, LINE, &w) == 0, "%s", w.text);
	made_check("/etc/file", blocks[_i].after);
	edit_free(&edit);
	/* More came after it: it is the same block, and stays where it is. */
	ck_assert_int_eq(edit_read(made_root, "/etc/file", &edit, &w), 0);
	ck_assert_int_eq(edit_mark(&edit, false, strdup(LINE), &w), 0);
	ck_assert(!edit_differs(&edit));
	edit_free(&edit);
	ck_assert_msg(take("/etc/file", &w) == 0, "%s", w.text);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* With its directory, where nothing else is in it. */
START_TEST(puts_and_takes_files)
{
	struct why w = { "" };
	char *before, *after;

	made_put("/etc/other", "");
	before = made_look();
	ck_assert_msg(put("/etc/x.d/90.conf", true, "x\n", &w) == 0, "%s", w.text);
	edit_free(&edit);
	made_check("/etc/x.d/90.conf", OWN "x\n");
	if (_i == 1)
		made_put("/etc/x.d/mine", "");
	ck_assert_msg(take("/etc/x.d/90.conf", &w) == 0, "%s", w.text);
	after = made_look();
	if (_i == 1)
		made_check("/etc/x.d/mine", "");
	else
		ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

START_TEST(leaves_files_of_others)
{
	struct why w = { "" };

	made_put("/etc/90.conf", "mine\n");
	ck_assert_int_eq(put("/etc/90.conf", true, "x\n", &w), -EEXIST);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/90.conf was not written by s2disk-swapfile"));
	edit_free(&edit);
	ck_assert_int_eq(take("/etc/90.conf", &w), 0);
	made_check("/etc/90.conf", "mine\n");
	ck_assert_int_eq(take("/etc/none", &w), 0);
	made_put_bytes("/etc/90.conf", "a\0b", 3);
	ck_assert_int_eq(edit_read(made_root, "/etc/90.conf", &edit, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "is not a text file"));
	made_directory("/etc/directory");
	ck_assert_int_eq(edit_read(made_root, "/etc/directory", &edit, &w), -EISDIR);
}
END_TEST

/* Links and modes stay; a link that leads nowhere is not replaced. */
START_TEST(keeps_links_and_modes)
{
	struct why w = { "" };
	char *before, *after;

	made_put_mode("/data/fstab", "a\n", 0640);
	made_link("/etc/fstab", "../data/fstab");
	made_link("/etc/gone", "nowhere");
	made_put("/data/empty", "");
	made_link("/etc/empty", "../data/empty");
	made_put("/data/fstab.s2disk-new", "half of it"); /* of an interrupted run */
	before = made_look();
	ck_assert_int_eq(put("/etc/fstab", false, LINE, &w), 0);
	edit_free(&edit);
	made_check("/data/fstab", "a\n" BEGIN LINE END);
	made_put("/data/fstab.s2disk-new", "half of it");
	ck_assert_int_eq(take("/etc/fstab", &w), 0);
	made_check("/data/fstab.s2disk-new", NULL);
	made_put("/data/fstab.s2disk-new", "half of it");
	ck_assert_int_eq(put("/etc/gone", false, LINE, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/gone cannot be written"));
	edit_free(&edit);
	ck_assert_int_eq(put("/etc/empty", false, LINE, &w), 0);
	edit_free(&edit);
	made_check("/data/empty", BEGIN LINE END);
	ck_assert_int_eq(take("/etc/empty", &w), 0);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* As made_put, without a shell. ext4 would flush a file that is truncated and written. */
static void write_text(const char *path, const char *text)
{
	FILE *file = unlink(path) == 0 ? fopen(path, "w") : NULL;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Whatever the bytes are, nothing outside of marks is lost. */
START_TEST(any_text)
{
	static const char *const pieces[] = { BEGIN, END, OWN, LINE, "\n", "x", "x,o\n" };
	char path[100];

	made_put("/etc/fstab", "");
	snprintf(path, sizeof(path), "%s/etc/fstab", made_root);
	srand(1);
	for (int n = 0; n < 20000; n++) {
		char text[1200] = "";

		for (int i = rand() % 9; i >= 0; i--)
			strcat(text, pieces[rand() % (int)ARRAY_SIZE(pieces)]);
		write_text(path, text);
		if (edit_read(made_root, "/etc/fstab", &edit, NULL) < 0)
			continue;
		ck_assert_uint_le((edit.rest ? strlen(edit.rest) : 0) + strlen(edit.body),
				  strlen(text));
		if (!edit_differs(&edit))
			ck_assert_str_eq(edit.rest, text);
		edit_free(&edit);
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_marks");

	tcase_add_checked_fixture(tcase, made_create, made_root_remove);
	tcase_add_loop_test(tcase, takes_apart, 0, (int)ARRAY_SIZE(texts));
	tcase_add_loop_test(tcase, refuses_edited_marks, 0, (int)ARRAY_SIZE(broken));
	tcase_add_loop_test(tcase, puts_and_takes_blocks, 0, (int)ARRAY_SIZE(blocks));
	tcase_add_loop_test(tcase, puts_and_takes_files, 0, 2);
	tcase_add_test(tcase, leaves_files_of_others);
	tcase_add_test(tcase, keeps_links_and_modes);
	tcase_add_test(tcase, any_text);
}
