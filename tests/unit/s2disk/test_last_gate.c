/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last gate: what was changed while the session slept is cut off and shut down before
 * anything is written, with the kernel's means for each kind of device. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/gate_fixture.h"
#include "s2disk/aftermath/last_gate.h"
#include "s2disk/prepare/platform_section.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_btrfs(const char *path, unsigned char member, unsigned char generation)
{
	memset(disk, 0, sizeof(disk));
	memset(disk + 65536 + 0x20, 0xab, 16);
	memcpy(disk + 65536 + 0x40, "_BHRfS_M", 8);
	disk[65536 + 0x48] = generation;
	memset(disk + 65536 + 0xc9 + 66, member, 16);
	put_disk(path);
}

static void put_f2fs(const char *path, unsigned char checkpoint)
{
	memset(disk, 0, sizeof(disk));
	put_le32(disk + 1024, 0xf2f52010u);
	put_le32(disk + 1024 + 76, 4);
	disk[4 * 4096] = checkpoint;
	put_disk(path);
}

/* FAT16 with that number, and something in its table. */
static void put_fat(const char *path, unsigned char number, unsigned char content)
{
	memset(disk, 0, sizeof(disk));
	put_le16(disk + 0x0b, 512);
	disk[0x0d] = 4;
	put_le16(disk + 0x0e, 8);
	disk[0x10] = 2;
	put_le16(disk + 0x16, 8);
	disk[0x27] = number;
	memcpy(disk + 0x36, "FAT16   ", 8);
	put_le16(disk + 510, 0xaa55);
	disk[8 * 512] = content;
	put_disk(path);
}

static struct mounted mounted;
static struct filesystems stamps;
static struct last last;

static void mount_all(const char *mountinfo)
{
	made_put("/proc/self/mountinfo", mountinfo);
	ck_assert_int_eq(mounted_open(made_root, &mounted, &stamps), 0);
	mounted_settle(&mounted);
	mounted_stamp(&mounted, &stamps);
}

static const char *option = "rw"; /* of the file system */

static void mount_one(const char *device, const char *number, const char *kind)
{
	char line[200];

	made_put("/mnt/id", "30\n");
	snprintf(line, sizeof(line), "30 1 %s / /mnt rw - %s %s %s\n", number, kind, device,
		 option);
	mount_all(line);
	ck_assert_uint_eq(mounted.count, 1);
	ck_assert_str_eq(asked, "sync /mnt\n");
	asked[0] = '\0';
	/* Nothing is dirty in the device's cache either, and words need no file. */
	ck_assert_uint_eq(flushes, 1);
	ck_assert_uint_ge(time_zones, 1);
}

static void end(void)
{
	mounted_close(&mounted);
	filesystems_free(&stamps);
	last = (struct last){ 0 };
	made_root_remove();
}

static size_t close_gate(void)
{
	return last_gate_close(&mounted, made_root, &last);
}

START_TEST(lets_through_what_is_the_same)
{
	put_ext("/dev/vda1", 1, 5);
	mount_one("/dev/vda1", "254:1", "ext4");
	ck_assert_uint_eq(close_gate(), 0);
	last_gate_shut_down(&mounted);
	ck_assert_str_eq(asked, "");
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(last.shut_down, "");
}
END_TEST

/* Nothing reaches its journal any more after the shutdown, which precedes the thaw of the
 * kernel's threads. */
START_TEST(cuts_off_then_shuts_down)
{
	put_ext("/dev/vda1", 1, 5);
	mount_one("/dev/vda1", "254:1", "ext4");
	put_ext("/dev/vda1", 1, 6);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_str_eq(asked, "resize /dev/vda 1 1048576+512\nshut down /mnt\n");
	ck_assert_ptr_nonnull(strstr(said, "<1>ANOTHER SYSTEM CHANGED the file system on "
					   "/dev/vda1 (/mnt) while this session slept (mounted 6"));
	ck_assert_ptr_nonnull(strstr(said, "nothing was written to it"));
	ck_assert_ptr_nonnull(strstr(last.shut_down, "/dev/vda1 (/mnt): mounted 6 times"));
	ck_assert_ptr_nonnull(strstr(last.shut_down, ": cut off"));
	last_gate_shut_down(&mounted);
	ck_assert_str_eq(asked, "resize /dev/vda 1 1048576+512\nshut down /mnt\n");
}
END_TEST

