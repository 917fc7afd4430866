/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Setting the place of the kernel's own images. */
#include "base/io.h"
#include "fixtures/check_main.h"
#include "kernel/kernel_resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char root[] = "/tmp/kernel-resume-XXXXXX";

static const char *below(const char *path)
{
	static char full[200];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static void put(const char *name)
{
	FILE *file = fopen(below(name), "w");

	ck_assert_ptr_nonnull(file);
	fclose(file);
}

static void expect(const char *name, const char *text)
{
	char found[64];

	ck_assert_int_ge(io_read_text(root, name, found, sizeof(found)), 0);
	ck_assert_str_eq(found, text);
}

START_TEST(test_name)
{
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(mkdir(below("/sys"), 0700), 0);
	ck_assert_int_eq(mkdir(below("/sys/power"), 0700), 0);
	ck_assert_int_eq(kernel_resume_name(root, makedev(259, 3), 0), -ENOENT);
	put("/sys/power/resume");
	/* Without a file for the offset it would look at another place. */
	ck_assert_int_eq(kernel_resume_name(root, makedev(259, 3), 34816), -ENOENT);
	expect("/sys/power/resume", "");
	ck_assert_int_eq(kernel_resume_name(root, makedev(259, 3), 0), 0);
	expect("/sys/power/resume", "259:3\n");
	put("/sys/power/resume");
	put("/sys/power/resume_offset");
	ck_assert_int_eq(kernel_resume_name(root, makedev(8, 17), 34816), 0);
	expect("/sys/power/resume", "8:17\n");
	expect("/sys/power/resume_offset", "34816\n");
	unlink(below("/sys/power/resume"));
	unlink(below("/sys/power/resume_offset"));
	rmdir(below("/sys/power"));
	rmdir(below("/sys"));
	rmdir(root);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kernel_resume");

	tcase_add_test(tcase, test_name);
}
