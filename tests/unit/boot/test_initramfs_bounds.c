/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initramfs: how much of an archive is read, and for how long. */
#include "base/stopwatch.h"
#include "boot/initramfs.h"
#include "fixtures/check_main.h"
#include "fixtures/made_data.h"
#include "fixtures/machine/made_initramfs.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[128];
static const struct boot_file there = { .path = "/initrd" };

static void make(void)
{
	made_root_create();
	snprintf(path, sizeof(path), "%s/initrd", made_root);
}

static const char *const content[] = { "etc/suspend.conf", "resume device = /dev/a\n", NULL };

START_TEST(ends_in_time)
{
	struct initramfs initramfs;
	struct why w = { "" };

	made_initramfs(path, "gzip -c", content);
	ck_assert_int_eq(
		initramfs_read(made_root, &there, NULL, now_usec() + 60000000, &initramfs, &w), 0);
	initramfs_free(&initramfs);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 1, &initramfs, &w), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(w.text, "in time"));
	/* It is not even opened. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 1, &initramfs, &w), -ETIMEDOUT);
}
END_TEST

/* It prints nothing while zeros come. */
START_TEST(waits_for_no_packer)
{
	struct initramfs initramfs;
	struct why w = { "" };

	made_shell("printf 0 | gzip -c >initrd && truncate -s 1T initrd");
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, now_usec() + 100000, &initramfs,
					&w),
			 -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(w.text, "in time"));
}
END_TEST

/* Padding, of which there may be very much. */
START_TEST(skips_only_so_much)
{
	struct initramfs initramfs;

	made_shell("printf 0 >initrd && truncate -s 1T initrd");
	made_shell("printf '\\0' | dd of=initrd conv=notrunc status=none");
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, now_usec() + 60000000, &initramfs,
					NULL),
			 0);
	ck_assert(initramfs.partial);
	initramfs_free(&initramfs);
}
END_TEST

/* More is unpacked than any initramfs contains. */
START_TEST(unpacks_only_so_much)
{
	struct initramfs initramfs;
	struct why w = { "" };
	char header[512] = "07070100000001000081a40000000000000000000000010000000080000000"
			   "000000000000000000000000000000000000000200000000a";

	made_put_bytes("/initrd", header, sizeof(header));
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(w.text, "too large"));
	made_shell("yes $(printf '070701%%088d0000000b%%08dTRAILER!!!~~~' 0 0) | head -n 1000001 |"
		   "tr '~\\n' '\\0\\0' | gzip -1 >initrd");
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -ETIMEDOUT);
	/* Within the limit, but truncated. */
	memcpy(header + 54, "00100000", 8);
	made_put_bytes("/initrd", header, sizeof(header));
	ck_assert_int_eq(initramfs_read(made_root, &there, NULL, 0, &initramfs, &w), -EBADMSG);
}
END_TEST

/* The section of a unified image holds U-Boot's header and nothing else. What follows it in the
 * file is not an initramfs. */
START_TEST(ends_with_its_section)
{
	struct boot_file file = { .path = "/initrd", .initrd = { .length = 64 } };
	struct initramfs initramfs;
	struct why w = { "" };

	made_initramfs(path, "", content);
	made_shell("(printf '\\047\\005\\031\\126%%060d' 0; cat initrd) >new && mv new initrd");
	ck_assert_int_eq(initramfs_read(made_root, &file, NULL, 0, &initramfs, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "empty"));
	file.initrd.length = 0;
	ck_assert_int_eq(initramfs_read(made_root, &file, NULL, 0, &initramfs, &w), 0);
	ck_assert_str_eq(initramfs_file(&initramfs, content[0]), content[1]);
	initramfs_free(&initramfs);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "bounds");

	enter_build();
	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_set_timeout(test, 120);
	tcase_add_test(test, ends_in_time);
	tcase_add_test(test, waits_for_no_packer);
	tcase_add_test(test, skips_only_so_much);
	tcase_add_test(test, unpacks_only_so_much);
	tcase_add_test(test, ends_with_its_section);
}