/* Another file system is in its place, or none. */
START_TEST(knows_a_new_one)
{
	put_ext("/dev/vda1", 1, 5);
	mount_one("/dev/vda1", "254:1", "ext4");
	memset(disk, 0, sizeof(disk));
	switch (_i) {
	case 0:
		put_ext("/dev/vda1", 9, 5);
		break;
	case 1: /* an xfs without sense, or what points to nowhere */
		memcpy(disk, "XFSB", 4);
		disk[55] = 1;
		put_disk("/dev/vda1");
		break;
	case 2:
		put_fat("/dev/vda1", 7, 1);
		put_le16(disk + 0x0e, 0xffff);
		put_disk("/dev/vda1");
		break;
	default:
		put_disk("/dev/vda1");
	}
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_ptr_nonnull(strstr(said, "(another one; then: mounted 5"));
}
END_TEST

static const struct {
	const char *device, *number, *asked, *state;
} ways[] = {
	{ "/dev/dm-3", "253:3", "table fd03 0+8192 error\nresume fd03\nshut down /mnt\n", NULL },
	{ "/dev/sda", "8:0", "shut down /mnt\n", "/sys/class/block/sda/device/state" },
	{ "/dev/md0", "9:0", "resize /dev/vdc 1 8192+4096\nshut down /mnt\n",
	  "/sys/class/block/sdb/device/state" },
};

START_TEST(knows_a_way_for_each)
{
	char full[PATH_MAX], state[20] = "";
	int fd;

	put_ext(ways[_i].device, 1, 5);
	mount_one(ways[_i].device, ways[_i].number, "ext4");
	put_ext(ways[_i].device, 1, 6);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_str_eq(asked, ways[_i].asked);
	ck_assert_ptr_nonnull(strstr(last.shut_down, ": cut off"));
	ck_assert_ptr_nonnull(strstr(said, "nothing was written to it"));
	if (!ways[_i].state)
		return;
	snprintf(full, sizeof(full), "%s%s", made_root, ways[_i].state);
	fd = open(full, O_RDONLY);
	ck_assert_int_gt(read(fd, state, sizeof(state) - 1), 0);
	close(fd);
	ck_assert_str_eq(state, "offline\n");
}
END_TEST

/* A device that is shared, or that cannot be cut off, stays. Then the file system is shut down
 * before the kernel's threads are thawed. */
START_TEST(shuts_down_what_cannot_be_cut)
{
	bool shared = _i == 1;

	if (shared)
		made_put("/sys/devices/x/block/sdb/holders/md1/x", "");
	put_ext(shared ? "/dev/md0" : "/dev/vdb", 1, 5);
	mount_one(shared ? "/dev/md0" : "/dev/vdb", shared ? "9:0" : "254:16", "ext4");
	put_ext(shared ? "/dev/md0" : "/dev/vdb", 1, 6);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_str_eq(asked, "shut down /mnt\n");
	ck_assert_ptr_nonnull(strstr(last.shut_down, ": shut down"));
	ck_assert_ptr_nonnull(strstr(said, "do not unmount it"));
}
END_TEST

/* It would wait for a thread of its own, which is frozen. */
START_TEST(does_not_wait_for_f2fs)
{
	put_f2fs("/dev/vdb", 1);
	mount_one("/dev/vdb", "254:16", "f2fs");
	put_f2fs("/dev/vdb", 2);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_str_eq(asked, "");
	last_gate_shut_down(&mounted);
	ck_assert_str_eq(asked, "shut down /mnt\n");
}
END_TEST

