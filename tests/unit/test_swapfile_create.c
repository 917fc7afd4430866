/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making swap files: sizes, headers, places that are refused, and real file
 * systems on loop devices where that is possible (which sysfs, made up, calls
 * disks). */
#include "swapfile.h"

#include "base/bytes.h"
#include "made_disk.h"
#include "made_tree.h"
#include "swap/swap_signature.h"
#include "swapfile_create.h"
#include "swapfile_site.h"
#include "swapfile_size.h"
#include "swapfile_state.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

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
	{ 16 * GIB, 2 * GIB, 9 * GIB, 200 * GIB, -ENOSPC, 0, "make room" },
	{ 16 * GIB, 12 * GIB, 13 * GIB, 200 * GIB, -ENOSPC, 0, "make room" },
	{ 16 * GIB, 2 * GIB, 0, 200 * GIB, -ENOSPC, 0, "make room" },
	{ 16 * GIB, 2 * GIB, 0, 0, -ENOSPC, 0, "make room" },
	/* More than 2^44 bytes of everything. */
	{ 64ULL << 40, GIB, 200ULL << 40, 400ULL << 40, 0, (65ULL << 40) + 16 * MIB, "all of" },
};

START_TEST(automatic_size)
{
	const struct meminfo meminfo = { .total = sizes[_i].total,
					 .inactive_anon = sizes[_i].used };
	struct swapfile_size size;
	struct why w = { "" };
	int r = swapfile_size_auto(&meminfo, sizes[_i].fs_free, sizes[_i].fs_total, &size, &w);

	ck_assert_msg(r == sizes[_i].error, "%d: %s", r, w.text);
	ck_assert_ptr_nonnull(strstr(r < 0 ? w.text : size.text, sizes[_i].says));
	if (r == 0)
		ck_assert_uint_eq(size.bytes, sizes[_i].bytes);
}
END_TEST

START_TEST(chosen_size)
{
	struct why w = { "" };

	ck_assert_int_eq(swapfile_size_check(GIB, 4096, 3 * GIB, 40 * GIB, &w), 0);
	ck_assert_int_eq(swapfile_size_check(2 * GIB, 4096, 3 * GIB, 40 * GIB, &w), 0);
	ck_assert_int_eq(swapfile_size_check(2 * GIB + 1, 4096, 3 * GIB, 40 * GIB, &w), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(w.text, "must stay free"));
	ck_assert_int_eq(swapfile_size_check(UINT64_MAX, 4096, 3 * GIB, 40 * GIB, &w), -EINVAL);
	ck_assert_int_eq(swapfile_size_check(16ULL << 40, 4096, 1ULL << 62, 1ULL << 62, &w),
			 -EINVAL);
	ck_assert_int_eq(
		swapfile_size_check((16ULL << 40) - 4096, 4096, 1ULL << 62, 1ULL << 62, &w), 0);
	ck_assert_int_eq(swapfile_size_check(MIB, 4096, 3 * GIB, 40 * GIB, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "too small"));
}
END_TEST

START_TEST(header)
{
	unsigned char page[4096];
	struct swap_header parsed;

	memset(page, 0xff, sizeof(page));
	swapfile_header_make(page, sizeof(page), (16ULL << 40) - 4096,
			     (const unsigned char *)"0123456789abcdef");
	ck_assert_int_eq(swap_signature_kind(page, sizeof(page)), SWAP_IS_SWAP);
	ck_assert_int_eq(swap_header_parse(page, sizeof(page), &parsed), 0);
	ck_assert_uint_eq(parsed.last_page, UINT32_MAX - 1);
	ck_assert_uint_eq(parsed.bad_pages, 0);
	ck_assert_str_eq(parsed.label, "");
	ck_assert_mem_eq(parsed.uuid, "0123456789abcdef", 16);
}
END_TEST

/* Places */

static const struct {
	const char *type, *says;
} types[] = {
	{ "ext4", NULL },
	{ "xfs", NULL },
	{ "btrfs", NULL },
	{ "f2fs", NULL },
	{ "vfat", NULL },
	{ "another", NULL },
	{ "zfs", "no fixed place" },
	{ "bcachefs", "no fixed place" },
	{ "fuseblk", "no fixed place" },
	{ "overlay", "file system below" },
	{ "tmpfs", "it is memory" },
	{ "nfs", "over the network" },
	{ "cifs", "over the network" },
	{ "squashfs", "cannot be written" },
};

