/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which drop-ins count, and in which order. */
#include "config/drop_ins.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Allocations that succeed before one fails; negative: all do. */
static int mallocs = -1, arrays = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
	return mallocs-- == 0 ? NULL : __real_malloc(size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return arrays-- == 0 ? NULL : __real_reallocarray(old, count, size);
}

static void setup(void)
{
	mallocs = arrays = -1;
	made_root_create();
}

static void expect(const struct tree_names *paths, const char *const *expected)
{
	for (size_t i = 0; i < paths->count; i++) {
		ck_assert_ptr_nonnull(expected[i]);
		ck_assert_str_eq(paths->items[i], expected[i]);
	}
	ck_assert_ptr_null(expected[paths->count]);
}

static void make_two(void)
{
	made_put("/etc/x.conf.d/20.conf", "");
	made_link("/etc/x.conf.d/40.conf", "/dev/null");
	made_put("/etc/x.conf.d/9.conf", "a");
	made_put("/usr/lib/x.conf.d/10.conf", "b");
	made_put("/usr/lib/x.conf.d/20.conf", "c");
	made_put("/usr/lib/x.conf.d/40.conf", "d");
	made_put("/usr/lib/x.conf.d/Z.conf", "e");
	made_put("/usr/lib/x.conf.d/a.conf", "f");
}

START_TEST(test_order)
{
	static const char *const expected[] = { "/usr/lib/x.conf.d/10.conf",
						"/etc/x.conf.d/20.conf",
						"/etc/x.conf.d/40.conf",
						"/etc/x.conf.d/9.conf",
						"/usr/lib/x.conf.d/Z.conf",
						"/usr/lib/x.conf.d/a.conf",
						NULL };
	_cleanup_names_ struct tree_names paths = { 0 };

	make_two();
	ck_assert_int_eq(drop_ins_add(made_root, "/etc/x.conf.d", &paths), 0);
	ck_assert_int_eq(drop_ins_add(made_root, "/run/x.conf.d", &paths), 0);
	ck_assert_int_eq(drop_ins_add(made_root, "/usr/lib/x.conf.d", &paths), 0);
	expect(&paths, expected);
}
END_TEST

START_TEST(test_names)
{
	static const char *const expected[] = { "/d/a.conf", NULL };
	_cleanup_names_ struct tree_names paths = { 0 };

	made_put("/d/.b.conf", "");
	made_put("/d/.conf", "");
	made_put("/d/a.conf", "");
	made_put("/d/a.conf~", "");
	made_put("/d/a.conf.dpkg-old", "");
	made_put("/d/README", "");
	ck_assert_int_eq(drop_ins_add(made_root, "/d", &paths), 0);
	expect(&paths, expected);
	/* No directory. */
	ck_assert_int_eq(drop_ins_add(made_root, "/d/a.conf", &paths), 0);
	expect(&paths, expected);
}
END_TEST

/* Check allocates memory, too. */
static int add_failing(int malloc_left, int array_left, struct tree_names *paths)
{
	int r;

	mallocs = malloc_left;
	arrays = array_left;
	r = drop_ins_add(made_root, "/usr/lib/x.conf.d", paths);
	mallocs = arrays = -1;
	return r;
}

/* What was there stays. */
START_TEST(test_errors)
{
	static const char *const expected[] = { "/etc/x.conf.d/20.conf", "/etc/x.conf.d/40.conf",
						"/etc/x.conf.d/9.conf", NULL };
	_cleanup_names_ struct tree_names paths = { 0 };

	make_two();
	made_link("/run/x.conf.d", "x.conf.d");
	ck_assert_int_eq(drop_ins_add(made_root, "/etc/x.conf.d", &paths), 0);
	ck_assert_int_eq(drop_ins_add(made_root, "/run/x.conf.d", &paths), -ELOOP);
	expect(&paths, expected);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(add_failing(i, -1, &paths), -ENOMEM);
		expect(&paths, expected);
		ck_assert_int_eq(add_failing(-1, i, &paths), -ENOMEM);
		expect(&paths, expected);
	}
}
END_TEST

START_TEST(test_path)
{
	ck_assert(drop_in_path("etc/x.conf.d/a.conf", "etc/x.conf.d"));
	ck_assert(drop_in_path("/etc/x.conf.d/10-a.b.conf", "/etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf.d/.a.conf", "etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf.d/.conf", "etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf.d/a/b.conf", "etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf.d/a.conf~", "etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf.db/a.conf", "etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf.d", "etc/x.conf.d"));
	ck_assert(!drop_in_path("etc/x.conf", "etc/x.conf.d"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "drop_ins");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_errors);
	tcase_add_test(tcase, test_path);
}
