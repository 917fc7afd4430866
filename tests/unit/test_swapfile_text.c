/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swapfile_text: changes of configuration files, there and back. */
#include "swapfile_text.h"

#include "base/bytes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define END "# s2disk-swapfile end\n"

static const struct {
	const char *old, *new, *current, *back; /* NULL: cannot be taken back */
} edits[] = {
	{ "a\nb\n", "a\nb\nX\n", "a\nb\nX\n", "a\nb\n" },
	/* Edited elsewhere since. */
	{ "a\nb\n", "a\nb\nX\n", "a\nmore\nb\nX\n", "a\nmore\nb\n" },
	{ "a\nb\n", "a\nb\nX\n", "a\nb\nX\nY\n", "a\nb\nY\n" },
	{ "a\nb\n", "a\nX\nb\n", "X\n", "" },
	{ "a\n", "", "a\n", NULL },
	{ "", "", "", NULL },
	{ "a\nb\nc\n", "a\nX\nc\n", "new\na\nX\nc\n", "new\na\nb\nc\n" },
	{ "a\nb\nc\nd\n", "a\nX\nc\nY\n", "new\na\nX\nc\nY\n", "new\na\nb\nc\nd\n" },
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
	char *back = text_take_back(edits[_i].old, edits[_i].new, edits[_i].current);

	if (edits[_i].back)
		ck_assert_str_eq(back, edits[_i].back);
	else
		ck_assert_ptr_null(back);
	free(back);
}
END_TEST

static const struct {
	const char *old, *new, *dropped;
} blocks[] = {
	{ "", BEGIN "/li\\040ne x\n" END, "" },
	{ "a\n", "a\n" BEGIN "/li\\040ne x\n" END, "a\n" },
	{ "a", "a\n" BEGIN "/li\\040ne x\n" END, "a\n" },
	{ "a\n" BEGIN "old\nolder\n" END "b\n", "a\n" BEGIN "/li\\040ne x\n" END "b\n", "a\nb\n" },
};

START_TEST(puts_and_drops_a_block)
{
	char *new = text_put_block(blocks[_i].old, "/li\\040ne x\n");
	char *again = text_put_block(new, "/li\\040ne x\n"), *dropped = text_drop_block(new);
	char *word = text_block_word(new), *back = text_take_back(blocks[_i].old, new, new);

	ck_assert_str_eq(new, blocks[_i].new);
	ck_assert_str_eq(again, new);
	ck_assert_str_eq(dropped, blocks[_i].dropped);
	ck_assert_str_eq(word, "/li ne");
	ck_assert_str_eq(back, blocks[_i].old);
	free(new);
	free(again);
	free(dropped);
	free(word);
	free(back);
}
END_TEST

/* A mark without its end is not a block of ours. */
START_TEST(half_a_block)
{
	char *new = text_put_block(BEGIN "a\n", "line\n");

	ck_assert_str_eq(new, BEGIN "a\n" BEGIN "line\n" END);
	free(new);
	ck_assert_ptr_null(text_drop_block(BEGIN "a\n"));
	ck_assert_ptr_null(text_drop_block("a\n" END));
	ck_assert_ptr_null(text_block_word("a\n"));
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

int main(void)
{
	Suite *suite = suite_create("swapfile_text");
	TCase *tcase = tcase_create("swapfile_text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, takes_back, 0, (int)ARRAY_SIZE(edits));
	tcase_add_loop_test(tcase, puts_and_drops_a_block, 0, (int)ARRAY_SIZE(blocks));
	tcase_add_test(tcase, half_a_block);
	tcase_add_test(tcase, reads_fstab);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
