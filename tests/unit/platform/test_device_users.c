/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_users: what mounted file systems and swap areas lie on, in made-up sysfs trees. */
#include "fixtures/check_main.h"

#include "base/bytes.h"
#include "platform/hardware/device_users.h"
#include "platform/platform.h"

#include "fixtures/machine/made_sysfs.h"

#include <sys/sysmacros.h>

#define CONTROLLER "/sys/devices/pci0000:00/0000:00:1f.2"
#define OTHER "/sys/devices/pci0000:00/0000:00:04.0"
#define VIRTUAL "/sys/devices/virtual/block"
#define HEAD "Filename Type Size Used Priority\n"
#define NOTHING "37 36 0:5 / /proc rw - proc proc rw\n"

static struct device_users users;

static void look(void)
{
	device_users_free(&users);
	ck_assert_int_eq(device_users_look(made_root, 0, &users), 0);
}

/* Is the controller in use, and the other one not? */
static void expect(const char *what)
{
	const struct device_user *user;

	look();
	user = device_users_find(&users, CONTROLLER);
	ck_assert_ptr_nonnull(user);
	ck_assert_msg(strstr(user->what, what), "%s", user->what);
	ck_assert_ptr_null(device_users_find(&users, OTHER));
	ck_assert(users.items.known);
}

static void expect_both(bool used)
{
	look();
	ck_assert(!device_users_find(&users, CONTROLLER) == !used);
	ck_assert(!device_users_find(&users, OTHER) == !used);
	ck_assert(users.items.known);
}

static void mount(const char *line)
{
	char text[512];

	snprintf(text, sizeof(text), "%s%s\n", NOTHING, line);
	made_put("/proc/self/mountinfo", text);
}

/* sda with sda1, and sdb, which is another controller's. */
static void setup(void)
{
	made_root_create();
	made_put("/proc/self/mountinfo", NOTHING);
	made_put("/proc/swaps", HEAD);
	add_block("sda", "8:0", CONTROLLER "/ata1/block");
	add_block("sda1", "8:1", CONTROLLER "/ata1/block/sda");
	made_put(CONTROLLER "/ata1/block/sda/sda1/partition", "1\n");
	add_block("sdb", "8:16", OTHER "/ata2/block");
}

static void teardown(void)
{
	device_users_free(&users);
	made_root_remove();
}

START_TEST(nothing)
{
	expect_both(false);
	ck_assert_uint_eq(users.items.count, 0);
}
END_TEST

START_TEST(mounted)
{
	mount("38 36 8:1 / /data rw - ext4 /dev/sda1 rw");
	expect("sda1, which holds /data");
	/* Once, however often it is mounted. */
	mount("38 36 8:1 / /data rw - ext4 /dev/sda1 rw\n"
	      "39 36 8:1 /b /bind rw - ext4 /dev/sda1 rw");
	expect("sda1, which holds /data");
	ck_assert_uint_eq(users.items.count, 2);
	/* Unplugged while mounted: nothing is there to lose. */
	mount("38 36 8:33 / /stick rw - ext4 /dev/sdc1 rw");
	expect_both(false);
}
END_TEST

START_TEST(swap)
{
	made_put("/proc/swaps", HEAD "/dev/sda1 partition 1000 0 -2\n");
	expect("sda1, which holds swap");
	made_put("/proc/swaps", HEAD "/file file 1000 0 -2\n");
	expect_both(false); /* its file system is mounted */
	made_put("/proc/swaps", NULL);
	expect_both(false);
}
END_TEST

START_TEST(layers)
{
	add_block("dm-0", "253:0", VIRTUAL);
	made_put(VIRTUAL "/dm-0/dm/name", "root\n");
	made_link(VIRTUAL "/dm-0/slaves/sda1",
		  "../../../../pci0000:00/0000:00:1f.2/ata1/block/sda/sda1");
	expect_both(false);
	mount("38 36 253:0 / / rw - ext4 /dev/mapper/root rw");
	expect("which holds /");
	/* Held, but not mounted: a program may have it open. */
	mount("");
	made_put(CONTROLLER "/ata1/block/sda/sda1/holders/dm-0", "");
	expect("sda1, which holds dm-0");
}
END_TEST

