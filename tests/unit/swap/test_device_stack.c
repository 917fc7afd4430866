/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies below a swap area, from a made sysfs, and what the device mapper reports. */
#include "fixtures/check_main.h"
#include "swap/device_stack.h"

#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/machine/made_root.h"
#include "swap/mapper_targets.h"
#include "swap/wiped_disk.h"

#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* A block device with one attribute; NULL for none. */
static void made_device(const char *numbers, const char *name, const char *attribute,
			const char *value)
{
	char path[256], text[256];

	snprintf(path, sizeof(path), "/sys/dev/block/%s/uevent", numbers);
	snprintf(text, sizeof(text), "MAJOR=1\nDEVNAME=%s\nDEVTYPE=disk\n", name);
	made_put(path, text);
	if (!attribute)
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%s/%s", numbers, attribute);
	made_put(path, value);
}

/* ext4 on LVM on LUKS on two mirrored partitions, as in sysfs. */
static void make_tower(void)
{
	made_device("253:1", "dm-1", "dm/name", "vg-root\n");
	made_device("253:1", "dm-1", "dm/uuid", "LVM-abc\n");
	made_device("253:1", "dm-1", "slaves/dm-0/dev", "253:0\n");
	made_device("253:0", "dm-0", "dm/name", "md0_crypt\n");
	made_device("253:0", "dm-0", "dm/uuid", "CRYPT-LUKS2-0123-md0_crypt\n");
	made_device("253:0", "dm-0", "slaves/md0/dev", "9:0\n");
	made_device("9:0", "md0", "md/level", "raid1\n");
	made_device("9:0", "md0", "slaves/sda1/dev", "8:1\n");
	made_device("9:0", "md0", "slaves/sdb1/dev", "8:17\n");
	made_put("/sys/devices/sda/uevent", "DEVNAME=sda\n");
	made_put("/sys/devices/sda/dev", "8:0\n");
	made_put("/sys/devices/sda/sda1/uevent", "DEVNAME=sda1\n");
	made_put("/sys/devices/sda/sda1/partition", "1\n");
	made_link("/sys/dev/block/8:1", "../../devices/sda/sda1");
	made_link("/sys/dev/block/8:0", "../../devices/sda");
	made_device("8:17", "sdb1", "partition", "1\n");
}

START_TEST(walks_a_stack)
{
	struct device_stack stack;
	struct why w = { "" };
	char text[256];

	make_tower();
	ck_assert_msg(device_stack_read(made_root, makedev(253, 1), &stack, &w) == 0, "%s", w.text);
	ck_assert_str_eq(device_stack_text(&stack, text, sizeof(text)),
			 "LVM vg-root on LUKS2 md0_crypt on raid1 md0 on partition sda1 on sda on "
			 "partition sdb1");
	ck_assert(device_stack_has(&stack, LAYER_MD));
	ck_assert(!device_stack_has(&stack, LAYER_LOOP));
	ck_assert_int_eq(device_stack_check(made_root, &stack, &w), 0);
	device_stack_text(&stack, text, 10);
	ck_assert_uint_lt(strlen(text), 10);
	/* Not as long as one is. */
	ck_assert_str_eq(stack.layers[1].luks, "");
	made_device("253:0", "dm-0", "dm/uuid",
		    "CRYPT-LUKS2-bd6056f3000040008000000000000002-md0_crypt\n");
	ck_assert_int_eq(device_stack_read(made_root, makedev(253, 1), &stack, &w), 0);
	ck_assert_str_eq(stack.layers[1].luks, "bd6056f3-0000-4000-8000-000000000002");

	made_put("/etc/crypttab", "# c\nmd0_crypt /dev/md0 none luks\n");
	ck_assert_int_eq(device_stack_check(made_root, &stack, &w), 0);
	made_put("/etc/crypttab", "other /dev/x none\nmd0_crypt\t/dev/md0  /dev/urandom plain\n");
	ck_assert_int_eq(device_stack_check(made_root, &stack, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "random at every boot"));
	ck_assert_int_eq(device_stack_read(made_root, makedev(1, 99), &stack, &w), -ENODEV);
}
END_TEST

