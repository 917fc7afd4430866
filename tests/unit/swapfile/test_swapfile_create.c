/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making swap files: sizes, headers, places that are refused, and real file
 * systems on loop devices where that is possible (which sysfs, made up, calls
 * disks). */
#include "fixtures/check_main.h"
#include "tools/swapfile/swapfile.h"

#include "base/bytes.h"
#include "fixtures/machine/made_disk.h"
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
#define GIB (1ULL << 30)

static struct {
	const char *call; /* that fails; NULL for none */
	int error;
} kernel;

int __wrap_posix_fallocate(int fd, off_t offset, off_t length);
int __real_posix_fallocate(int fd, off_t offset, off_t length);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchmod(int fd, mode_t mode);

static bool fails(const char *call)
{
	errno = kernel.error;
	return kernel.call && strcmp(kernel.call, call) == 0;
}

int __wrap_posix_fallocate(int fd, off_t offset, off_t length)
{
	return fails("fallocate") ? kernel.error : __real_posix_fallocate(fd, offset, length);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

/* Sizes */

static const struct {
	uint64_t total, used, fs_free, fs_total;
	int error;
	uint64_t bytes;
	const char *says;
} sizes[] = {
	{ 16 * GIB, 2 * GIB, 100 * GIB, 200 * GIB, 0, 16 * GIB + 272 * MIB, "all of memory" },
	{ 16 * GIB, 2 * GIB, 17 * GIB + 272 * MIB, 200 * GIB, 0, 16 * GIB + 272 * MIB,
	  "all of memory" },
	{ 16 * GIB, 2 * GIB, 17 * GIB, 200 * GIB, 0, 16 * GIB, "less than memory" },
	{ 16 * GIB, 2 * GIB, 10 * GIB, 200 * GIB, 0, 9 * GIB, "less than memory" },
	{ 16 * GIB, 2 * GIB, 9 * GIB, 200 * GIB, -ENOSPC, 0, "free some space" },
	{ 16 * GIB, 12 * GIB, 13 * GIB, 200 * GIB, -ENOSPC, 0, "free some space" },
	{ 16 * GIB, 2 * GIB, 0, 200 * GIB, -ENOSPC, 0, "free some space" },
	{ 16 * GIB, 2 * GIB, 0, 0, -ENOSPC, 0, "free some space" },
	/* More than 2^44 bytes of everything. */
	{ 64ULL << 40, GIB, 200ULL << 40, 400ULL << 40, 0, (65ULL << 40) + 16 * MIB, "all of" },
};

START_TEST(automatic_size)
{
	const struct meminfo meminfo = { .total = sizes[_i].total,
					 .inactive_anon = sizes[_i].used };
	const struct site site = { .free = sizes[_i].fs_free, .total = sizes[_i].fs_total };
	const char *reason = "";
	struct why w = { "" };
	uint64_t size;
	int r = site_choose_size(&site, &meminfo, 0, &size, &reason, &w);

	ck_assert_msg(r == sizes[_i].error, "%d: %s", r, w.text);
	ck_assert_ptr_nonnull(strstr(r < 0 ? w.text : reason, sizes[_i].says));
	if (r == 0)
		ck_assert_uint_eq(size, sizes[_i].bytes);
}
END_TEST

static const struct {
	uint64_t wanted, fs_free, fs_total;
	int error;
	const char *says;
} chosen[] = {
	{ GIB, 3 * GIB, 40 * GIB, 0, NULL },
	{ 2 * GIB, 3 * GIB, 40 * GIB, 0, NULL },
	{ 2 * GIB + 1, 3 * GIB, 40 * GIB, -ENOSPC, "must stay free" },
	{ UINT64_MAX, 3 * GIB, 40 * GIB, -EINVAL, "too large" },
	{ 16ULL << 40, 1ULL << 62, 1ULL << 62, -EINVAL, "too large" },
	{ (16ULL << 40) - 4096, 1ULL << 62, 1ULL << 62, 0, NULL },
	{ MIB, 3 * GIB, 40 * GIB, -EINVAL, "too small" },
};

START_TEST(chosen_size)
{
	const struct site site = { .free = chosen[_i].fs_free, .total = chosen[_i].fs_total };
	const struct meminfo meminfo = { 0 };
	const char *reason = NULL;
	struct why w = { "" };
	uint64_t size = 0;

	ck_assert_int_eq(site_choose_size(&site, &meminfo, chosen[_i].wanted, &size, &reason, &w),
			 chosen[_i].error);
	if (chosen[_i].says) {
		ck_assert_msg(strstr(w.text, chosen[_i].says) != NULL, "%s", w.text);
	} else {
		ck_assert_uint_eq(size, chosen[_i].wanted);
		ck_assert_str_eq(reason, "");
	}
}
END_TEST

/* Places */

static const struct {
	const char *make, *size, *name;
	bool without;	/* --no-subvolume */
	bool subvolume; /* is one made */
} systems[] = {
	{ "mke2fs -q -F -t ext4 -b 4096", "300M", "file", false, false },
	{ "mke2fs -q -F -t ext2 -b 4096", "300M", "file", false, false },
	{ "mkfs.xfs -q -f", "400M", "file", false, false },
	{ "mkfs.btrfs -q", "500M", "file", true, false },
	/* An empty one will do, too. */
	{ "mkfs.btrfs -q", "500M", "file", false, false },
	{ "mkfs.btrfs -q", "500M", "sub/file", false, true },
};

START_TEST(makes_and_removes)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), systems[_i].name);
	struct why w = { "" };
	struct stat st;

	if (!made_mount(systems[_i].make, systems[_i].size))
		return;
	s.no_subvolume = systems[_i].without;
	s.size = 50 * MIB + 100;
	s.dry_run = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), 0);
	ck_assert_int_lt(stat(path, &st), 0);
	s.dry_run = false;
	ck_assert_msg(swapfile_do_create(&s, &w) == 0, "%s", w.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 50 * MIB);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	ck_assert_int_ge(st.st_blocks, 50 * 2048);
	/* Not again, and not of another's file. */
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "exists already"));
	made_active = true;
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -EBUSY);
	ck_assert_ptr_nonnull(strstr(w.text, "in use as swap"));
	made_active = false;
	ck_assert_msg(swapfile_do_remove(&s, &w) == 0, "%s", w.text);
	ck_assert_int_lt(stat(path, &st), 0);
	ck_assert_int_eq(swapfile_do_remove(&s, &w), -ENOENT);
	ck_assert(made_run("! test -e mount/sub"));
}
END_TEST