/* One of its layers is not in sysfs. */
START_TEST(broken_layers)
{
	add_block("md0", "9:0", VIRTUAL);
	made_put(VIRTUAL "/md0/md/level", "raid1\n");
	made_put(VIRTUAL "/md0/slaves/sdz/dev", "8:400\n");
	expect_both(false);
	mount("38 36 9:0 / / rw - ext4 /dev/md0 rw");
	expect_both(true);
}
END_TEST

/* A file of a loop device is on a file system that is mounted; a block device is followed. */
START_TEST(loop)
{
	add_block("loop0", "7:0", VIRTUAL);
	made_put(VIRTUAL "/loop0/loop/backing_file", "/srv/disk.img\n");
	mount("38 36 7:0 / /mnt rw - ext4 /dev/loop0 rw");
	expect_both(false);
	made_put(VIRTUAL "/loop0/loop/backing_file", "/dev/sda1\n");
	expect("sda1, which holds /mnt");
	made_put(VIRTUAL "/loop0/loop/backing_file", "/dev/loop0\n");
	expect_both(false);
	made_put(VIRTUAL "/loop0/loop/backing_file", "/dev/elsewhere\n");
	expect_both(true);
}
END_TEST

/* More of them in each other than anything reasonable. */
START_TEST(deep)
{
	for (int i = 0; i < 20; i++) {
		char name[16], numbers[16], path[100], text[32];

		snprintf(name, sizeof(name), "loop%d", i);
		snprintf(numbers, sizeof(numbers), "7:%d", i);
		add_block(name, numbers, VIRTUAL);
		snprintf(path, sizeof(path), VIRTUAL "/loop%d/loop/backing_file", i);
		snprintf(text, sizeof(text), "/dev/loop%d\n", i + 1);
		made_put(path, text);
	}
	mount("38 36 7:0 / /mnt rw - ext4 /dev/loop0 rw");
	expect_both(true);
}
END_TEST

START_TEST(zram)
{
	add_block("zram0", "252:0", VIRTUAL);
	made_put("/proc/swaps", HEAD "/dev/zram0 partition 1000 0 100\n");
	expect_both(false);
	made_put(VIRTUAL "/zram0/backing_dev", "none\n");
	expect_both(false);
	made_put(VIRTUAL "/zram0/backing_dev", "/dev/sda\n");
	expect("sda, which holds swap");
}
END_TEST

START_TEST(btrfs)
{
	mount("38 36 0:30 / / rw - btrfs /dev/mapper/root rw");
	made_put("/sys/fs/btrfs/features/raid56", "");
	made_link("/sys/fs/btrfs/22222222-3333/devices/sda",
		  "../../../../devices/pci0000:00/0000:00:1f.2/ata1/block/sda");
	expect("sda, which holds a btrfs");
	made_shell("rm -r sys/fs");
	expect_both(true);
}
END_TEST

/* Another namespace has it mounted. */
START_TEST(elsewhere)
{
	static const char *const kinds[] = { "ext4", "xfs", "f2fs" };
	char path[100];

	made_put("/sys/fs/ext4/features/lazy_itable_init", "");
	expect_both(false);
	snprintf(path, sizeof(path), "/sys/fs/%s/sda1/state", kinds[_i]);
	made_put(path, "");
	expect("sda1, which holds a file system");
}
END_TEST

/* It is on another disk than its file system. */
START_TEST(journal)
{
	mount("38 36 8:1 / / rw - ext4 /dev/sda1 rw");
	made_put("/proc/fs/jbd2/sda1-8/info", "");
	expect("sda1, which holds /");
	made_put("/proc/fs/jbd2/sdb/info", "");
	expect_both(true);
}
END_TEST

/* On which disks they lie is not known, so all are in use. */
START_TEST(not_followed)
{
	static const char *const mounts[] = {
		"38 36 0:40 / / rw - zfs rpool/ROOT rw",
		"38 36 0:40 / / rw - bcachefs /dev/sda1:/dev/sdb rw",
		"38 36 230:0 / / rw - ext4 /dev/zd0 rw",
		"38 36 259:7 / / rw - ext4 /dev/ublkb0 rw",
	};

	add_block("zd0", "230:0", VIRTUAL);
	add_block("ublkb0", "259:7", VIRTUAL);
	expect_both(false);
	mount(mounts[_i]);
	expect_both(true);
}
END_TEST

