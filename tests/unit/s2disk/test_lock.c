/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixtures/check_main.h"
#include "s2disk/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[40];

static void path_below(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s%s", root, name);
}

static void make_root(void)
{
	char path[100];

	snprintf(root, sizeof(root), "/tmp/only-one-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	path_below(path, sizeof(path), "/run");
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void remove_root(void)
{
	char path[100];

	path_below(path, sizeof(path), "/run/s2disk.lock");
	unlink(path);
	path_below(path, sizeof(path), "/run");
	rmdir(path);
	rmdir(root);
}

START_TEST(test_one_after_the_other)
{
	struct why w = { "" };
	int first, second;

	ck_assert_int_eq(hibernate_lock_take(root, &first, &w), 0);
	ck_assert_int_ge(first, 0);
	ck_assert_int_eq(hibernate_lock_take(root, &second, &w), -EBUSY);
	ck_assert_int_eq(second, -1);
	ck_assert_str_eq(w.text, "another s2disk is hibernating this machine already,"
				 " or still deactivating its swap");
	hibernate_lock_give(&first);
	ck_assert_int_eq(first, -1);
	hibernate_lock_give(&first);
	ck_assert_int_eq(hibernate_lock_take(root, &second, &w), 0);
	ck_assert_int_ge(second, 0);
	hibernate_lock_give(&second);
}
END_TEST

/* Hibernating does not depend on it. */
START_TEST(test_no_lock)
{
	struct why w = { "" };
	char lock[100];
	int fd;

	path_below(lock, sizeof(lock), "/run/s2disk.lock");
	ck_assert_int_eq(hibernate_lock_take("/does/not/exist", &fd, &w), 0);
	ck_assert_int_eq(fd, -1);
	/* A link must not make us create a file elsewhere. */
	ck_assert_int_eq(symlink("elsewhere", lock), 0);
	ck_assert_int_eq(hibernate_lock_take(root, &fd, &w), 0);
	ck_assert_int_eq(fd, -1);
	path_below(lock, sizeof(lock), "/run/elsewhere");
	ck_assert_int_lt(access(lock, F_OK), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "lock");

	tcase_add_checked_fixture(tcase, make_root, remove_root);
	tcase_add_test(tcase, test_one_after_the_other);
	tcase_add_test(tcase, test_no_lock);
}