/* Shutting these down is all that would write to what was mounted read-only. */
START_TEST(leaves_what_is_read_only)
{
	bool f2fs = _i == 1;

	option = "ro";
	for (unsigned char n = 1; n <= 2; n++) {
		if (f2fs)
			put_f2fs("/dev/vdb", n);
		else
			put_ext("/dev/vdb", 1, n);
		if (n == 1)
			mount_one("/dev/vdb", "254:16", f2fs ? "f2fs" : "ext4");
	}
	option = "rw";
	ck_assert_uint_eq(close_gate(), 1);
	last_gate_shut_down(&mounted);
	ck_assert_str_eq(asked, "");
	ck_assert_ptr_nonnull(strstr(said, "write nothing there"));
}
END_TEST

START_TEST(says_when_nothing_works)
{
	no_shut_down = no_resize = true;
	put_ext("/dev/vda1", 1, 5);
	mount_one("/dev/vda1", "254:1", "ext4");
	put_ext("/dev/vda1", 1, 6);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_ptr_nonnull(strstr(said, "<1>ANOTHER SYSTEM CHANGED"));
	ck_assert_ptr_nonnull(strstr(said, "CANNOT BE SHUT DOWN"));
	ck_assert_ptr_nonnull(strstr(last.shut_down, ": NOT shut down"));
}
END_TEST

/* The superblock of ext is in the first sector where that has 4096 bytes; MD may keep its
 * own at the end. */
START_TEST(says_when_its_first_sector_is_left)
{
	const char *device = _i == 0 ? "/dev/vda1" : "/dev/md0";

	made_put("/sys/devices/x/block/vda/queue/logical_block_size", "4096\n");
	made_put("/sys/devices/virtual/block/md0/md/dev-vdc1/offset", "0\n");
	put_ext(device, 1, 5);
	mount_one(device, _i == 0 ? "254:1" : "9:0", "ext4");
	put_ext(device, 1, 6);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_ptr_nonnull(strstr(last.shut_down, ": cut off"));
	ck_assert_ptr_null(strstr(said, "nothing was written to it"));
	ck_assert_ptr_nonnull(strstr(said, "except for its first sector"));
}
END_TEST

/* Unmounting FAT writes its first sector: the old one over a new file system's. */
START_TEST(knows_what_fat_writes)
{
	no_shut_down = true;
	put_fat("/dev/vda1", 7, 1);
	mount_one("/dev/vda1", "254:1", "vfat");
	put_fat("/dev/vda1", _i == 0 ? 7 : 8, 2);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert((strstr(said, "nothing was written to it") != NULL) == (_i == 0));
	ck_assert((strstr(said, "except for its first sector") != NULL) == (_i == 1));
}
END_TEST

/* systemd-boot renewed its random seed: the directory that has it got another time. */
START_TEST(lets_the_firmware_write)
{
	static const unsigned char loader[32] = "LOADER     \x10";
	unsigned char *entry = disk + 24 * 512;

	put_fat("/dev/vda1", 7, 1);
	memcpy(entry, loader, 32);
	memset(entry + 32, 0x41, 32); /* of a long name */
	entry[32 + 11] = 0x0f;
	put_disk("/dev/vda1");
	mount_one("/dev/vda1", "254:1", "vfat");
	entry[11] |= 0x20;
	put_le16(entry + 18, 0x5b7b);
	put_le32(entry + 22, 0x5b7b1234);
	if (_i == 1)
		entry[26] ^= 1; /* where it begins */
	if (_i == 2)
		entry[32 + 22] ^= 1;
	put_disk("/dev/vda1");
	ck_assert_uint_eq(close_gate(), _i > 0);
}
END_TEST

