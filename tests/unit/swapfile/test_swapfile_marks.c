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

static int take(const char *path, struct why *w)
{
	struct marks marks;
	int r = marks_read(made_root, path, &marks, w);

	if (r == 0) {
		r = marks_take(made_root, path, &marks, w);
		marks_free(&marks);
	}
	return r;
}

/* A text with marks, what is marked, and the text without. */
static const struct {
	const char *text, *body, *rest;
	bool many;
} texts[] = {
	{ "", "", "", false },
	{ "a\nb", "", "a\nb", false },
	{ BEGIN LINE END, LINE, "", false },
	{ "a\n" BEGIN LINE END, LINE, "a\n", false },
	{ "a\n" BEGIN LINE END "b", LINE, "a\nb", false },
	{ "a\n" BEGIN OPEN LINE END, LINE, "a", false },
	/* More came after it: it is not the last line any more. */
	{ "a\n" BEGIN OPEN LINE END "b\n", LINE, "a\nb\n", false },
	/* The mark's own last newline was lost. */
	{ "a\n" BEGIN LINE "# s2disk-swapfile end", LINE, "a\n", false },
	{ "a\n" BEGIN "# was: x y z\nx y z,o\n" END "b\n", "x y z,o\n", "a\nx y z\nb\n", false },
	{ BEGIN OPEN "# was: x y z\nx y z,o\n" END, "x y z,o\n", "x y z", false },
	{ BEGIN "# was: a 1\r\na 1,o\r\n" END BEGIN "# was: b 1\nb 1,o\n" END, "a 1,o\r\nb 1,o\n",
	  "a 1\r\nb 1\n", false },
	/* The line was deleted: the one that it replaced is not to be lost. */
	{ BEGIN "# was: x y z\n" END, "", "x y z\n", false },
	{ "A=1\n" BEGIN "# words\nA=2\nB=3\n" END, "# words\nA=2\nB=3\n", "A=1\n", true },
	{ OWN "x = 1\n", "x = 1\n", "", false },
	{ OWN DIRECTORY "# words\nx = 1", "# words\nx = 1", "", false },
	/* Only the first line makes it ours. */
	{ "y\n" OWN "x = 1\n", "", "y\n" OWN "x = 1\n", false },
	{ "y\n  " BEGIN, "", "y\n  " BEGIN, false },
};

START_TEST(takes_apart)
{
	const char *path = texts[_i].many ? "/etc/default/grub" : "/etc/fstab";
	struct marks marks;

	made_put(path, texts[_i].text);
	ck_assert_int_eq(marks_read(made_root, path, &marks, NULL), 0);
	ck_assert_str_eq(marks.body, texts[_i].body);
	ck_assert_str_eq(marks.rest, texts[_i].rest);
	ck_assert(marks.found == (strcmp(texts[_i].text, texts[_i].rest) != 0));
	ck_assert(marks.directory == (strstr(texts[_i].text, DIRECTORY) != NULL));
	marks_free(&marks);
}
END_TEST

static const struct {
	const char *text, *says;
} broken[] = {
	{ BEGIN, " at the marks" },
	{ BEGIN LINE "mine\n", " between the marks" },
	{ "mine\n" END, " at the marks" },
	{ BEGIN LINE BEGIN LINE END, " at the marks" },
	{ BEGIN LINE END END, " at the marks" },
	/* Lines of others between the marks, or an edited one, are not to be lost. */
	{ BEGIN LINE "mine\n" END, " between the marks" },
	{ BEGIN LINE "# mine\n" END, " between the marks" },
	{ BEGIN "# was: x UUID=1 none luks\nx UUID=2 none luks,o\n" END, " between the marks" },
	{ BEGIN "# was: x UUID=1 none luks\nx none\n" END, " between the marks" },
	{ BEGIN "# was: x 1 none luks\nx 1 none discard,luks,o\n" END, " between the marks" },
};

