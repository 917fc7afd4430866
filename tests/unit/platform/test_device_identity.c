/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identity of a device: the same at every boot, different for a copy. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/hardware/device_identity.h"

#include <stdio.h>
#include <string.h>

static unsigned char disk[64 << 10];

static void expect(const char *name, const char *wanted)
{
	char text[DEVICE_IDENTITY_SIZE];

	device_identity(made_root, name, text);
	ck_assert_str_eq(text, wanted);
}

/* A disk with an MBR of this signature, and its partition 2 from sector 2048 on. */
static void make(void)
{
	made_root_create();
	memset(disk, 0, sizeof(disk));
	put_le32(disk + 440, 0x5d15c0de);
	disk[446 + 16 + 4] = 0x83;
	put_le16(disk + 510, 0xaa55);
	made_put_bytes("/dev/sda", disk, sizeof(disk));
	made_put("/sys/devices/x/block/sda/device/wwid", "naa.5000c500a1b2c3d4\n");
	made_put("/sys/devices/x/block/sda/queue/logical_block_size", "512\n");
	made_put("/sys/devices/x/block/sda/sda2/partition", "2\n");
	made_put("/sys/devices/x/block/sda/sda2/start", "2048\n");
	made_link("/sys/class/block/sda", "../../devices/x/block/sda");
	made_link("/sys/class/block/sda2", "../../devices/x/block/sda/sda2");
}

/* Sectors of that size; the entry of partition 2 begins where the kernel says. */
static void make_gpt(unsigned int sector, unsigned int first)
{
	unsigned char *header = disk + sector, *entry = disk + 2 * sector + 128;

	disk[446 + 4] = 0xee;
	memcpy(header, "EFI PART", 8);
	put_le64(header + 72, 2);
	put_le32(header + 80, 128);
	put_le32(header + 84, 128);
	for (unsigned char i = 0; i < 16; i++)
		entry[16 + i] = (unsigned char)(0xa0 + i);
	put_le64(entry + 32, first);
	made_put_bytes("/dev/sda", disk, sizeof(disk));
}

START_TEST(knows_disks)
{
	static const struct {
		const char *path, *value, *wanted;
	} disks[] = {
		{ "/sys/class/block/q/device/wwid", "t10.ATA x\n", "disk t10.ATA x" },
		{ "/sys/class/block/q/wwid", "eui.0025385b\n", "disk eui.0025385b" },
		{ "/sys/class/block/q/serial", "S1\n", "disk S1" },
		{ "/sys/class/block/q/device/serial", "S2\n", "disk S2" },
		{ "/sys/class/block/q/device/cid", "1501\n", "disk 1501" },
		{ "/sys/class/block/q/size", "7\n", "" },
		{ "/sys/class/block/q/serial", "\n", "" },
	};

	made_put(disks[_i].path, disks[_i].value);
	expect("q", disks[_i].wanted);
	if (_i == 0)
		expect("nothing", "");
}
END_TEST

START_TEST(knows_partitions)
{
	expect("sda", "disk naa.5000c500a1b2c3d4");
	expect("sda2", "partition 5d15c0de-02 on disk naa.5000c500a1b2c3d4");
	/* A clone by dd: on another disk. */
	made_put("/sys/devices/x/block/sda/device/wwid", "naa.6\n");
	expect("sda2", "partition 5d15c0de-02 on disk naa.6");
	made_put("/sys/devices/x/block/sda/device/wwid", NULL);
	expect("sda2", "partition 5d15c0de-02 on ");

	make_gpt(512, 2048);
	expect("sda2", "partition a0a1a2a3a4a5a6a7a8a9aaabacadaeaf on ");
	made_put("/sys/devices/x/block/sda/serial", "S1\n");
	expect("sda2", "partition a0a1a2a3a4a5a6a7a8a9aaabacadaeaf on disk S1");
}
END_TEST

START_TEST(knows_large_sectors)
{
	made_put("/sys/devices/x/block/sda/queue/logical_block_size", "4096\n");
	make_gpt(4096, 256);
	expect("sda2", "partition a0a1a2a3a4a5a6a7a8a9aaabacadaeaf on disk naa.5000c500a1b2c3d4");
}
END_TEST