/* A device of the mapper, and what it lies on. */
struct mapped {
	const char *name, *uuid;
	const char *targets;	/* NULL: the kernel is not asked */
	const char *below_name; /* NULL: a disk */
	const char *below_uuid;
};

static void make_mapped(const struct mapped *m)
{
	char text[128];

	made_device("253:5", "dm-5", "dm/name", m->name);
	made_device("253:5", "dm-5", "dm/uuid", m->uuid);
	snprintf(text, sizeof(text), "1:2 linear\n253:5 %s\n253:55 linear\n", m->targets);
	if (m->targets)
		made_put("/mapper", text);
	if (m->below_name) {
		made_device("253:5", "dm-5", "slaves/dm-4/dev", "253:4\n");
		made_device("253:4", "dm-4", "dm/name", m->below_name);
		made_device("253:4", "dm-4", "dm/uuid", m->below_uuid);
		made_device("253:4", "dm-4", "slaves/sda3/dev", "8:3\n");
	}
	made_device("8:3", "sda3", "partition", "3\n");
}

static int check(dev_t dev, struct why *w)
{
	struct device_stack stack;

	ck_assert_int_eq(device_stack_read(made_root, dev, &stack, w), 0);
	return device_stack_check(made_root, &stack, w);
}

/* Volumes differ by what is below them, and what they are below. */
static const struct {
	struct mapped mapped;
	const char *says; /* NULL: an image can lie there */
} mapped[] = {
	{ { "pve-swap\n", "LVM-aabb\n", NULL, NULL, NULL }, NULL },
	{ { "pve-swap\n", "LVM-aabb\n", "linear striped", NULL, NULL }, NULL },
	{ { "vg-swap\n", "LVM-aabb\n", "raid", "vg-swap_rimage_0\n", "LVM-aacc\n" }, NULL },
	{ { "mpatha-part2\n", "part2-mpath-36001\n", "linear", "mpatha\n", "mpath-36001\n" },
	  NULL },
	{ { "luks\n", "CRYPT-LUKS2-0123-luks\n", "crypt", NULL, NULL }, NULL },
	{ { "luks\n", "CRYPT-LUKS1-0123-luks\n", NULL, "v\n", "LVM-aabb\n" }, NULL },
	{ { "bitlk\n", "CRYPT-BITLK-0123-bitlk\n", "crypt", NULL, NULL }, NULL },
	{ { "v\n", "\n", "linear", NULL, NULL }, NULL },

	{ { "pve-swapthin\n", "LVM-aabb\n", NULL, "pve-data-tpool\n", "LVM-aacc-tpool\n" },
	  "pve-data-tpool (thin pool), which updates" },
	{ { "pve-swapthin\n", "LVM-aabb\n", "thin", "pve-data-tpool\n", "LVM-aacc-tpool\n" },
	  "pve-swapthin (thin), which updates" },
	{ { "docker-8:3-1\n", "\n", "thin", NULL, NULL }, "(thin)" },
	{ { "vg-swap\n", "LVM-aabb\n", NULL, "vg-c_cvol\n", "LVM-aacc-cvol\n" }, "(cache)" },
	{ { "vg-swap\n", "LVM-aabb\n", NULL, "vg-c_cdata\n", "LVM-aacc-cdata\n" }, "(cache)" },
	{ { "vg-swap\n", "LVM-aabb\n", "cache", NULL, NULL }, "(cache)" },
	{ { "vg-swap\n", "LVM-aabb\n", "writecache", NULL, NULL }, "(writecache)" },
	{ { "vg-swap\n", "LVM-aabb\n", NULL, "vg-v-vpool\n", "LVM-aacc-vpool\n" }, "(VDO pool)" },
	{ { "vg-swap\n", "LVM-aabb\n", "vdo", NULL, NULL }, "(vdo)" },
	{ { "vg-swap\n", "LVM-aabb\n", NULL, "vg-swap-real\n", "LVM-aabb-real\n" },
	  "(snapshot or cache)" },
	{ { "vg-snap\n", "LVM-aabb\n", NULL, "vg-snap-cow\n", "LVM-aabb-cow\n" }, "(snapshot)" },
	{ { "v\n", "\n", "snapshot-origin", NULL, NULL }, "(snapshot-origin)" },
	{ { "v\n", "\n", "linear snapshot", NULL, NULL }, "(snapshot)" },
	{ { "i\n", "CRYPT-INTEGRITY-i\n", NULL, NULL, NULL }, "(integrity)" },
	{ { "l\n", "CRYPT-LUKS2-01-l\n", "crypt", "l_dif\n", "CRYPT-SUBDEV-01-l_dif\n" },
	  "l_dif (integrity)" },
	{ { "vg-swap\n", "LVM-aabb\n", NULL, "vg-swap_rimage_0_imeta\n", "LVM-aacc\n" },
	  "(integrity)" },
	{ { "v\n", "\n", "a-target-of-tomorrow", NULL, NULL }, "(a-target-of-tomorrow)" },

	{ { "cryptswap\n", "CRYPT-PLAIN-cryptswap\n", NULL, NULL, NULL },
	  "cryptswap, dm-crypt without a LUKS header" },
	{ { "cryptswap\n", "\n", "crypt", NULL, NULL }, "cryptswap, dm-crypt without a LUKS" },
	{ { "tmp\n", "CRYPT-TEMP-tmp\n", "crypt", NULL, NULL }, "random at every boot" },
};