START_TEST(pool_not_mounted)
{
	made_put("/proc/spl/kstat/zfs/arcstats", "");
	expect_both(false);
	made_put("/proc/spl/kstat/zfs/tank/txgs", "");
	expect_both(true);
}
END_TEST

/* Programs mount what is on no disk. */
START_TEST(on_no_disk)
{
	mount("38 36 0:50 / /run/user/1000/doc rw - fuse.portal portal rw\n"
	      "39 36 0:51 / /mnt rw - fuse.x /dev/fuse rw\n"
	      "40 36 0:52 / /tmp rw - tmpfs tmpfs rw\n"
	      "41 36 0:53 / /home rw - nfs4 server:/home rw");
	expect_both(false);
	ck_assert(!users.network);
}
END_TEST

START_TEST(unlisted)
{
	made_put("/proc/self/mountinfo", NULL);
	look();
	ck_assert(!users.items.known && users.network);
	ck_assert_ptr_nonnull(device_users_find(&users, CONTROLLER));
	made_put("/proc/self/mountinfo", NOTHING);
	made_put("/proc/swaps", "what is this\n/dev/sda1\n");
	look();
	ck_assert(!users.items.known);
}
END_TEST

START_TEST(kept)
{
	ck_assert_int_eq(device_users_look(made_root, makedev(8, 1), &users), 0);
	ck_assert_str_eq(device_users_find(&users, CONTROLLER)->what,
			 "sda1, which holds the image");
}
END_TEST

static void expect_network(bool network)
{
	device_users_free(&users);
	ck_assert_int_eq(device_users_look(made_root, makedev(8, 1), &users), 0);
	ck_assert(users.network == network);
	/* A running system has mounted what it uses. */
	device_users_free(&users);
	ck_assert_int_eq(device_users_look(made_root, 0, &users), 0);
	ck_assert(!users.network);
}

/* An initramfs. */
START_TEST(root_over_the_network)
{
	static const char *const words[] = { "root=/dev/nfs nfsroot=10.0.0.1:/srv ip=dhcp",
					     "quiet root=nfs4:10.0.0.1:/srv",
					     "root=UUID=1 netroot=iscsi:10.0.0.1::::iqn.x",
					     "root=/dev/nbd0p1", "boot=nfs\troot=/dev/sda1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		made_put("/proc/cmdline", words[i]);
		expect_network(true);
	}
	/* Here it is not for the root file system. */
	made_put("/proc/cmdline", "root=/dev/sda1 ip=dhcp rd.neednet=1 xroot=nfs:");
	expect_network(false);
	made_put("/sys/firmware/ibft/target0/flags", "3\n");
	expect_network(true);
}
END_TEST

/* It is there already, though nothing is mounted. */
START_TEST(disk_over_the_network)
{
	expect_network(false);
	add_block("nbd0", "43:0", VIRTUAL);
	expect_network(true);
}
END_TEST

START_TEST(within)
{
	ck_assert(device_path_within("/sys/devices/a", "/sys/devices/a"));
	ck_assert(device_path_within("/sys/devices/a/b", "/sys/devices/a"));
	ck_assert(!device_path_within("/sys/devices/ab", "/sys/devices/a"));
	ck_assert(!device_path_within("/sys/devices", "/sys/devices/a"));
}
END_TEST

#define PORT "/sys/devices/pci0000:00/0000:00:1c.0"
#define SCSI "f8b3781a-1e82-4818-a1c3-63d806ec15bb"
#define SCSI_PATH "/sys/devices/LNXSYSTM:00/VMBUS:01/" SCSI
#define USED (DEVICE_USE_KNOWN | DEVICE_IN_USE)

static uint32_t flags_of(const struct platform *platform, const char *bus, const char *address)
{
	const struct device *device = devices_find(&platform->devices, bus, address);

	ck_assert_ptr_nonnull(device);
	return device->flags;
}