/* It would prevent snapshots: refused, unless requested. */
START_TEST(shares_no_subvolume_unasked)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");
	struct why w = { "" };
	struct stat st;

	if (!made_mount("mkfs.btrfs -q", "500M"))
		return;
	s.size = 50 * MIB;
	ck_assert(made_run("echo mine >mount/other; mkdir mount/directory"));
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_ptr_nonnull(strstr(w.text, "/swap/swapfile for example, or use --no-subvolume"));
	ck_assert_int_lt(stat(path, &st), 0);
	s = made_command(path, sizeof(path), "directory/file");
	s.size = 50 * MIB;
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	s.no_subvolume = true;
	ck_assert_msg(swapfile_do_create(&s, &w) == 0, "%s", w.text);
	ck_assert_msg(swapfile_do_remove(&s, &w) == 0, "%s", w.text);
	ck_assert(made_run("test -d mount/directory"));
}
END_TEST

/* What cannot work leaves no file and no state. */
static const struct {
	const char *make, *size, *prepare;
	uint64_t wanted;
	const char *says;
} failures[] = {
	{ "mke2fs -q -F -t ext4 -b 4096", "100M", "true", 200 * MIB, "do not fit" },
	{ "mke2fs -q -F -t ext4 -b 1024 -O ^metadata_csum -N 16", "100M",
	  "for i in 1 2 3 4 5 6 7; do fallocate -l 10M mount/pad$i; "
	  "dd if=/dev/zero of=mount/odd$i bs=1k count=1; sync; done; rm mount/pad*; sync",
	  20 * MIB, "multiple of the page size" },
	{ "mkfs.btrfs -q -d dup", "800M", "true", 50 * MIB, "profile SINGLE" },
};

START_TEST(leaves_nothing)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");
	int outcome;
	struct why w = { "" };
	struct stat st;

	if (!made_mount(failures[_i].make, failures[_i].size))
		return;
	made_run("%s", failures[_i].prepare);
	s.size = failures[_i].wanted;
	outcome = swapfile_do_create(&s, &w);
	/* Small blocks are aligned by chance at times. */
	if (outcome == 0 && _i == 1)
		return;
	ck_assert_int_lt(outcome, 0);
	ck_assert_msg(strstr(w.text, failures[_i].says) != NULL, "%s", w.text);
	ck_assert_int_lt(stat(path, &st), 0);
}
END_TEST

/* Each call fails once; mkswap and the place, too. */
static const struct {
	const char *call;
	int error;
	const char *says;
} calls[] = {
	{ "fchmod", EPERM, "" },
	{ "chattr", 0, "chattr -c +C failed" },
	{ "fallocate", ENOSPC, "cannot allocate space for it" },
	{ "btrfs subvolume", 0, "btrfs subvolume create failed" },
	{ "mkswap", 0, "mkswap" },
};

START_TEST(each_call_fails)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "sub/file");
	struct why w = { "" };

	if (!made_mount("mkfs.btrfs -q", "500M"))
		return;
	s.size = 50 * MIB;
	kernel.call = made_fail = calls[_i].call;
	kernel.error = calls[_i].error;
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_msg(strstr(w.text, calls[_i].says) != NULL, "%s", w.text);
	kernel.call = NULL;
	ck_assert(made_run("! test -e mount/sub"));
}
END_TEST

