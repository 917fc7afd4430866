/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of s2disk-swapfile as a user gives them, on real file systems. */
#include "fixtures/check_main.h"
#include "tools/swapfile/swapfile.h"

#include "base/bytes.h"
#include "fixtures/machine/made_disk.h"
#include "fixtures/machine/made_marks.h"
#include "fixtures/capture.h"
#include "fixtures/machine/made_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MIB (1ULL << 20)

static struct why w;

static bool mounted(void)
{
	w.text[0] = '\0';
	made_put("/etc/fstab", "x\n");
	return made_mount("mke2fs -q -F -t ext4 -b 4096", "300M");
}

static struct swapfile command_for(const char *path)
{
	return (struct swapfile){ .root = made_root, .path = path, .quiet = true };
}

/* A file of 32 MiB. */
static void made_file(const char *name, char *path, size_t size)
{
	struct swapfile s = made_command(path, size, name);

	s.size = 32 * MIB;
	ck_assert_msg(swapfile_do_create(&s, &w) == 0, "%s", w.text);
}

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* create --enable: one command, and one that reverts it all. */
START_TEST(all_in_one)
{
	char path[128], *before, *after;
	struct swapfile s = made_command(path, sizeof(path), "file");

	if (!mounted())
		return;
	before = made_look();
	s.size = 50 * MIB;
	s.enable = true;
	ck_assert_msg(swapfile_do_create(&s, &w) == 0, "%s", w.text);
	ck_assert(made_active);
	s = command_for(NULL);
	ck_assert_msg(swapfile_do_remove(&s, &w) == 0, "%s", w.text);
	ck_assert(!exists(path));
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);
	/* When enabling fails, the file stays, for another try. */
	made_fail = "swapon";
	s = made_command(path, sizeof(path), "file");
	s.size = 50 * MIB;
	s.enable = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), -EIO);
	check_printed(w.text, "was created, but not enabled: ");
	ck_assert(exists(path));
	made_fail = NULL;
	s = command_for(NULL);
	ck_assert_msg(swapfile_do_remove(&s, &w) == 0, "%s", w.text);
	ck_assert(!exists(path));
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
}
END_TEST

/* A dry run prints all that would be done, and does nothing. */
START_TEST(foretells_all)
{
	char path[128], text[8192], *before, *after;
	struct swapfile s = made_command(path, sizeof(path), "a file");

	if (!mounted())
		return;
	before = made_look();
	s.size = 32 * MIB;
	s.enable = s.dry_run = true;
	s.quiet = false;
	capture_begin();
	ck_assert_msg(swapfile_do_create(&s, &w) == 0, "%s", w.text);
	capture_end(text, sizeof(text));
	check_printed(text, "would make /");
	check_printed(text, "would enable /");
	ck_assert(!exists(path));
	ck_assert_str_eq(made_log, "");
	after = made_look();
	ck_assert_str_eq(after, before);
	free(after);
	/* The same of removing it. */
	made_file("a file", path, sizeof(path));
	s = command_for(path);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), 0);
	s.dry_run = true;
	s.quiet = false;
	capture_begin();
	ck_assert_int_eq(swapfile_do_remove(&s, &w), 0);
	capture_end(text, sizeof(text));
	check_printed(text, "would deactivate /");
	check_printed(text, "would delete /");
	ck_assert(exists(path) && made_active);
	free(before);
}
END_TEST

/* Only what create made is deleted, and nothing in use. */
START_TEST(removes_its_own)
{
	char path[128];
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	s = command_for(NULL);
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EINVAL);
	check_printed(w.text, "name one");
	/* Made by another program. */
	ck_assert(made_run("fallocate -l 32M mount/other; mkswap mount/other; sync"));
	s = made_command(path, sizeof(path), "other");
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EINVAL);
	check_printed(w.text, "was not created by this version of s2disk-swapfile");
	ck_assert(exists(path));
	/* Another one is enabled: that stays. */
	ck_assert_int_eq(swapfile_do_enable(&s, &w), 0);
	s = command_for(NULL);
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EINVAL);
	ck_assert(made_active);
	made_active = false;
	s = made_command(path, sizeof(path), "file");
	ck_assert_msg(swapfile_do_remove(&s, &w) == 0, "%s", w.text);
	ck_assert(!exists(path));
	ck_assert_ptr_null(strstr(made_log, "swapoff"));
}
END_TEST

/* When the set-up cannot be reverted, the file stays. */
START_TEST(stays_while_enabled)
{
	static const char *const fail[] = { "swapoff", "run" };
	char path[128];
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	s = command_for(path);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), 0);
	made_fail = fail[_i];
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EIO);
	ck_assert(exists(path));
	made_fail = NULL;
	ck_assert_int_eq(swapfile_do_remove(&s, &w), 0);
	ck_assert(!exists(path));
	made_check("/etc/fstab", "x\n");
}
END_TEST

