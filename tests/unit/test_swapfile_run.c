/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that s2disk-swapfile runs: how they end is told, with what they said. */
#include "base/bytes.h"
#include "swapfile_run.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct swapfile_system here = { .root = "" };

static const struct {
	const char *command;
	int r;
	const char *words; /* of the sentence, "": none; or of the output */
} cases[] = {
	{ "/bin/sh\n-c\necho done", 0, "done\n" },
	{ "/bin/sh\n-c\necho noise >&2", 0, "" },
	{ "/bin/sh\n-c\nexit 3", -EIO, "/bin/sh failed with status 3" },
	{ "/bin/sh\n-c\necho one >&2; echo two >&2; exit 1", -EIO, "status 1: one two" },
	{ "/bin/sh\n-c\necho one; exit 1", -EIO, "status 1: one" },
	{ "/bin/sh\n-c\nkill -9 $$", -EIO, "/bin/sh was killed by signal 9" },
	{ "/nonexistent/program", -EIO, "status 127: /nonexistent/program: No such file" },
	/* Nothing of ours comes to it: a plain environment, no standard input. */
	{ "/bin/sh\n-c\necho $LC_ALL $S2DISK_TEST_NOISE; cat; exit 1", -EIO, "1: C.UTF-8" },
	{ "/bin/true", 0, "" },
	/* What a terminal would obey is not repeated. */
	{ "/bin/sh\n-c\nprintf 'a\\033[2Jb' >&2; exit 1", -EIO, "a" },
};

START_TEST(ends)
{
	struct why w = { "" };
	int r;

	setenv("S2DISK_TEST_NOISE", "ours", 1);
	r = swapfile_run(&here, cases[_i].command, &w);
	ck_assert_msg(r == cases[_i].r, "%s: %d, %s", cases[_i].command, r, w.text);
	if (r < 0)
		ck_assert_msg(strstr(w.text, cases[_i].words), "%s", w.text);
	ck_assert_ptr_null(strchr(w.text, '\033'));
}
END_TEST

/* Only the end of it, in one line. */
START_TEST(says_much)
{
	struct why w = { "" };

	ck_assert_int_eq(swapfile_run(&here,
				      "/bin/sh\n-c\ni=0; while [ $i -lt 2000 ]; do i=$((i + 1)); "
				      "echo line $i >&2; done; exit 1",
				      &w),
			 -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "line 1999 line 2000"));
	ck_assert_ptr_null(strstr(w.text, "line 1000 "));
	ck_assert_uint_lt(strlen(w.text), 400);
}
END_TEST

START_TEST(too_many_arguments)
{
	struct why w = { "" };
	char command[200] = "/bin/true";

	for (int i = 0; i < 40; i++)
		strcat(command, "\nx");
	ck_assert_int_lt(swapfile_run(&here, command, &w), 0);
}
END_TEST

START_TEST(text)
{
	char buffer[12];

	ck_assert_str_eq(swapfile_run_text("a\nb\nc", buffer, sizeof(buffer)), "a b c");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile run");
	TCase *tcase = tcase_create("swapfile run");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, ends, 0, ARRAY_SIZE(cases));
	tcase_add_test(tcase, says_much);
	tcase_add_test(tcase, too_many_arguments);
	tcase_add_test(tcase, text);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
