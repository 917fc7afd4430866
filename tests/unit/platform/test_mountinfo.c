/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's list of mounts. */
#include "base/cleanup.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/filesystems/mountinfo.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static struct mountinfo *read_list(const char *text)
{
	struct mountinfo *list = NULL;

	made_put("/proc/self/mountinfo", text);
	ck_assert_int_eq(mountinfo_read(made_root, &list), 0);
	return list;
}

START_TEST(test_fields)
{
	_cleanup_mountinfo_ struct mountinfo *list =
		read_list("36 35 98:7 /sub /mnt/a\\040b\\134 rw,noatime master:1 shared:2 - ext4 "
			  "/dev/disk/by-label/x\\011y rw,errors=continue\n"
			  "37 35 0:5 / / ro - tmpfs tmpfs rw\n"
			  "38 35 0:6 / /w rw - tmpfs tmpfs noxrw,rwx\n"
			  "39 35 0:7 / /v rw - tmpfs tmpfs size=1k,rw");
	struct mount_line *line = mountinfo_next(list);

	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(line->id, 36);
	ck_assert_uint_eq(line->high, 98);
	ck_assert_uint_eq(line->low, 7);
	ck_assert_str_eq(line->place, "/mnt/a b\\");
	ck_assert_str_eq(line->kind, "ext4");
	ck_assert_str_eq(line->source, "/dev/disk/by-label/x\ty");
	ck_assert(line->writable);
	for (int i = 0; i < 3; i++) {
		line = mountinfo_next(list);
		ck_assert_ptr_nonnull(line);
		ck_assert_uint_eq(line->low, (unsigned int)(5 + i));
		ck_assert_int_eq(line->writable, i == 2);
	}
	ck_assert_ptr_null(mountinfo_next(list));
	ck_assert_ptr_null(mountinfo_next(list));
}
END_TEST

/* The kernel's escapes, four bytes for one, everywhere; and no source. */
START_TEST(test_empty_and_escaped)
{
	static char text[3 * PATH_MAX];
	char *at = stpcpy(text, "1 1 0:5 / /e rw shared:1 - tmpfs  rw,size=1k\n"
				"2 1 0:6 / /f rw - fuse.a\\040b c ro\n3 1 8:1 / /");
	_cleanup_mountinfo_ struct mountinfo *list = NULL;
	const struct mount_line *line;

	for (int i = 0; i < 2000; i++)
		at = stpcpy(at, "\\040");
	strcpy(at, " rw - vfat /dev/a rw\n");
	list = read_list(text);
	line = mountinfo_next(list);
	ck_assert_ptr_nonnull(line);
	ck_assert_str_eq(line->kind, "tmpfs");
	ck_assert_str_eq(line->source, "");
	ck_assert(line->writable);
	line = mountinfo_next(list);
	ck_assert_ptr_nonnull(line);
	ck_assert_str_eq(line->kind, "fuse.a b");
	ck_assert_str_eq(line->source, "c");
	ck_assert(!line->writable);
	line = mountinfo_next(list);
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(strlen(line->place), 2001);
	ck_assert_str_eq(line->kind, "vfat");
}
END_TEST

/* Its path is not cut to that of another; it is a mount anyway. */
START_TEST(test_too_long)
{
	static char text[2 * PATH_MAX];
	char *at = stpcpy(text, "1 1 8:1 / /");
	_cleanup_mountinfo_ struct mountinfo *list = NULL;
	const struct mount_line *line;

	memset(at, 'a', PATH_MAX);
	strcpy(at + PATH_MAX, " rw - vfat /dev/a rw\n");
	list = read_list(text);
	line = mountinfo_next(list);
	ck_assert_ptr_nonnull(line);
	ck_assert_str_eq(line->place, "");
	ck_assert_str_eq(line->kind, "vfat");
	ck_assert(line->writable);
}
END_TEST

/* What is no such line is skipped. */
START_TEST(test_skipped)
{
	_cleanup_mountinfo_ struct mountinfo *list =
		read_list("\n1 2 3:4\n1 2 3:4 / /a rw ext4 /dev/a rw\n - ext4 /dev/a rw\n"
			  "1 2 x:4 / /a rw - ext4 /dev/a rw\n1 2 3:4 / /a rw - ext4\n"
			  "5 2 3:4 / /b rw - ext4 /dev/b rw\n");
	const struct mount_line *line = mountinfo_next(list);

	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(line->id, 5);
	ck_assert_ptr_null(mountinfo_next(list));
}
END_TEST

START_TEST(test_at)
{
	_cleanup_mountinfo_ struct mountinfo *list =
		read_list("1 1 0:1 / / rw - rootfs rootfs rw\n2 1 0:2 / /a rw - a a rw\n"
			  "3 1 0:3 / / rw - b b rw\n");
	const struct mount_line *line = mountinfo_next_at(list, "/");

	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(line->id, 1);
	line = mountinfo_next_at(list, "/");
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(line->id, 3);
	ck_assert_ptr_null(mountinfo_next_at(list, "/"));
	ck_assert_ptr_null(mountinfo_next_at(NULL, "/"));
}
END_TEST

/* Of several MiB: it is not the kernel's. */
START_TEST(test_unreadable)
{
	static char large[(4 << 20) + 2];
	struct mountinfo *list = NULL;

	ck_assert_int_eq(mountinfo_read(made_root, &list), -ENOENT);
	ck_assert_ptr_null(list);
	memset(large, '\n', sizeof(large) - 1);
	made_put("/proc/self/mountinfo", large);
	ck_assert_int_eq(mountinfo_read(made_root, &list), -EFBIG);
	ck_assert_ptr_null(list);
	mountinfo_close(list);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "mountinfo");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, test_fields);
	tcase_add_test(tcase, test_empty_and_escaped);
	tcase_add_test(tcase, test_too_long);
	tcase_add_test(tcase, test_skipped);
	tcase_add_test(tcase, test_at);
	tcase_add_test(tcase, test_unreadable);
}