/* The real sysfs calls a loop device what it is. */
START_TEST(refuses_places)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");
	struct why w = { "" };

	if (!made_root_user())
		return;
	ck_assert(
		made_run("mkdir -p %s/proc/self; cat /proc/self/mountinfo >%s/proc/self/mountinfo",
			 made_root, made_root));
	s.path = "/dev/shm/file";
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "it is on tmpfs, whose files have no fixed place") != NULL,
		      "%s", w.text);
	s.path = "/nowhere/at/all";
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	s.path = "/tmp/..";
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	s.path = "/tmp/a\nb";
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	made_put("/run/systemd/system/x", "");
	s.path = "/root/file";
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "ProtectHome") != NULL, "%s", w.text);
	if (!made_mount("mke2fs -q -F -t ext4 -b 4096", "100M"))
		return;
	s = made_command(path, sizeof(path), "file");
	s.root = "";
	s.size = 50 * MIB;
	s.dry_run = true;
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "on a loop device") != NULL, "%s", w.text);
	if (made_run("mkdir mount/l mount/u mount/w && "
		     "mount -t overlay none -o lowerdir=mount/l,upperdir=mount/u,workdir=mount/w "
		     "mount/l && cat /proc/self/mountinfo >%s/proc/self/mountinfo",
		     made_root)) {
		s = made_command(path, sizeof(path), "l/file");
		ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
		ck_assert_msg(strstr(w.text, "overlay") != NULL, "%s", w.text);
		made_run("umount mount/l");
	}
}
END_TEST

/* What it is stands in the list of mounts. */
START_TEST(knows_remote_mounts)
{
	struct swapfile s = { .root = made_root, .path = "/proc/file", .quiet = true };
	struct why w = { "" };
	struct stat st;
	char text[256];

	if (!made_root_user())
		return;
	ck_assert_int_eq(stat("/proc", &st), 0);
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "no fixed place") != NULL, "%s", w.text);
	snprintf(text, sizeof(text),
		 "junk\n1 2 99999:7 / /a rw - ext4 /dev/a rw\n"
		 "3 1 %u:%u / /proc rw,nosuid shared:1 - 9p host rw,trans=virtio\n",
		 major(st.st_dev), minor(st.st_dev));
	made_put("/proc/self/mountinfo", text);
	ck_assert_int_lt(swapfile_do_create(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "it is on 9p, whose files have no fixed place") != NULL, "%s",
		      w.text);
}
END_TEST

/* On a block device, and yet without a fixed place. */
START_TEST(knows_what_moves_files)
{
	char path[128], text[256];
	struct swapfile s = made_command(path, sizeof(path), ".");
	struct why w = { "" };
	struct stat st;

	if (!made_mount("mke2fs -q -F -t ext4 -b 4096", "200M"))
		return;
	ck_assert_int_eq(stat(path, &st), 0);
	snprintf(text, sizeof(text), "3 1 %u:%u / /x rw - nilfs2 /dev/x rw\n", major(st.st_dev),
		 minor(st.st_dev));
	made_put("/proc/self/mountinfo", text);
	s = made_command(path, sizeof(path), "file");
	ck_assert_int_eq(swapfile_do_create(&s, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, "it is on nilfs2, whose files") != NULL, "%s", w.text);
}
END_TEST

/* Files that are there but cannot be enabled. */
START_TEST(refuses_files)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "hole");
	struct why w = { "" };

	if (!made_mount("mke2fs -q -F -t ext4 -b 4096", "200M"))
		return;
	ck_assert(made_run(
		"dd if=/dev/zero of=mount/hole bs=1M count=30; truncate -s 50M mount/hole; "
		"mkswap mount/hole; dd if=/dev/zero of=mount/plain bs=1M count=30; sync"));
	ck_assert_int_lt(swapfile_do_enable(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "hole") != NULL, "%s", w.text);
	s = made_command(path, sizeof(path), "plain");
	ck_assert_int_lt(swapfile_do_enable(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "not a swap file") != NULL, "%s", w.text);
	s = made_command(path, sizeof(path), "none");
	ck_assert_int_lt(swapfile_do_enable(&s, &w), 0);
	ck_assert_msg(strstr(w.text, "create it first") != NULL, "%s", w.text);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swapfile_create");

	tcase_add_checked_fixture(tcase, made_disk_create, made_disk_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, automatic_size, 0, (int)ARRAY_SIZE(sizes));
	tcase_add_loop_test(tcase, chosen_size, 0, (int)ARRAY_SIZE(chosen));
	tcase_add_loop_test(tcase, each_call_fails, 0, (int)ARRAY_SIZE(calls));
	tcase_add_test(tcase, shares_no_subvolume_unasked);
	tcase_add_loop_test(tcase, makes_and_removes, 0, (int)ARRAY_SIZE(systems));
	tcase_add_loop_test(tcase, leaves_nothing, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, refuses_places);
	tcase_add_test(tcase, knows_remote_mounts);
	tcase_add_test(tcase, knows_what_moves_files);
	tcase_add_test(tcase, refuses_files);
}