START_TEST(refuses_edited_marks)
{
	struct marks marks = { 0 };
	struct why w = { "" };

	made_put("/etc/fstab", broken[_i].text);
	ck_assert_int_eq(marks_read(made_root, "/etc/fstab", &marks, &w), -EINVAL);
	ck_assert_ptr_null(marks.body);
	ck_assert_int_eq(take("/etc/fstab", &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/fstab was edited "));
	ck_assert_ptr_nonnull(strstr(w.text, broken[_i].says));
	made_check("/etc/fstab", broken[_i].text);
}
END_TEST

/* A line that is added or replaced, and the text in which it is marked. NULL: no file. */
static const struct {
	const char *before, *was, *body, *after;
} blocks[] = {
	{ "a\n", NULL, LINE, "a\n" BEGIN LINE END },
	{ "a", NULL, LINE, "a\n" BEGIN OPEN LINE END },
	{ "", NULL, LINE, BEGIN LINE END },
	{ NULL, NULL, LINE, BEGIN MADE LINE END },
	{ "a\nx y\nb\n", "x y", "x y,o\n", "a\n" BEGIN "# was: x y\nx y,o\n" END "b\n" },
	{ "a\nx y", "x y", "x y,o\n", "a\n" BEGIN OPEN "# was: x y\nx y,o\n" END },
	{ "x y \t\r\nb", "x y \t\r", "x y,o \t\r\n",
	  BEGIN "# was: x y \t\r\nx y,o \t\r\n" END "b" },
	/* Not within another one. */
	{ "ax y\nx yz\nx y\n", "x y", "x y,o\n", "ax y\nx yz\n" BEGIN "# was: x y\nx y,o\n" END },
};

START_TEST(puts_and_takes_blocks)
{
	struct mark mark = { .path = "/etc/file", .body = (char *)blocks[_i].body };
	struct why w = { "" };
	char *before, *after;

	mark.was = (char *)blocks[_i].was;
	made_put("/etc/other", "");
	made_put("/etc/file", blocks[_i].before);
	before = made_look();
	ck_assert_msg(marks_put(made_root, &mark, &w) == 0, "%s", w.text);
	made_check("/etc/file", blocks[_i].after);
	ck_assert_msg(take("/etc/file", &w) == 0, "%s", w.text);
	after = made_look();
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

/* With its directory, where that was not there, and nothing came into it since. */
START_TEST(puts_and_takes_files)
{
	const struct mark mark = { .path = "/etc/x.d/90.conf", .own = true, .body = (char *)"x\n" };
	struct why w = { "" };
	char *before, *after;

	made_put("/etc/other", "");
	if (_i == 1)
		made_directory("/etc/x.d");
	before = made_look();
	ck_assert_msg(marks_put(made_root, &mark, &w) == 0, "%s", w.text);
	made_check("/etc/x.d/90.conf", _i == 1 ? OWN "x\n" : OWN DIRECTORY "x\n");
	if (_i == 2)
		made_put("/etc/x.d/mine", "");
	ck_assert_msg(take("/etc/x.d/90.conf", &w) == 0, "%s", w.text);
	after = made_look();
	if (_i == 2)
		made_check("/etc/x.d/mine", "");
	else
		ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

START_TEST(leaves_files_of_others)
{
	struct mark mark = { .path = "/etc/90.conf", .own = true, .body = (char *)"x\n" };
	struct why w = { "" };
	struct marks marks;

	made_put("/etc/90.conf", "mine\n");
	ck_assert_int_eq(marks_put(made_root, &mark, &w), -EEXIST);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/90.conf was not written by s2disk-swapfile"));
	/* The line that is to be replaced is not there (any more). */
	mark.own = false;
	mark.was = (char *)"theirs";
	ck_assert_int_eq(marks_put(made_root, &mark, &w), -EIO);
	ck_assert_int_eq(take("/etc/90.conf", &w), 0);
	made_check("/etc/90.conf", "mine\n");
	/* The mark is gone: it became the user's. */
	ck_assert_int_eq(take("/etc/none", &w), 0);
	made_put_bytes("/etc/90.conf", "a\0b", 3);
	ck_assert_int_eq(marks_read(made_root, "/etc/90.conf", &marks, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "is not a text file"));
	made_directory("/etc/directory");
	ck_assert_int_eq(marks_read(made_root, "/etc/directory", &marks, &w), -EISDIR);
}
END_TEST

/* Links and modes stay; a link that leads nowhere is not replaced. */
START_TEST(keeps_links_and_modes)
{
	struct mark mark = { .path = "/etc/fstab", .body = (char *)LINE };
	struct why w = { "" };
	char *before, *after;

	made_put_mode("/data/fstab", "a\n", 0640);
	made_link("/etc/fstab", "../data/fstab");
	made_link("/etc/gone", "nowhere");
	made_put("/data/fstab.s2disk-new", "half of it"); /* of an interrupted run */
	before = made_look();
	ck_assert_int_eq(marks_put(made_root, &mark, &w), 0);
	made_check("/data/fstab", "a\n" BEGIN LINE END);
	made_put("/data/fstab.s2disk-new", "half of it");
	ck_assert_int_eq(take("/etc/fstab", &w), 0);
	made_check("/data/fstab.s2disk-new", NULL);
	made_put("/data/fstab.s2disk-new", "half of it");
	mark.path = "/etc/gone";
	ck_assert_int_eq(marks_put(made_root, &mark, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "/etc/gone cannot be written"));
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
	static const char *const pieces[] = { BEGIN, END,  OWN,	 OPEN, "# was: x\n",
					      MADE,  LINE, "\n", "x",  "x,o\n" };

	char path[100];

	made_put("/etc/fstab", "");
	snprintf(path, sizeof(path), "%s/etc/fstab", made_root);
	srand(1);
	for (int n = 0; n < 20000; n++) {
		char text[1200] = "";
		struct marks marks;

		for (int i = rand() % 9; i >= 0; i--)
			strcat(text, pieces[rand() % (int)ARRAY_SIZE(pieces)]);
		write_text(path, text);
		if (marks_read(made_root, "/etc/fstab", &marks, NULL) < 0)
			continue;
		ck_assert_uint_le(strlen(marks.rest) + strlen(marks.body), strlen(text));
		if (!marks.found)
			ck_assert_str_eq(marks.rest, text);
		marks_free(&marks);
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
	tcase_add_loop_test(tcase, puts_and_takes_files, 0, 3);
	tcase_add_test(tcase, leaves_files_of_others);
	tcase_add_test(tcase, keeps_links_and_modes);
	tcase_add_test(tcase, any_text);
}
