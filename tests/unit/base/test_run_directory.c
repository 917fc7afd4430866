/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/s2disk, which only root can look into, and the files in it. */
#include "base/run_directory.h"

#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void begin(void)
{
	made_root_create();
	made_directory("/run");
}

static mode_t mode_of(const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	ck_assert_int_eq(lstat(full, &st), 0);
	return st.st_mode & 07777;
}

static int opens(void)
{
	int fd = run_directory_open(made_root);

	if (fd < 0)
		return fd;
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	return 0;
}

/* Whatever umask is, and also if another program made it before. */
START_TEST(only_for_root)
{
	umask(0200);
	ck_assert_int_eq(opens(), 0);
	umask(022);
	ck_assert_uint_eq(mode_of(RUN_DIRECTORY), 0700);
	made_shell("chmod 1777 run/s2disk");
	ck_assert_int_eq(opens(), 0);
	ck_assert_uint_eq(mode_of(RUN_DIRECTORY), 0700);
}
END_TEST

START_TEST(what_is_no_directory)
{
	char root[PATH_MAX + 1];

	made_shell("mkdir elsewhere && ln -s ../elsewhere run/s2disk");
	ck_assert_int_lt(opens(), 0);
	ck_assert_int_lt(run_directory_put(made_root, "x", "x", 1), 0);
	made_shell("test -z \"$(ls -A elsewhere)\" && rm run/s2disk && echo >run/s2disk");
	ck_assert_int_eq(opens(), -ENOTDIR);
	made_shell("rm -r run");
	ck_assert_int_eq(opens(), -ENOENT);
	memset(root, 'x', PATH_MAX);
	root[PATH_MAX] = '\0';
	ck_assert_int_eq(run_directory_open(root), -ENAMETOOLONG);
}
END_TEST

START_TEST(replaces)
{
	char text[20];

	umask(0);
	ck_assert_int_eq(run_directory_put(made_root, "x", "one", 3), 0);
	/* A run that was killed. */
	made_put(RUN_DIRECTORY "/.x.part", "one and a ha");
	ck_assert_int_eq(run_directory_put(made_root, "x", "two", 3), 0);
	umask(022);
	ck_assert_int_eq(io_read_text(made_root, RUN_DIRECTORY "/x", text, sizeof(text)), 3);
	ck_assert_str_eq(text, "two");
	ck_assert_uint_eq(mode_of(RUN_DIRECTORY "/x"), 0600);
	made_shell("test \"$(ls -A run/s2disk)\" = x");
}
END_TEST

/* Nothing is left beside it. */
START_TEST(cannot_put)
{
	char name[NAME_MAX + 1];

	made_directory(RUN_DIRECTORY "/x");
	ck_assert_int_eq(run_directory_put(made_root, "x", "one", 3), -EISDIR);
	made_shell("test \"$(ls -A run/s2disk)\" = x");
	made_directory(RUN_DIRECTORY "/.y.part");
	ck_assert_int_eq(run_directory_put(made_root, "y", "one", 3), -EEXIST);
	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	ck_assert_int_eq(run_directory_put(made_root, name, "one", 3), -ENAMETOOLONG);
}
END_TEST

void test_cases(Suite *suite)
{
	const TTest *const tests[] = { only_for_root, what_is_no_directory, replaces, cannot_put };
	TCase *tcase = test_case(suite, "run_directory");

	tcase_add_checked_fixture(tcase, begin, made_root_remove);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
}