START_TEST(judges_mappings)
{
	struct why w = { "" };

	make_mapped(&mapped[_i].mapped);
	ck_assert_msg(check(makedev(253, 5), &w) == (mapped[_i].says ? -EINVAL : 0), "%s", w.text);
	if (mapped[_i].says)
		ck_assert_msg(strstr(w.text, mapped[_i].says) != NULL, "%s", w.text);
}
END_TEST

/* A mapping without a header, and the lines of crypttab with it. */
static const struct {
	const char *crypttab;
	const char *says;
} keys[] = {
	{ "cryptswap UUID=4444 /dev/urandom swap,plain,offset=1024\n", "random at every boot" },
	{ "cryptswap\tUUID=4444\t/dev/random\n", "random at every boot" },
	{ "cryptswap /dev/sda3 /dev/hwrng plain", "random at every boot" },
	{ "cryptswap /dev/sda3 /etc/swap.key plain\ncryptswap /dev/sda3 /dev/urandom\n",
	  "random at every boot" },
	{ "cryptswap /dev/sda3 /etc/swap.key plain\n", NULL },
	{ "cryptswap /dev/sda3 none plain\n", NULL },
	{ "cryptswap /dev/sda3\n", NULL },
	{ "cryptswap /dev/sda3 /dev/urandom:UUID=44 plain\n", "random at every boot" },
	{ "cryptswap /dev/sda3 /dev/urandom.key plain\n", NULL },
	{ "#cryptswap /dev/sda3 /etc/swap.key plain\n", "names no key" },
	{ "# cryptswap /dev/sda3 /etc/swap.key\n", "names no key" },
	{ "cryptswap2 /dev/sda3 /etc/swap.key plain\n", "names no key" },
	{ "cryptswap\n", "names no key" },
	{ "", "names no key" },
};

START_TEST(judges_keys_without_a_header)
{
	const struct mapped plain = { "cryptswap\n", "CRYPT-PLAIN-cryptswap\n", NULL, NULL, NULL };
	struct why w = { "" };

	make_mapped(&plain);
	made_put("/etc/crypttab", keys[_i].crypttab);
	ck_assert_msg(check(makedev(253, 5), &w) == (keys[_i].says ? -EINVAL : 0), "%s", w.text);
	if (keys[_i].says)
		ck_assert_msg(strstr(w.text, keys[_i].says) != NULL, "%s", w.text);
}
END_TEST