START_TEST(judges_file_systems)
{
	const char *says = site_refusal(types[_i].type);

	ck_assert(!says == !types[_i].says);
	if (says)
		ck_assert_ptr_nonnull(strstr(says, types[_i].says));
}
END_TEST

static const struct {
	const char *make, *size, *name;
	bool without;	/* --no-subvolume */
	bool subvolume; /* is one made */
} systems[] = {
	{ "mke2fs -q -F -t ext4 -b 4096", "300M", "file", false, false },
	{ "mke2fs -q -F -t ext2 -b 4096", "300M", "file", false, false },
	{ "mkfs.xfs -q -f", "400M", "file", false, false },
	{ "mkfs.btrfs -q", "500M", "file", true, false },
	/* An empty one is as good. */
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
	s.dry_run = s.report.dry_run = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_DONE);
	ck_assert_int_lt(stat(path, &st), 0);
	s.dry_run = s.report.dry_run = false;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 50 * MIB);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	ck_assert_int_ge(st.st_blocks, 50 * 2048);
	/* Not again, and not of another's file. */
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_ptr_nonnull(strstr(w.text, "exists already"));
	made_active = true;
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_FAILED);
	ck_assert_ptr_nonnull(strstr(w.text, "in use as swap"));
	made_active = false;
	ck_assert_msg(swapfile_do_remove(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_lt(stat(path, &st), 0);
	ck_assert_int_eq(swapfile_do_remove(&s, &w), OUTCOME_REFUSED);
	ck_assert_ptr_nonnull(strstr(w.text, "was not made by"));
	made_check(SWAPFILE_STATE, NULL);
	ck_assert(made_run("! test -e mount/sub"));
}
END_TEST

static const struct {
	const char *old, *label; /* NULL: none can be made */
} labels[] = {
	{ "", "system_u:object_r:swapfile_t:s0" },
	{ "unconfined_u:object_r:etc_runtime_t:s0", "unconfined_u:object_r:swapfile_t:s0" },
	{ "system_u:object_r:default_t:s0-s0:c0.c1023",
	  "system_u:object_r:swapfile_t:s0-s0:c0.c1023" },
	{ "system_u:object_r:default_t", "system_u:object_r:swapfile_t" },
	{ "system_u", NULL },
	{ "system_u:object_r", NULL },
	{ "system_u:object_r:", NULL },
};

START_TEST(labels_of_selinux)
{
	char text[128], little[16];

	ck_assert(swapfile_label_text(labels[_i].old, text, sizeof(text)) == !!labels[_i].label);
	if (labels[_i].label)
		ck_assert_str_eq(text, labels[_i].label);
	ck_assert(!swapfile_label_text(labels[_i].old, little, sizeof(little)));
}
END_TEST

START_TEST(gets_a_label_where_there_are_labels)
{
	char path[128], label[128] = "";
	struct swapfile s = made_command(path, sizeof(path), "file");
	struct why w = { "" };

	if (!made_mount("mke2fs -q -F -t ext4 -b 4096", "300M"))
		return;
	s.size = 50 * MIB;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_lt(getxattr(path, "security.selinux", label, sizeof(label)), 0);
	ck_assert_msg(swapfile_do_remove(&s, &w) == OUTCOME_DONE, "%s", w.text);
	made_put("/sys/fs/selinux/enforce", "1");
	s.path = path;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_int_gt(getxattr(path, "security.selinux", label, sizeof(label)), 0);
	ck_assert_str_eq(label, "system_u:object_r:swapfile_t:s0");
}
END_TEST

/* Where snapshots would end: said, unless it is wanted so. */
START_TEST(shares_no_subvolume_unasked)
{
	char path[128];
	struct swapfile s = made_command(path, sizeof(path), "file");
	struct why w = { "" };
	struct stat st;

	if (!made_mount("mkfs.btrfs -q", "500M"))
		return;
	s.size = 50 * MIB;
	ck_assert(made_run("echo mine >mount/other; mkdir mount/folder"));
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_ptr_nonnull(strstr(w.text, "/swap/swapfile for example, or take --no-subvolume"));
	ck_assert_int_lt(stat(path, &st), 0);
	s = made_command(path, sizeof(path), "folder/file");
	s.size = 50 * MIB;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	s.no_subvolume = true;
	ck_assert_msg(swapfile_do_create(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert_msg(swapfile_do_remove(&s, &w) == OUTCOME_DONE, "%s", w.text);
	ck_assert(made_run("test -d mount/folder"));
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
	enum outcome outcome;
	struct why w = { "" };
	struct stat st;

	if (!made_mount(failures[_i].make, failures[_i].size))
		return;
	made_run("%s", failures[_i].prepare);
	s.size = failures[_i].wanted;
	outcome = swapfile_do_create(&s, &w);
	/* Small blocks are aligned by chance at times. */
	if (outcome == OUTCOME_DONE && _i == 1)
		return;
	ck_assert_int_eq(outcome, OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, failures[_i].says) != NULL, "%s", w.text);
	ck_assert_int_lt(stat(path, &st), 0);
	made_check(SWAPFILE_STATE, NULL);
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
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "it is memory") != NULL, "%s", w.text);
	s.path = "/nowhere/at/all";
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_FAILED);
	s.path = "/tmp/..";
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	s.path = "/tmp/a\nb";
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	made_put("/run/systemd/system/x", "");
	s.path = "/root/file";
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "ProtectHome") != NULL, "%s", w.text);
	if (!made_mount("mke2fs -q -F -t ext4 -b 4096", "100M"))
		return;
	s = made_command(path, sizeof(path), "file");
	s.system.root = "";
	s.size = 50 * MIB;
	s.dry_run = s.report.dry_run = true;
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "on a loop device") != NULL, "%s", w.text);
	if (made_run("mkdir mount/l mount/u mount/w && "
		     "mount -t overlay none -o lowerdir=mount/l,upperdir=mount/u,workdir=mount/w "
		     "mount/l && cat /proc/self/mountinfo >%s/proc/self/mountinfo",
		     made_root)) {
		s = made_command(path, sizeof(path), "l/file");
		ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
		ck_assert_msg(strstr(w.text, "overlay") != NULL, "%s", w.text);
		made_run("umount mount/l");
	}
}
END_TEST

