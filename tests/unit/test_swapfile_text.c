/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_text: changes of configuration files, there and back. */
#include "swapfile_text.h"

#include "base/bytes.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS "resume=UUID=1-2 resume_offset=34816"
#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define END "# s2disk-swapfile end\n"

static const struct {
	const char *old, *new, *current, *back; /* NULL: cannot be taken back */
} edits[] = {
	{ "", "", "", "" },
	{ "a\nb\n", "a\nb\nX\n", "a\nb\nX\n", "a\nb\n" },
	/* Edited elsewhere since. */
	{ "a\nb\n", "a\nb\nX\n", "a\nmore\nb\nX\n", "a\nmore\nb\n" },
	{ "a\nb\n", "a\nb\nX\n", "a\nb\nX\nY\n", "a\nb\nY\n" },
	{ "a\nb\n", "a\nX\nb\n", "X\n", "" },
	{ "a\nb\nc\n", "a\nX\nc\n", "new\na\nX\nc\n", "new\na\nb\nc\n" },
	{ "a\nb\nc\nd\n", "a\nX\nc\nY\n", "a\nX\nnew\nc\nY\n", "a\nb\nnew\nc\nd\n" },
	/* Edited right there. */
	{ "a\nb\n", "a\nb\nX\n", "a\nb\nXX\n", NULL },
	{ "a\nb\n", "a\nb\nX\n", "a\nb\n", NULL },
	{ "a\nb\n", "a\nb\nX\nY\n", "a\nb\nX\nin between\nY\n", NULL },
	{ "a\nb\nc\nd\n", "a\nX\nc\nY\n", "a\nX\nc\nd\n", NULL },
	/* No newline at the end, before or after. */
	{ "a\nb", "a\nb\nX\n", "a\nb\nX\n", "a\nb" },
	{ "a\nb", "a\nb\nX\n", "a\nb\nX\nc\n", "a\nb\nc\n" },
	{ "root=/", "root=/ X", "root=/ X", "root=/" },
};