/* The hook "encrypt" of mkinitcpio needs no crypttab. */
static const struct {
	const char *cmdline;
	bool named;
} cmdlines[] = {
	{ "quiet cryptdevice=UUID=1:cryptswap crypto=sha512:aes:512:0:\n", true },
	{ "cryptdevice=/dev/sda3:cryptswap:allow-discards", true },
	{ "cryptdevice=/dev/sda3:other cryptdevice=/dev/sda4:cryptswap", true },
	{ "cryptdevice=/dev/sda3:cryptswap2", false },
	{ "cryptdevice=cryptswap", false },
	{ "nocryptdevice=/dev/sda3:cryptswap", false },
};

START_TEST(opened_by_the_initramfs)
{
	const struct mapped plain = { "cryptswap\n", "CRYPT-PLAIN-cryptswap\n", NULL, NULL, NULL };
	struct why w = { "" };

	make_mapped(&plain);
	made_put("/proc/cmdline", cmdlines[_i].cmdline);
	ck_assert_msg(check(makedev(253, 5), &w) == (cmdlines[_i].named ? 0 : -EINVAL), "%s",
		      w.text);
	made_put("/etc/crypttab", "cryptswap /dev/sda3 /dev/urandom swap\n");
	ck_assert_int_eq(check(makedev(253, 5), &w), -EINVAL);
}
END_TEST

static bool known(dev_t dev)
{
	struct device_stack stack;

	ck_assert_int_eq(device_stack_read(made_root, dev, &stack, NULL), 0);
	return device_stack_known(&stack);
}

/* An unknown layer is neither refused nor reported as sound. */
START_TEST(not_all_is_known)
{
	const struct mapped lvm = { "vg-swap\n", "LVM-aabb\n", NULL, NULL, NULL };
	const struct mapped unnamed = { "v\n", "\n", NULL, NULL, NULL };
	const struct mapped thin = { "vg-swap\n", "LVM-aabb\n", NULL, "p\n", "LVM-aa-tpool\n" };
	struct device_stack stack;
	struct why w = { "" };

	make_mapped(&lvm);
	ck_assert(known(makedev(253, 5)));
	make_mapped(&unnamed);
	ck_assert(!known(makedev(253, 5)));
	made_put("/mapper", "253:5 linear\n");
	ck_assert(known(makedev(253, 5)));
	make_mapped(&thin);
	made_put("/sys/dev/block/8:3/uevent", NULL);
	ck_assert(!known(makedev(253, 5)));
	ck_assert_int_eq(check(makedev(253, 5), &w), -EINVAL);
	made_put("/sys/dev/block/253:5/uevent", NULL);
	ck_assert_int_eq(device_stack_read(made_root, makedev(253, 5), &stack, NULL), -ENODEV);
}
END_TEST

/* Only what is below the root names a bus. */
static const struct {
	const char *path;
	bool iscsi;
} paths[] = {
	{ "/sys/devices/platform/host1/session3/target1:0:0/1:0:0:0/block/sdz", true },
	{ "/sys/devices/platform/sessions/targets/block/sdz", false },
	{ "/sys/devices/pci0/target0:0:0/0:0:0:0/block/sdz", false },
	{ "/sys/devices/session1/x/target0:0:0/block/sdz", false },
};

START_TEST(iscsi_by_its_path)
{
	char above[128], path[256];
	struct device_stack stack;
	struct why w = { "" };

	snprintf(path, sizeof(path), "/session1/target1:0:0%s/uevent", paths[_i].path);
	made_put(path, "DEVNAME=sdz\n");
	snprintf(path, sizeof(path), "../../..%s", paths[_i].path);
	made_link("/session1/target1:0:0/sys/dev/block/8:9", path);
	snprintf(above, sizeof(above), "%s/session1/target1:0:0", made_root);
	ck_assert_int_eq(device_stack_read(above, makedev(8, 9), &stack, NULL), 0);
	ck_assert_int_eq(device_stack_check(above, &stack, &w), paths[_i].iscsi ? -EINVAL : 0);
}
END_TEST