/* A root port with a disk controller behind it, two more of these, and one of Hyper-V. */
static struct platform machine(void)
{
	struct platform platform = { 0 };

	add_function("0000:00:1c.0", PORT, "pcieport", "8086:3420", "0x060400");
	add_function("0000:01:00.0", PORT "/0000:01:00.0", "nvme", "144d:a808", "0x010802");
	add_function("0000:00:1f.2", CONTROLLER, "ahci", "8086:2922", "0x010601");
	add_function("0000:00:04.0", OTHER, "ahci", "8086:2922", "0x010601");
	add_device("vmbus", SCSI, SCSI_PATH, "hv_storvsc");
	add_device("virtio", "virtio0", OTHER "/virtio0", "virtio_blk");
	add_block("nvme0n1", "259:0", PORT "/0000:01:00.0/nvme/nvme0");
	add_block("sdc", "8:32", SCSI_PATH "/host0/target0:0:0/0:0:0:0/block");
	ck_assert_int_eq(devices_capture(made_root, &platform.devices), 0);
	return platform;
}

START_TEST(noted)
{
	struct platform platform = machine();

	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:00:1f.2"), 0);
	mount("38 36 259:0 / / rw - ext4 /dev/nvme0n1 rw\n"
	      "39 36 8:32 / /data rw - ext4 /dev/sdc rw");
	ck_assert_int_eq(devices_note_use(made_root, &platform.devices), 0);
	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:01:00.0"), USED);
	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:00:1c.0"), USED);
	ck_assert_uint_eq(flags_of(&platform, "vmbus", SCSI), USED);
	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:00:1f.2"), DEVICE_USE_KNOWN);
	ck_assert_uint_eq(flags_of(&platform, "virtio", "virtio0"), 0);
	/* Again, as for another attempt. */
	mount("38 36 8:1 / / rw - ext4 /dev/sda1 rw");
	ck_assert_int_eq(devices_note_use(made_root, &platform.devices), 0);
	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:01:00.0"), DEVICE_USE_KNOWN);
	ck_assert_uint_eq(flags_of(&platform, "vmbus", SCSI), DEVICE_USE_KNOWN);
	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:00:1f.2"), USED);
	/* No list: nothing is known. */
	made_put("/proc/self/mountinfo", NULL);
	ck_assert_int_eq(devices_note_use(made_root, &platform.devices), 0);
	ck_assert_uint_eq(flags_of(&platform, "pci", "0000:00:1f.2"), 0);
	platform_free(&platform);
}
END_TEST

START_TEST(recorded)
{
	struct platform platform = machine(), decoded;
	unsigned char *bytes;
	size_t length;

	mount("38 36 8:1 / / rw - ext4 /dev/sda1 rw");
	ck_assert_int_eq(devices_note_use(made_root, &platform.devices), 0);
	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	ck_assert_int_eq(platform_decode(bytes, length, &decoded, NULL), 0);
	ck_assert_uint_eq(flags_of(&decoded, "pci", "0000:00:1f.2"), USED);
	ck_assert_uint_eq(flags_of(&decoded, "pci", "0000:00:04.0"), DEVICE_USE_KNOWN);
	ck_assert_uint_eq(flags_of(&decoded, "virtio", "virtio0"), 0);
	free(bytes);
	platform_free(&decoded);
	platform_free(&platform);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "users");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, mounted);
	tcase_add_test(tc, swap);
	tcase_add_test(tc, layers);
	tcase_add_test(tc, broken_layers);
	tcase_add_test(tc, loop);
	tcase_add_test(tc, deep);
	tcase_add_test(tc, zram);
	tcase_add_test(tc, btrfs);
	tcase_add_loop_test(tc, elsewhere, 0, 3);
	tcase_add_test(tc, journal);
	tcase_add_loop_test(tc, not_followed, 0, 4);
	tcase_add_test(tc, pool_not_mounted);
	tcase_add_test(tc, on_no_disk);
	tcase_add_test(tc, unlisted);
	tcase_add_test(tc, kept);
	tcase_add_test(tc, root_over_the_network);
	tcase_add_test(tc, disk_over_the_network);
	tcase_add_test(tc, within);
	tcase_add_test(tc, noted);
	tcase_add_test(tc, recorded);
}