/* Invalid entries are ignored: then the number and the disk have to do. */
START_TEST(believes_no_nonsense)
{
	static const struct {
		unsigned int at, value;
	} nonsense[] = {
		{ 512, 0 },		   /* no header */
		{ 512 + 84, 64 },	   /* entries too small, */
		{ 512 + 84, 129 },	   /* of an odd size, */
		{ 512 + 80, 1 },	   /* one of them, */
		{ 512 + 80, UINT32_MAX },  /* far too many, */
		{ 512 + 76, 1 },	   /* after the end of any disk, */
		{ 512 + 72, 4000 },	   /* or of this one */
		{ 1024 + 128 + 32, 4096 }, /* begins elsewhere */
	};

	make_gpt(512, 2048);
	put_le32(disk + nonsense[_i].at, nonsense[_i].value);
	made_put_bytes("/dev/sda", disk, sizeof(disk));
	expect("sda2", "partition 2 on disk naa.5000c500a1b2c3d4");
}
END_TEST

/* No table, no readable disk, nothing at all. */
START_TEST(does_without_a_table)
{
	put_le16(disk + 510, 0); /* a signature and a partition, but not the mark of an MBR */
	made_put_bytes("/dev/sda", disk, sizeof(disk));
	expect("sda2", "partition 2 on disk naa.5000c500a1b2c3d4");
	memset(disk, 0, sizeof(disk));
	made_put_bytes("/dev/sda", disk, sizeof(disk));
	expect("sda2", "partition 2 on disk naa.5000c500a1b2c3d4");
	made_put("/sys/devices/x/block/sda/device/wwid", NULL);
	expect("sda2", "");
	made_put("/dev/sda", NULL);
	expect("sda2", "");
}
END_TEST

START_TEST(knows_stacks)
{
	made_put("/sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123abcd-home\n");
	made_put("/sys/class/block/dm-0/slaves/sda2/x", "");
	expect("dm-0", "CRYPT-LUKS2-0123abcd on partition 5d15c0de-02 on disk "
		       "naa.5000c500a1b2c3d4");
	/* By another name, in the initramfs. */
	made_put("/sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123abcd-luks-x-y\n");
	expect("dm-0", "CRYPT-LUKS2-0123abcd on partition 5d15c0de-02 on disk "
		       "naa.5000c500a1b2c3d4");
	made_put("/sys/class/block/dm-1/dm/uuid", "LVM-abc\n");
	made_put("/sys/class/block/dm-1/slaves/dm-0/x", "");
	expect("dm-1", "LVM-abc on CRYPT-LUKS2-0123abcd on partition 5d15c0de-02 on disk "
		       "naa.5000c500a1b2c3d4");
	/* Over several disks: its own UUID only. */
	made_put("/sys/class/block/dm-1/slaves/sda/x", "");
	expect("dm-1", "LVM-abc");
	made_put("/sys/class/block/md0/md/uuid", "1:2:3:4\n");
	made_put("/sys/class/block/md0/slaves/sda2/x", "");
	expect("md0", "MD-1:2:3:4");
	/* A loop, which sysfs cannot contain. */
	made_put("/sys/class/block/dm-8/dm/uuid", "LVM-x\n");
	made_put("/sys/class/block/dm-8/slaves/dm-8/x", "");
	expect("dm-8", "LVM-x on LVM-x on LVM-x on LVM-x on LVM-x on LVM-x on LVM-x on LVM-x on "
		       "LVM-x");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_checked_fixture(tcase, make, made_root_remove);
	tcase_add_loop_test(tcase, knows_disks, 0, 7);
	tcase_add_test(tcase, knows_partitions);
	tcase_add_test(tcase, knows_large_sectors);
	tcase_add_loop_test(tcase, believes_no_nonsense, 0, 8);
	tcase_add_test(tcase, does_without_a_table);
	tcase_add_test(tcase, knows_stacks);
}