/* Two cards that were written from one image: one of them was changed. */
START_TEST(leaves_a_copy_alone)
{
	if (_i == 0) {
		put_ext("/dev/vda1", 1, 5);
		put_ext("/dev/dm-3", 1, 5);
	} else {
		put_fat("/dev/vda1", 7, 1);
		put_fat("/dev/dm-3", 7, 1);
	}
	made_put("/mnt/id", "30\n");
	made_put("/other/id", "31\n");
	mount_all("30 1 254:1 / /mnt rw - ext4 /dev/vda1 rw\n"
		  "31 1 253:3 / /other rw - ext4 /dev/dm-3 rw\n");
	asked[0] = '\0';
	if (_i == 0)
		put_ext("/dev/vda1", 1, 6);
	else
		put_fat("/dev/vda1", 7, 2);
	ck_assert_uint_eq(close_gate(), 1);
	ck_assert_str_eq(asked, "resize /dev/vda 1 1048576+512\nshut down /mnt\n");
}
END_TEST

/* Its disk is slow, or gone: its state is unknown, and nothing is done to it. */
START_TEST(leaves_alone_what_does_not_answer)
{
	put_ext("/dev/vda1", 1, 5);
	mount_one("/dev/vda1", "254:1", "ext4");
	made_put("/dev/vda1", "");
	ck_assert_uint_eq(close_gate(), 0);
	ck_assert_uint_eq(pauses, 4);
	ck_assert_str_eq(asked, "");
	ck_assert_ptr_nonnull(strstr(said, "<4>/dev/vda1 (/mnt) does not answer"));
}
END_TEST

/* One of its devices was mounted alone, degraded. */
START_TEST(cuts_off_every_member)
{
	made_put("/sys/fs/btrfs/abababab-abab-abab-abab-abababababab/devices/vda1/x", "");
	made_put("/sys/fs/btrfs/abababab-abab-abab-abab-abababababab/devices/sda/x", "");
	made_put("/mnt/id", "30\n");
	put_btrfs("/dev/vda1", 1, 5);
	put_btrfs("/dev/sda", 2, 5);
	mount_all("30 1 0:40 / /mnt rw - btrfs /dev/vda1 rw\n");
	ck_assert_uint_eq(stamps.items.count, 2);
	ck_assert_str_eq(stamps.items.items[1].device, "/dev/sda");
	ck_assert(!filesystem_same(&stamps.items.items[0], &stamps.items.items[1]));
	asked[0] = '\0';
	put_btrfs("/dev/sda", 2, 6);
	ck_assert_uint_eq(close_gate(), 1);
	last_gate_shut_down(&mounted);
	ck_assert_str_eq(asked, "resize /dev/vda 1 1048576+512\nshut down /mnt\n");
}
END_TEST

/* The directory is that of the very mount, if only another of the same device. A
 * program that answers for a file system is frozen, and not asked. */
START_TEST(opens_the_right_directory)
{
	put_ext("/dev/vda1", 1, 5);
	put_ext("/dev/sda", 2, 5);
	put_ext("/dev/vdb", 3, 5);
	made_put("/mnt/id", "99\n");
	made_put("/other/id", "31\n");
	made_put("/fuse/id", "32\n");
	made_put("/hidden/id", "98\n");
	mount_all("30 1 254:1 / /mnt rw - ext4 /dev/vda1 rw\n"
		  "31 1 254:1 /sub /other rw - ext4 /dev/vda1 rw\n"
		  "32 1 8:0 / /fuse rw - fuseblk /dev/sda rw\n"
		  "33 1 254:16 / /hidden rw - ext4 /dev/vdb rw\n");
	ck_assert_str_eq(asked, "sync /other\n");
	ck_assert_uint_eq(flushes, 3);
	ck_assert_int_eq(mounted.items[1].directory, -1);
	ck_assert_int_ge(mounted.items[1].device, 0);
	ck_assert_int_eq(mounted.items[2].directory, -1);
}
END_TEST