/* Interrupted while it was made: no swap file yet. */
START_TEST(half_made)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");

	if (!mounted())
		return;
	ck_assert(made_run("fallocate -l 32M mount/file"));
	s.size = 32 * MIB;
	ck_assert_int_eq(swapfile_do_create(&s, &w), -EEXIST);
	check_printed(w.text, "exists already; ");
	check_printed(w.text, "delete it if an interrupted run left it");
}
END_TEST

/* The initramfs cannot be rebuilt here: nothing is made. */
START_TEST(not_ours_to_make)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");

	if (!mounted())
		return;
	made_put("/run/ostree-booted", "");
	s.size = 32 * MIB;
	s.enable = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), -EINVAL);
	check_printed(w.text, "create the file without --enable");
	ck_assert(!exists(path));
	s.enable = false;
	ck_assert_int_eq(swapfile_do_create(&s, &w), 0);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), -EINVAL);
	check_printed(w.text, "rpm-ostree kargs --append=resume=UUID=");
	made_check("/etc/suspend.conf.d/90-swapfile.conf", NULL);
}
END_TEST

/* It holds a session. */
START_TEST(holds_an_image)
{
	char path[128];
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	ck_assert(made_run("printf 'S1SUSPEND\\0' | "
			   "dd of=mount/file bs=1 seek=$(($(getconf PAGE_SIZE) - 10)) "
			   "conv=notrunc,fsync"));
	s = command_for(path);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), -EINVAL);
	check_printed(w.text, "holds a hibernation image, which would be lost; resume it");
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EINVAL);
	check_printed(w.text, "holds a hibernation image, which would be lost");
	ck_assert(exists(path));
}
END_TEST

/* offset prints the place of an unsuitable file, too, and why it is unsuitable. */
START_TEST(offset_objects)
{
	char path[128], text[2048];
	struct swapfile s;

	if (!mounted())
		return;
	made_file("file", path, sizeof(path));
	s = command_for(path);
	s.root = ""; /* where it is on a loop device */
	s.quiet = false;
	capture_begin();
	ck_assert_msg(swapfile_do_offset(&s, &w) == 0, "%s", w.text);
	capture_end(text, sizeof(text));
	check_printed(text, "resume=");
	check_printed(text, " resume_offset=");
	capture_begin();
	s.uswsusp = true;
	ck_assert_int_eq(swapfile_do_offset(&s, &w), 0);
	capture_end(text, sizeof(text));
	ck_assert_int_eq(strncmp(text, "resume offset = ", 16), 0);
	ck_assert_int_eq(swapfile_do_enable(&s, &w), -EINVAL);
	check_printed(w.text, "on a loop device");
	/* No swap area at all. */
	ck_assert(made_run("dd if=/dev/zero of=mount/file bs=4096 count=1 conv=notrunc,fsync"));
	s = command_for(path);
	ck_assert_int_lt(swapfile_do_offset(&s, &w), 0);
}
END_TEST

/* A file system's device is no swap area; and only files are for hibernating only. */
START_TEST(devices)
{
	char path[128], device[64] = "";
	struct swapfile s = made_command(path, sizeof(path), ".");
	struct stat st;
	int fd;

	if (!mounted() || stat(path, &st) < 0)
		return;
	snprintf(device, sizeof(device), "/dev/loop%u", minor(st.st_dev));
	s.path = device;
	ck_assert_int_eq(swapfile_do_enable(&s, &w), -EINVAL);
	check_printed(w.text, "is not a swap area");
	fd = open(device, O_RDONLY); /* it stays then */
	ck_assert(made_run("umount mount && mkswap -L s2disk %s", device));
	s.hibernate_only = true;
	ck_assert_int_eq(swapfile_do_enable(&s, &w), -EINVAL);
	check_printed(w.text, "--hibernate-only is for swap files");
	s.hibernate_only = false;
	ck_assert_msg(swapfile_do_enable(&s, &w) == 0, "%s", w.text);
	s.path = NULL;
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EINVAL);
	check_printed(w.text, "is a device and cannot be removed");
	ck_assert_int_eq(swapfile_do_disable(&s, &w), 0);
	made_check("/etc/fstab", "x\n");
	close(fd);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_commands");

	tcase_add_checked_fixture(tcase, made_disk_create, made_disk_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, all_in_one);
	tcase_add_test(tcase, foretells_all);
	tcase_add_test(tcase, removes_its_own);
	tcase_add_loop_test(tcase, stays_while_enabled, 0, 2);
	tcase_add_test(tcase, half_made);
	tcase_add_test(tcase, not_ours_to_make);
	tcase_add_test(tcase, holds_an_image);
	tcase_add_test(tcase, offset_objects);
	tcase_add_test(tcase, devices);
}