static const struct {
	const char *name, *attribute, *value, *says;
} devices[] = {
	{ "zram0", NULL, NULL, "which is memory" },
	{ "ram1", NULL, NULL, "which is memory" },
	{ "nullb0", NULL, NULL, "which is memory" },
	{ "nbd0", NULL, NULL, "over the network" },
	{ "rbd0", NULL, NULL, "over the network" },
	{ "rnbd0", NULL, NULL, "over the network" },
	{ "drbd1", NULL, NULL, "over the network" },
	{ "etherd/e0.0", NULL, NULL, "over the network" },
	{ "nvme0n1", "device/transport", "tcp\n", "over the network" },
	{ "nvme0n1", "device/nvme3/transport", "rdma\n", "over the network" },
	{ "zd16", NULL, NULL, "ZFS volume" },
	{ "loop3", "loop/backing_file", "/var/a;b.img\n", "over /var/a;b.img" },
	{ "loop3", NULL, NULL, "loop device (loop3)" },
	{ "ublkb0", NULL, NULL, "which is served by a program" },
	{ "bcache0", NULL, NULL, "bcache0 (bcache), which updates" },
	{ "nvme1n1", "device/model", "Amazon EC2 NVMe Instance Storage        \n",
	  "nvme1n1 (instance store of EC2), which is empty when" },
	{ "nvme0n1", "device/model", "Amazon Elastic Block Store              \n", NULL },
	{ "md0", "md/level", "raid1\n", NULL },
	{ "nvme0n1", "device/transport", "pcie\n", NULL },
	{ "nvme0n1", "device/nvme3/transport", "pcie\n", NULL },
	{ "nvme0n1", NULL, NULL, NULL },
	{ "mmcblk0", NULL, NULL, NULL },
	{ "vda", NULL, NULL, NULL },
};

START_TEST(judges_devices)
{
	struct why w = { "" };

	made_device("7:3", devices[_i].name, devices[_i].attribute, devices[_i].value);
	ck_assert_msg(check(makedev(7, 3), &w) == (devices[_i].says ? -EINVAL : 0), "%s", w.text);
	if (devices[_i].says)
		ck_assert_msg(strstr(w.text, devices[_i].says) != NULL, "%s", w.text);
}
END_TEST

#define AZURE "7783-7084-3265-9085-8269-3286-77"
#define VMBUS "/sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00/"
#define GEN1 VMBUS "00000000-0001-8899-0000-000000000000/host1/target1:0:1/1:0:1:0/block/sdb"
#define GEN2 VMBUS "f8b3781a-1e82-4818-a1c3-63d806ec15bb/host0/target0:0:0/0:0:0:"
#define DATA VMBUS "f8b3781b-1e82-4818-a1c3-63d806ec15bb/host1/target1:0:0/1:0:0:1/block/sdc"

static const struct {
	const char *model, *path, *tag;
	const char *says;
} clouds[] = {
	{ "Amazon EC2 NVMe Instance Storage", "", "", "instance store of EC2" },
	{ "Amazon Elastic Block Store", "", "", NULL },
	{ "EphemeralDisk", "", "", "local SSD of Google's cloud" },
	{ "PersistentDisk", "", "", NULL },
	{ "nvme_card0      ", "", "", "local SSD of Google's cloud" },
	{ "nvme_card", "", "", "local SSD of Google's cloud" },
	{ "nvme_card-pd", "", "", NULL },
	{ "Microsoft NVMe Direct Disk v2", "", AZURE, "local disk of Azure" },
	{ "MSFT NVMe Accelerator v1.0", "", AZURE, NULL },
	{ "Virtual Disk", GEN1, AZURE, "resource disk of Azure" },
	{ "Virtual Disk", GEN2 "1/block/sdb", AZURE, "resource disk of Azure" },
	{ "Virtual Disk", GEN2 "0/block/sda", AZURE, NULL },
	{ "Virtual Disk", GEN2 "10/block/sda", AZURE, NULL },
	{ "Virtual Disk", DATA, AZURE, NULL },
	/* Hyper-V elsewhere */
	{ "Virtual Disk", GEN1, "", NULL },
	{ "Virtual Disk", GEN2 "1/block/sdb", "1234", NULL },
	{ "", "", "", NULL },
};