/* The program of a FUSE directory on the way is frozen with its user's session, also where that was
 * mounted over the path later. */
START_TEST(follows_no_path_through_a_program)
{
	put_ext("/dev/vda1", 1, 5);
	put_ext("/dev/sda", 2, 5);
	put_ext("/dev/vdb", 3, 5);
	made_put("/mnt/fuse/deep/id", "30\n");
	made_put("/mnt/fuse2/id", "31\n");
	made_put("/over/a/id", "32\n");
	mount_all("29 1 0:50 / /mnt/fuse rw - fuse.sshfs host: rw\n"
		  "30 29 254:1 / /mnt/fuse/deep rw - ext4 /dev/vda1 rw\n"
		  "31 1 8:0 / /mnt/fuse2 rw - ext4 /dev/sda rw\n"
		  "32 1 254:16 / /over/a rw - ext4 /dev/vdb rw\n"
		  "33 1 0:51 / /over rw - fuse.x x rw\n");
	ck_assert_str_eq(asked, "sync /mnt/fuse2\n");
	ck_assert_uint_eq(flushes, 3);
}
END_TEST

/* The kernel wrote to it between its stamp and the snapshot: the restored system would
 * take that for another's. */
START_TEST(wants_another_snapshot)
{
	static unsigned char header[4096];
	struct platform_section captured = { 0 };
	struct platform_maker maker = platform_section_maker(&captured);
	const void *section;
	size_t size;

	put_ext("/dev/vda1", 1, 5);
	made_put("/mnt/id", "30\n");
	made_put("/proc/self/mountinfo", "30 1 254:1 / /mnt rw - ext4 /dev/vda1 rw\n");
	ck_assert_int_eq(mounted_open(made_root, &captured.mounted, &captured.platform.filesystems),
			 0);
	platform_section_stamp(&captured);
	ck_assert_str_eq(asked, "sync /mnt\n");
	ck_assert_uint_eq(captured.platform.hibernation.last_gate, 1);
	ck_assert(platform_section_has_stamps(&captured));
	ck_assert_int_eq(maker.make(maker.context, header, sizeof(header), &section, &size), 0);
	put_ext("/dev/vda1", 1, 6);
	ck_assert_int_eq(maker.make(maker.context, header, sizeof(header), &section, &size),
			 -ESTALE);
	ck_assert(!platform_section_has_stamps(&captured));
	platform_section_stamp(&captured);
	ck_assert_int_eq(maker.make(maker.context, header, sizeof(header), &section, &size), 0);
	platform_section_free(&captured);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *gate = test_case(suite, "gate");

	tcase_add_checked_fixture(gate, make_gate, end);
	tcase_add_test(gate, lets_through_what_is_the_same);
	tcase_add_test(gate, cuts_off_then_shuts_down);
	tcase_add_loop_test(gate, knows_a_new_one, 0, 4);
	tcase_add_loop_test(gate, knows_a_way_for_each, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(gate, shuts_down_what_cannot_be_cut, 0, 2);
	tcase_add_test(gate, does_not_wait_for_f2fs);
	tcase_add_loop_test(gate, leaves_what_is_read_only, 0, 2);
	tcase_add_test(gate, says_when_nothing_works);
	tcase_add_loop_test(gate, says_when_its_first_sector_is_left, 0, 2);
	tcase_add_loop_test(gate, knows_what_fat_writes, 0, 2);
	tcase_add_loop_test(gate, lets_the_firmware_write, 0, 3);
	tcase_add_loop_test(gate, leaves_a_copy_alone, 0, 2);
	tcase_add_test(gate, leaves_alone_what_does_not_answer);
	tcase_add_test(gate, cuts_off_every_member);
	tcase_add_test(gate, opens_the_right_directory);
	tcase_add_test(gate, follows_no_path_through_a_program);
	tcase_add_test(gate, wants_another_snapshot);
}