START_TEST(takes_back)
{
	char *back = NULL;
	int r = text_take_back(edits[_i].old, edits[_i].new, edits[_i].current, &back);

	if (!edits[_i].back) {
		ck_assert_int_eq(r, -ENOENT);
		ck_assert_ptr_null(back);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(back, edits[_i].back);
	free(back);
}
END_TEST

/* Old text to new; doing it again changes nothing, and it can be taken back. */
static void check_change(char *(*change)(const char *text), const char *old, const char *expected)
{
	char *new = change(old), *again = change(new), *back = NULL;

	ck_assert_str_eq(new, expected);
	ck_assert_str_eq(again, new);
	if (strcmp(old, new) != 0) {
		ck_assert_int_eq(text_take_back(old, new, new, &back), 0);
		ck_assert_str_eq(back, old);
	}
	free(new);
	free(again);
	free(back);
}

static char *put_arguments(const char *text)
{
	return text_put_arguments(text, ARGS);
}

static char *put_options(const char *text)
{
	return text_put_keyword_arguments(text, "options", false, ARGS);
}

static char *put_append(const char *text)
{
	return text_put_keyword_arguments(text, "append", true, ARGS);
}

static char *put_block(const char *text)
{
	return text_put_block(text, "line\n");
}

static const struct {
	char *(*change)(const char *text);
	const char *old, *new;
} changes[] = {
	{ put_arguments, "", ARGS "\n" },
	{ put_arguments, "\n", "\n" ARGS "\n" },
	{ put_arguments, "quiet", "quiet " ARGS },
	{ put_arguments, "quiet\n", "quiet " ARGS "\n" },
	{ put_arguments, "root=/dev/sda1 quiet  \n", "root=/dev/sda1 quiet " ARGS "\n" },
	{ put_arguments, "resume=/dev/sda2 quiet\n", " quiet " ARGS "\n" },
	{ put_arguments, "a  resume=/dev/sda2   resume-offset=9 b\n", "a b " ARGS "\n" },
	{ put_arguments, "quiet resume=UUID=1-2 resume_offset=34816 ro\n",
	  "quiet resume=UUID=1-2 resume_offset=34816 ro\n" },
	{ put_arguments, "quiet resume=UUID=1-2 resume_offset=34817\n", "quiet " ARGS "\n" },
	{ put_arguments, "quiet resume=UUID=1-2\n", "quiet " ARGS "\n" },
	{ put_arguments, "resume_offset=34816 resume=UUID=1-2\n", " " ARGS "\n" },
	{ put_arguments, ARGS " " ARGS "\n", " " ARGS "\n" },
	{ put_arguments, "noresume=1 resumes=2 dyndbg=\"a resume=x b\"\n",
	  "noresume=1 resumes=2 dyndbg=\"a resume=x b\" " ARGS "\n" },
	{ put_arguments, "# a comment resume=1\nquiet\nro\n\n",
	  "# a comment resume=1\nquiet\nro " ARGS "\n\n" },
	{ put_options, "title x\nlinux /v\n", "title x\nlinux /v\noptions " ARGS "\n" },
	{ put_options, "linux /v", "linux /v\noptions " ARGS "\n" },
	{ put_options, "linux /v\noptions root=/ ro\ninitrd /i\n",
	  "linux /v\noptions root=/ ro " ARGS "\ninitrd /i\n" },
	{ put_options, "options resume=/x a\nOPTIONS  b\n", "options a\nOPTIONS  b " ARGS "\n" },
	{ put_options, "optionsx y\n", "optionsx y\noptions " ARGS "\n" },
	{ put_append, "label a\n\tAPPEND root=/\nlabel b\n  append\nlabel c\n",
	  "label a\n\tAPPEND root=/ " ARGS "\nlabel b\n  append " ARGS "\nlabel c\n" },
	{ put_append, "label a\n", "label a\n" },
	{ put_block, "", BEGIN "line\n" END },
	{ put_block, "a\n", "a\n" BEGIN "line\n" END },
	{ put_block, "a", "a\n" BEGIN "line\n" END },
	{ put_block, "a\n" BEGIN "old\nolder\n" END "b\n", "a\n" BEGIN "line\n" END "b\n" },
	/* A mark without its end is nobody's block. */
	{ put_block, BEGIN "a\n", BEGIN "a\n" BEGIN "line\n" END },
};

START_TEST(there_and_back)
{
	if (_i == (int)ARRAY_SIZE(changes) - 1) {
		char *new = put_block(changes[_i].old);

		ck_assert_str_eq(new, changes[_i].new);
		free(new);
		return;
	}
	check_change(changes[_i].change, changes[_i].old, changes[_i].new);
}
END_TEST

static bool is_it(const void *context, const char *path)
{
	return strcmp(path, context) == 0;
}

START_TEST(reads_fstab)
{
	static const char fstab[] = "# /commented none swap sw 0 0\n"
				    "UUID=1 / ext4 defaults 0 1\n"
				    "/swap\\040file\tnone swap sw 0 0\n"
				    "/off none swap noauto,pri=5 0 0\n"
				    "/ext none ext4 defaults 0 0\n"
				    "/short none swap\n"
				    "/odd\\08\\400\\04 none swap\n"
				    "/bad\n";
	char *escaped = text_fstab_escape("/a b\t#\\");

	ck_assert_str_eq(escaped, "/a\\040b\\011\\043\\134");
	free(escaped);
	ck_assert(text_fstab_has_swap(fstab, is_it, "/swap file"));
	ck_assert(text_fstab_has_swap(fstab, is_it, "/short"));
	ck_assert(text_fstab_has_swap(fstab, is_it, "/odd\\08\\400\\04"));
	ck_assert(!text_fstab_has_swap(fstab, is_it, "/off"));
	ck_assert(!text_fstab_has_swap(fstab, is_it, "/ext"));
	ck_assert(!text_fstab_has_swap(fstab, is_it, "/bad"));
	ck_assert(!text_fstab_has_swap(fstab, is_it, "/commented"));
	ck_assert(!text_fstab_has_swap("", is_it, "/x"));
}
END_TEST

START_TEST(knows_its_block)
{
	ck_assert(text_has_block("a\n" BEGIN "line\n" END "b\n", "line\n"));
	ck_assert(!text_has_block("a\n" BEGIN "line\n" END "b\n", "other\n"));
	ck_assert(!text_has_block("line\n", "line\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_text");
	TCase *tcase = tcase_create("swapfile_text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, takes_back, 0, (int)ARRAY_SIZE(edits));
	tcase_add_loop_test(tcase, there_and_back, 0, (int)ARRAY_SIZE(changes));
	tcase_add_test(tcase, reads_fstab);
	tcase_add_test(tcase, knows_its_block);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