START_TEST(knows_disks_that_are_wiped)
{
	const char *kind = wiped_disk_by_name(clouds[_i].model, clouds[_i].path, clouds[_i].tag);

	ck_assert(!kind == !clouds[_i].says);
	if (kind)
		ck_assert_str_eq(kind, clouds[_i].says);
}
END_TEST

/* A file system on a partition of it, both as in sysfs. */
START_TEST(sees_the_disk_below_a_partition)
{
	struct why w = { "" };

	made_put(GEN1 "/uevent", "DEVNAME=sdb\n");
	made_put(GEN1 "/dev", "8:16\n");
	made_put(GEN1 "/sdb1/uevent", "DEVNAME=sdb1\n");
	made_put(GEN1 "/sdb1/partition", "1\n");
	made_link("/sys/dev/block/8:16", "../../.." GEN1);
	made_link("/sys/dev/block/8:17", "../../.." GEN1 "/sdb1");
	ck_assert_int_eq(check(makedev(8, 17), &w), 0);
	made_put("/sys/class/dmi/id/chassis_asset_tag", AZURE "\n");
	ck_assert_int_eq(check(makedev(8, 17), &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "sdb (resource disk of Azure)"));
}
END_TEST

/* A journal records what was written last; a bitmap only where copies may differ. */
START_TEST(judges_journals_of_raids)
{
	struct why w = { "" };

	made_device("9:0", "md0", "md/level", "raid5\n");
	made_device("9:0", "md0", "md/consistency_policy", "bitmap\n");
	ck_assert_int_eq(check(makedev(9, 0), &w), 0);
	made_device("9:0", "md0", "md/consistency_policy", "journal\n");
	ck_assert_int_eq(check(makedev(9, 0), &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "md0 (raid5 with a journal)"));
	made_device("9:0", "md0", "md/consistency_policy", "ppl\n");
	ck_assert_int_eq(check(makedev(9, 0), &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "md0 (raid5 with a partial parity log)"));
}
END_TEST

/* sysfs cannot contain a loop; it must not hang anyway. */
START_TEST(stacks_without_end)
{
	struct device_stack stack;
	struct why w = { "" };
	char numbers[16], slave[32], text[16];

	made_device("253:0", "dm-0", "slaves/dm-0/dev", "253:0\n");
	ck_assert_int_eq(device_stack_read(made_root, makedev(253, 0), &stack, &w), 0);
	ck_assert_uint_eq(stack.count, 1);
	for (int i = 1; i < LAYERS_MAX + 3; i++) {
		snprintf(numbers, sizeof(numbers), "253:%d", i);
		snprintf(slave, sizeof(slave), "slaves/dm-%d/dev", i + 1);
		snprintf(text, sizeof(text), "253:%d\n", i + 1);
		made_device(numbers, "dm-x", slave, text);
	}
	ck_assert_int_eq(device_stack_read(made_root, makedev(253, 1), &stack, &w), -ELOOP);
}
END_TEST

/* The kernel's answer: targets of these types. */
#define SPACE 4096

static size_t answer(unsigned char *buffer, const char *const *types, size_t count)
{
	struct dm_ioctl header = {
		.data_start = sizeof(header),
		.target_count = (uint32_t)count,
	};
	size_t at = sizeof(header);

	for (size_t i = 0; i < count; i++) {
		struct dm_target_spec spec = { .next = (uint32_t)((i + 1) * (sizeof(spec) + 8)) };

		memcpy(spec.target_type, types[i], min_u64(strlen(types[i]), 16));
		memcpy(buffer + at, &spec, sizeof(spec));
		memset(buffer + at + sizeof(spec), '7', 8);
		at += sizeof(spec) + 8;
	}
	memcpy(buffer, &header, sizeof(header));
	return at;
}