/* 9p, for one, says the magic number of the file system on the other side; what
 * it is stands in the list of mounts. */
START_TEST(knows_remote_mounts)
{
	struct swapfile s = { .system = made_system,
			      .path = "/proc/file",
			      .report = { .quiet = true } };
	struct why w = { "" };
	struct stat st;
	char text[256];

	if (!made_root_user())
		return;
	ck_assert_int_eq(stat("/proc", &st), 0);
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "no fixed place") != NULL, "%s", w.text);
	snprintf(text, sizeof(text),
		 "junk\n1 2 99999:7 / /a rw - ext4 /dev/a rw\n"
		 "3 1 %u:%u / /proc rw,nosuid shared:1 - 9p host rw,trans=virtio\n",
		 major(st.st_dev), minor(st.st_dev));
	made_put("/proc/self/mountinfo", text);
	ck_assert_int_eq(swapfile_do_create(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "it is on 9p: it comes over the network") != NULL, "%s",
		      w.text);
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
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "hole") != NULL, "%s", w.text);
	s = made_command(path, sizeof(path), "plain");
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_REFUSED);
	ck_assert_msg(strstr(w.text, "not a swap file") != NULL, "%s", w.text);
	s = made_command(path, sizeof(path), "none");
	ck_assert_int_eq(swapfile_do_enable(&s, &w), OUTCOME_FAILED);
	ck_assert_msg(strstr(w.text, "make it first") != NULL, "%s", w.text);
	made_check(SWAPFILE_STATE, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swapfile_create");
	TCase *tcase = tcase_create("swapfile_create");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, made_disk_create, made_disk_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, automatic_size, 0, (int)ARRAY_SIZE(sizes));
	tcase_add_test(tcase, chosen_size);
	tcase_add_test(tcase, header);
	tcase_add_loop_test(tcase, judges_file_systems, 0, (int)ARRAY_SIZE(types));
	tcase_add_test(tcase, shares_no_subvolume_unasked);
	tcase_add_loop_test(tcase, labels_of_selinux, 0, (int)ARRAY_SIZE(labels));
	tcase_add_test(tcase, gets_a_label_where_there_are_labels);
	tcase_add_loop_test(tcase, makes_and_removes, 0, (int)ARRAY_SIZE(systems));
	tcase_add_loop_test(tcase, leaves_nothing, 0, (int)ARRAY_SIZE(failures));
	tcase_add_test(tcase, refuses_places);
	tcase_add_test(tcase, knows_remote_mounts);
	tcase_add_test(tcase, refuses_files);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