START_TEST(parses_targets)
{
	const char *const types[] = { "linear", "thin", "linear", "thin-pool", "exactlysixteenxx" };
	_Alignas(8) unsigned char buffer[SPACE];
	char text[MAPPER_TARGETS_SIZE], little[8] = "kept";
	size_t length = answer(buffer, types, ARRAY_SIZE(types));

	ck_assert_int_eq(mapper_targets_parse(buffer, length, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "linear thin thin-pool exactlysixteenxx");
	length = answer(buffer, types, 0);
	ck_assert_int_eq(mapper_targets_parse(buffer, length, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "");
	length = answer(buffer, types, 4);
	ck_assert_int_eq(mapper_targets_parse(buffer, length, little, sizeof(little)), -ENOBUFS);
}
END_TEST

/* Offsets that lead outside, or backwards. */
START_TEST(targets_that_contradict_themselves)
{
	const char *const types[] = { "linear", "thin" };
	size_t length, copies = 0, second = sizeof(struct dm_ioctl) + 48;
	unsigned char good[SPACE];
	char text[MAPPER_TARGETS_SIZE] = "kept";
	struct dm_ioctl header;

	length = answer(good, types, ARRAY_SIZE(types));
	for (size_t cut = 0; cut < second + sizeof(struct dm_target_spec); cut++) {
		unsigned char *bytes = malloc(cut + 1); /* for AddressSanitizer */

		ck_assert_ptr_nonnull(bytes);
		memcpy(bytes, good, cut);
		ck_assert_int_eq(mapper_targets_parse(bytes, cut, text, sizeof(text)), -EINVAL);
		free(bytes);
		copies++;
	}
	ck_assert_uint_gt(copies, sizeof(struct dm_ioctl));
	memcpy(&header, good, sizeof(header));
	for (uint32_t next = 0; next <= 1; next++) {
		unsigned char bytes[SPACE];
		struct dm_target_spec spec;

		memcpy(bytes, good, length);
		memcpy(&spec, bytes + sizeof(header), sizeof(spec));
		spec.next = next ? UINT32_MAX : 0;
		memcpy(bytes + sizeof(header), &spec, sizeof(spec));
		ck_assert_int_eq(mapper_targets_parse(bytes, length, text, sizeof(text)), -EINVAL);
	}
	header.flags = DM_BUFFER_FULL_FLAG;
	memcpy(good, &header, sizeof(header));
	ck_assert_int_eq(mapper_targets_parse(good, length, text, sizeof(text)), -ENOBUFS);
	header.flags = 0;
	header.data_start = 3;
	memcpy(good, &header, sizeof(header));
	ck_assert_int_eq(mapper_targets_parse(good, length, text, sizeof(text)), -EINVAL);
	ck_assert_str_eq(text, "kept");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "device_stack");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, walks_a_stack);
	tcase_add_loop_test(tcase, judges_mappings, 0, (int)ARRAY_SIZE(mapped));
	tcase_add_loop_test(tcase, opened_by_the_initramfs, 0, (int)ARRAY_SIZE(cmdlines));
	tcase_add_test(tcase, not_all_is_known);
	tcase_add_loop_test(tcase, iscsi_by_its_path, 0, (int)ARRAY_SIZE(paths));
	tcase_add_loop_test(tcase, judges_keys_without_a_header, 0, (int)ARRAY_SIZE(keys));
	tcase_add_loop_test(tcase, judges_devices, 0, (int)ARRAY_SIZE(devices));
	tcase_add_loop_test(tcase, knows_disks_that_are_wiped, 0, (int)ARRAY_SIZE(clouds));
	tcase_add_test(tcase, sees_the_disk_below_a_partition);
	tcase_add_test(tcase, judges_journals_of_raids);
	tcase_add_test(tcase, stacks_without_end);
	tcase_add_test(tcase, parses_targets);
	tcase_add_test(tcase, targets_that_contradict_themselves);
}
