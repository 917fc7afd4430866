/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is never released. */
#include "fixtures/check_main.h"
#include "release_fixture.h"

#include "base/bytes.h"
#include "base/io.h"
#include "release/release_child.h"
#include "release/release_guard.h"
#include "release/release_text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

int __wrap_io_open_below(const char *root, const char *path, int flags);
int __real_io_open_below(const char *root, const char *path, int flags);

int __wrap_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w);
int __real_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w);

#define NIC2 "0000:00:03.0"
#define NIC2_PATH "/sys/devices/pci0000:00/" NIC2

/* 10.0.0.0/8 by eth0, all else by eth1. */
#define ROUTES                                                                    \
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n" \
	"eth1\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"          \
	"eth0\t0000000A\t00000000\t0001\t0\t0\t100\t000000FF\t0\t0\t0\n"

static pid_t test;
static int child_fails;	    /* with that; 0: not */
static pid_t child_left;    /* -EINPROGRESS: this one */
static const char *claimed; /* a device file, which cannot be opened … */
static int claimed_with;    /* … with this */

int __wrap_io_open_below(const char *root, const char *path, int flags)
{
	if (strncmp(path, "/dev/", strlen("/dev/")) != 0)
		return __real_io_open_below(root, path, flags);
	/* The open of a dead disk may never return. */
	ck_assert_int_ne(getpid(), test);
	ck_assert_str_eq(root, made_root);
	ck_assert_int_eq(flags, O_RDONLY | O_EXCL | O_NONBLOCK);
	return claimed && strcmp(path, claimed) == 0 ? claimed_with : -ENOENT;
}

int __wrap_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w)
{
	ck_assert_uint_gt(limits->seconds, 0);
	if (child_fails == -EINPROGRESS && limits->left)
		*limits->left = child_left;
	return child_fails ? child_fails : __real_release_child_run(work, context, limits, w);
}

static void begin(void)
{
	setup();
	test = getpid();
	child_fails = 0;
	claimed = NULL;
}

/* The disk controller holds /, as the port above the adapter may. */
START_TEST(root_file_system)
{
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS, "it has sda1, which holds /");
	ck_assert(!release_plan_covers_driver(&plan, made_root, "pci", "ahci"));
	release_plan_apply(&plan, &platform);
	ck_assert_ptr_nonnull(devices_find(&platform.devices, "pci", DISKS));
	ask_for("ahci");
	expect_only(RELEASE_UNBIND, DISKS, "it has sda1, which holds /");
	/* Another disk of it is not mounted; the other one still is. */
	add_block("sdb", "8:16", DISKS_PATH "/ata2/block");
	add_device("scsi", "1:0:0:0", DISKS_PATH "/ata2", "sd");
	ask_for("scsi/1:0:0:0");
	expect_only(RELEASE_UNBIND, "1:0:0:0", "");
}
END_TEST

START_TEST(a_port_above_it)
{
	add_block("sdb", "8:16", NIC_PATH "/block");
	made_put("/proc/self/mountinfo", "36 1 8:16 / /home rw - ext4 /dev/sdb rw\n");
	ask_for(ROOT_PORT);
	expect_only(RELEASE_REMOVE, ROOT_PORT, "it has sdb, which holds /home");
}
END_TEST

START_TEST(swap)
{
	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - tmpfs none rw\n");
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS, "");
	made_put("/proc/swaps", "Filename Type Size Used Priority\n"
				"/dev/sda1 partition 1000 0 -2\n");
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS, "it has sda1, which holds swap");
}
END_TEST

/* On a mapping, mounted or not. */
START_TEST(mapped)
{
	made_put("/proc/self/mountinfo", "36 1 253:0 / / rw - ext4 /dev/mapper/root rw\n");
	add_block("dm-0", "253:0", "/sys/devices/virtual/block");
	made_put("/sys/devices/virtual/block/dm-0/dm/name", "root\n");
	made_link("/sys/devices/virtual/block/dm-0/slaves/sda1",
		  "../../../../pci0000:00/" DISKS "/ata1/block/sda/sda1");
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS, "which holds /");
	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - tmpfs none rw\n");
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS, "");
	made_put(DISKS_PATH "/ata1/block/sda/sda1/holders/dm-0", "");
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS, "which holds dm-0");
}
END_TEST

START_TEST(btrfs)
{
	made_put("/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sdb rw\n");
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS, "perhaps a file system whose disks are not known");
	made_link("/sys/fs/btrfs/22222222-3333/devices/sda",
		  "../../../../devices/pci0000:00/" DISKS "/ata1/block/sda");
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS, "it has sda, which holds a btrfs");
	made_put("/sys/fs/btrfs/features/raid56", "");
	/* By what was named, before sysfs lists its members. */
	made_shell("rm -r sys/fs");
	made_put("/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sda1 rw\n");
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS, "it has sda1, which holds /");
}
END_TEST

/* Its members are known to ZFS only, and so is everything where no mount can be seen. */
START_TEST(unknown_disks)
{
	made_put("/proc/self/mountinfo", _i ? NULL : "36 1 0:30 / / rw - zfs rpool/ROOT rw\n");
	ask_for(DISKS " " NIC);
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_str_ne(entry(0)->blocked, "");
	ck_assert_str_eq(
		entry(1)->blocked,
		_i ? "it is not known whether it is in use: /proc/self/mountinfo cannot be "
		     "read: No data available"
		   : "");
}
END_TEST

/* Nothing is released where not all that is in use can be read. */
START_TEST(unreadable)
{
	static const char *const paths[] = {
		"/proc/swaps",
		"/sys/class/net",
		"/sys/class/graphics",
		"/sys/fs/btrfs",
		"/sys/fs/xfs",
		"/proc/spl/kstat/zfs",
		"/sys/bus/virtio/drivers/virtiofs",
		DISKS_PATH "/ata1/block/sda/holders",
	};
	char wanted[200];

	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - virtiofs x rw\n");
	if (_i == 1)
		made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - nfs x:/y rw\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	/* A file instead of a directory, and the other way round. */
	made_put(paths[_i], _i ? "" : NULL);
	if (_i == 0)
		made_directory(paths[_i]);
	make_plan();
	snprintf(wanted, sizeof(wanted),
		 "it is not known whether it is in use: %s cannot be read: ",
		 _i == 7 ? "/sys/class/block/sda/holders" : paths[_i]);
	expect_only(RELEASE_REMOVE, NIC, wanted);
}
END_TEST

START_TEST(disk_that_cannot_be_opened)
{
	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - tmpfs none rw\n");
	claimed = "/dev/sda1";
	claimed_with = -EIO;
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS,
		    "it is not known whether it is in use: its disk sda1 cannot be opened: "
		    "Input/output "
		    "error");
	claimed_with = -ENOMEDIUM;
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS, "");
}
END_TEST

START_TEST(disk_that_does_not_answer)
{
	char text[300];

	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - tmpfs none rw\n");
	child_fails = -EINPROGRESS;
	child_left = fork();
	if (child_left == 0)
		for (;;)
			pause();
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS,
		    "it is not known whether it is in use: its disk sda does not answer");
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_WAITING, text, sizeof(text)), 1);
	ck_assert_str_eq(text, "storage controller 8086:2922 at " DISKS
			       ": it is not known whether it is in use: its disk sda does not "
			       "answer");
	/* It answers. */
	kill(child_left, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)child_left, NULL, WEXITED | WNOWAIT), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_WAITING, text, sizeof(text)), 0);
	ck_assert(!release_guard_claimed_disk(made_root, "sda"));
	child_fails = -EAGAIN;
	make_plan();
	expect_only(RELEASE_REMOVE, DISKS,
		    "it is not known whether it is in use: Resource temporarily unavailable");
}
END_TEST

/* By something that sysfs does not show: ZFS, a mount in a container, an external journal. */
START_TEST(claimed_disk)
{
	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - tmpfs none rw\n");
	add_block("cciss!c0d0", "104:0", NIC_PATH "/block");
	claimed = "/dev/sda1";
	claimed_with = -EBUSY;
	ask_for(DISKS);
	expect_only(RELEASE_REMOVE, DISKS, "its disk sda1 is in use");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	claimed = "/dev/cciss/c0d0";
	ask_for(ROOT_PORT);
	expect_only(RELEASE_REMOVE, ROOT_PORT, "its disk cciss!c0d0 is in use");
	ck_assert(release_guard_claimed_disk(made_root, "cciss!c0d0"));
	ck_assert(!release_guard_claimed_disk(made_root, "sda"));
	claimed = NULL;
	make_plan();
	expect_only(RELEASE_REMOVE, ROOT_PORT, "");
	/* As a report says it. */
	made_put("/claimed", "sda\nsda12\n\ncciss!c0d0");
	make_plan();
	expect_only(RELEASE_REMOVE, ROOT_PORT, "its disk cciss!c0d0 is in use");
	made_put("/claimed", "sda\nsda12\n\ncciss!c0d01");
	make_plan();
	expect_only(RELEASE_REMOVE, ROOT_PORT, "");
}
END_TEST

/* NVMe with several paths: the disk is below no controller. */
START_TEST(multipath)
{
	static const char *const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
	char path[200];

	add_block("nvme0n1", "259:0", subsystem);
	snprintf(path, sizeof(path), "%s/nvme0", subsystem);
	made_directory(NIC_PATH "/nvme");
	made_put(NIC_PATH "/nvme/nvme0/transport", "pcie\n");
	made_link(path, "../../../pci0000:00/" ROOT_PORT "/" NIC "/nvme/nvme0");
	made_put("/proc/self/mountinfo", "36 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "which holds /");
}
END_TEST

/* Two adapters, each with an interface, of which eth0 is the first one's. */
static void add_interfaces(void)
{
	add_function(NIC2, NIC2_PATH, "igb", "8086:1533", "0x020000");
	made_put(NIC_PATH "/net/eth0/ifindex", "2\n");
	made_link(NIC_PATH "/net/eth0/device", "../..");
	made_link("/sys/class/net/eth0", "../../devices/pci0000:00/" ROOT_PORT "/" NIC "/net/eth0");
	made_put(NIC2_PATH "/net/eth1/ifindex", "3\n");
	made_link(NIC2_PATH "/net/eth1/device", "../..");
	made_link("/sys/class/net/eth1", "../../devices/pci0000:00/" NIC2 "/net/eth1");
}

START_TEST(network)
{
	made_put("/proc/self/mountinfo", "36 1 0:40 / / rw - nfs4 server:/root rw\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	add_interfaces();
	make_plan();
	expect_only(RELEASE_REMOVE, NIC, "the network interface eth0");
	/* Of the system all stay, whichever way the routes say. */
	made_put("/proc/self/mountinfo",
		 "36 1 0:40 / / rw - nfs4 server:/root rw,vers=4.2,addr=10.0.0.1\n");
	made_put("/proc/net/route", ROUTES);
	make_plan();
	expect_only(RELEASE_REMOVE, NIC, "eth0, over which / comes");
	ask_for(NIC2);
	expect_only(RELEASE_REMOVE, NIC2, "eth1, over which a file system or a disk may come");
	made_put("/proc/self/mountinfo", "36 1 0:5 / / rw - tmpfs none rw\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
}
END_TEST

/* Its users would wait for it, and umount(8), too. */
START_TEST(network_of_users)
{
	add_interfaces();
	made_put("/proc/self/mountinfo", "36 1 0:40 / /home rw - nfs4 server:/home rw\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "eth0, over which a file system or a disk may come");
	made_put("/proc/self/mountinfo",
		 "36 1 0:40 / /home rw - nfs4 server:/home rw,addr=10.0.0.1,local_lock=none\n");
	made_put("/proc/net/route", ROUTES);
	make_plan();
	expect_only(RELEASE_REMOVE, NIC,
		    "it has the network interface eth0, over which /home "
		    "comes");
	ask_for(NIC2);
	expect_only(RELEASE_REMOVE, NIC2, "");
	/* By the default route. */
	made_put("/proc/self/mountinfo",
		 "36 1 0:40 / /home rw - cifs //server/home rw,addr=192.0.2.1\n");
	make_plan();
	expect_only(RELEASE_REMOVE, NIC2, "eth1, over which /home comes");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
}
END_TEST

/* It may go, but not unsaid. */
START_TEST(network_that_is_up)
{
	add_interfaces();
	made_put(NIC_PATH "/net/eth0/operstate", "down\n");
	ask_for(NIC);
	ck_assert_str_eq(entry(0)->note, "");
	made_put(NIC_PATH "/net/eth0/operstate", "up\n");
	for (int i = 0; i < 2; i++) {
		char text[200];

		ask_for(i ? "e1000e" : NIC);
		ck_assert_str_eq(entry(0)->blocked, "");
		ck_assert_str_eq(entry(0)->note, "eth0 is up");
		release_text(&plan, RELEASE_ALL_FREE, text, sizeof(text));
		ck_assert_str_eq(text, "network adapter 8086:10d3 at " NIC " (eth0 is up)");
	}
}
END_TEST

/* s2disk needs it, or it is below what is mounted on /. */
START_TEST(network_of_the_system)
{
#define LOWER "35 1 0:40 / /run/lower rw - nfs server:/image rw\n"
	static const char *const mounts[] = {
		"36 1 0:40 / /usr ro - nfs4 server:/usr ro\n",
		"36 1 0:40 / /var rw - nfs server:/var rw\n",
		"36 1 0:40 / / rw - fuse.glusterfs server:/root rw\n",
		"36 1 0:41 / / rw - overlay none rw\n" LOWER,
		LOWER "36 1 7:0 / / ro - squashfs /dev/loop0 ro\n",
	};

	add_interfaces();
	add_block("loop0", "7:0", "/sys/devices/virtual/block");
	made_put("/proc/self/mountinfo", mounts[_i]);
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "the network interface eth0");
	/* A loop device of something else, such as a snap: it is not the system's. */
	made_put("/proc/net/route", ROUTES);
	made_put("/proc/self/mountinfo",
		 "35 1 0:40 / /run/lower rw - nfs server:/image rw,addr=10.0.0.1\n"
		 "36 1 7:0 / /snap ro - squashfs /dev/loop0 ro\n");
	ask_for(NIC2);
	expect_only(RELEASE_REMOVE, NIC2, "");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "eth0, over which /run/lower comes");
}
END_TEST

/* A virtual machine that uses it would keep s2disk waiting. */
START_TEST(used_by_a_virtual_machine)
{
	add_function("0000:01:00.1", PORT_PATH "/0000:01:00.1", "vfio-pci", "10de:1111",
		     "0x030200");
	made_put("/proc/77/comm", "qemu\n");
	if (_i == 0) {
		made_link(PORT_PATH "/0000:01:00.1/iommu_group", "../../../kernel/iommu_groups/12");
		made_link("/proc/77/fd/9", "/dev/vfio/12");
	} else {
		made_put(PORT_PATH "/0000:01:00.1/vfio-dev/vfio0/dev", "511:0\n");
		made_link("/proc/77/fd/9", "/dev/vfio/devices/vfio0");
	}
	ask_for("0000:01:00.1");
	expect_only(RELEASE_REMOVE, "0000:01:00.1", "is in use by qemu (process 77)");
	ask_for("vfio-pci");
	expect_only(RELEASE_UNBIND, "0000:01:00.1", "is in use by qemu (process 77)");
	ask_for(ROOT_PORT);
	expect_only(RELEASE_REMOVE, ROOT_PORT, "is in use by qemu (process 77)");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	made_shell("rm -r proc/77");
	ask_for("vfio-pci");
	expect_only(RELEASE_UNBIND, "0000:01:00.1", "");
	/* Its driver has its id by "new_id": a scan might bind it to that of the host. */
	ask_for("0000:01:00.1");
	expect_only(RELEASE_UNBIND, "0000:01:00.1", "");
	ask_for(ROOT_PORT);
	expect_only(RELEASE_REMOVE, ROOT_PORT,
		    "0000:01:00.1 goes with it, and might come back without vfio-pci");
}
END_TEST

/* Virtual functions, siblings of the physical one, go with it. */
START_TEST(virtual_function)
{
	add_function("0000:01:10.0", PORT_PATH "/0000:01:10.0", "nvme", "8086:0953", "0x010802");
	made_link(PORT_PATH "/0000:01:10.0/physfn", "../" NIC);
	add_block("nvme0n1", "259:0", PORT_PATH "/0000:01:10.0/nvme/nvme0");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	made_put("/proc/self/mountinfo", "36 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	make_plan();
	expect_only(RELEASE_REMOVE, NIC, "it has nvme0n1, which holds /");
	ask_for(GPU);
	ck_assert_ptr_null(strstr(entry(0)->blocked, "nvme0n1"));
}
END_TEST

START_TEST(served_by_the_host)
{
	made_put("/proc/self/mountinfo", "36 1 0:40 / /data rw - virtiofs share rw\n");
	add_device("virtio", "virtio0", NIC_PATH "/virtio0", "virtiofs");
	made_put(NIC_PATH "/virtio0/device", "0x001a\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "it has virtio0, which holds /data");
}
END_TEST

static const char *const firmwares_frame_buffers[] = { "simple-framebuffer.0", "efi-framebuffer.0",
						       "efifb.0", "vesafb.0" };

static void add_platform_frame_buffer(const char *name)
{
	char path[256], target[256];

	snprintf(path, sizeof(path), "/sys/devices/platform/%s/graphics/fb0/name", name);
	made_put(path, "EFI\n");
	snprintf(path, sizeof(path), "/sys/devices/platform/%s/graphics/fb0/device", name);
	made_link(path, "../..");
	snprintf(target, sizeof(target), "../../devices/platform/%s/graphics/fb0", name);
	made_link("/sys/class/graphics/fb0", target);
}

START_TEST(display)
{
	ask_for("class:03");
	expect_only(RELEASE_REMOVE, GPU, "it is the only display");
	/* The firmware's frame buffer is that of the adapter. */
	add_platform_frame_buffer(firmwares_frame_buffers[_i]);
	make_plan();
	expect_only(RELEASE_REMOVE, GPU, "it is the only display");
	/* A 3D controller has no output, a second adapter has. */
	add_function("0000:00:03.0", "/sys/devices/pci0000:00/0000:00:03.0", "nvidia", "10de:1111",
		     "0x030200");
	ask_for("0000:00:03.0");
	expect_only(RELEASE_REMOVE, "0000:00:03.0", "");
	ask_for(GPU);
	expect_only(RELEASE_REMOVE, GPU, "it is the only display");
	add_function("0000:00:04.0", "/sys/devices/pci0000:00/0000:00:04.0", "qxl", "1b36:0100",
		     "0x030000");
	ask_for(GPU);
	expect_only(RELEASE_REMOVE, GPU, "");
}
END_TEST

/* Neither of two is the only one, but one of them stays. */
START_TEST(both_displays)
{
	add_function("0000:00:04.0", "/sys/devices/pci0000:00/0000:00:04.0", "qxl", "1b36:0100",
		     "0x030000");
	ask_for("class:03");
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_str_eq(entry(0)->blocked, "");
	ck_assert_str_eq(entry(1)->blocked, "it is the only display");
	/* Named twice, it goes once. */
	ask_for(GPU " 1234:1111");
	expect_only(RELEASE_REMOVE, GPU, "");
	/* Both are of one module. */
	made_put("/sys/module/both/initstate", "live\n");
	made_link("/sys/module/both/drivers/pci:qxl", "../../../bus/pci/drivers/qxl");
	made_link("/sys/module/both/drivers/pci:bochs", "../../../bus/pci/drivers/bochs-drm");
	ask_for("module:both");
	expect_only(RELEASE_UNLOAD, "both", "it is the only display");
}
END_TEST

/* The second adapter shows nothing of this system. */
START_TEST(display_without_a_screen)
{
	static const char *const drivers[] = { "vfio-pci", "pci-stub", NULL };

	add_function("0000:00:04.0", "/sys/devices/pci0000:00/0000:00:04.0", drivers[_i],
		     "10de:0100", "0x030000");
	ask_for(GPU);
	expect_only(RELEASE_REMOVE, GPU, "it is the only display");
	if (drivers[_i])
		return;
	made_put("/sys/devices/pci0000:00/0000:00:04.0/boot_vga", "1\n");
	make_plan();
	expect_only(RELEASE_REMOVE, GPU, "");
}
END_TEST

/* A board's own display controller is a platform device. */
START_TEST(display_of_a_board)
{
	made_shell("rm sys/bus/pci/devices/" GPU);
	add_device("platform", "gpu", "/sys/devices/platform/soc/gpu", "vc4-drm");
	made_put("/sys/devices/platform/soc/gpu/graphics/fb0/name", "vc4drmfb\n");
	made_link("/sys/devices/platform/soc/gpu/graphics/fb0/device", "../..");
	made_link("/sys/class/graphics/fb0", "../../devices/platform/soc/gpu/graphics/fb0");
	ask_for("platform/gpu");
	expect_only(RELEASE_UNBIND, "gpu", "it is the only display");
}
END_TEST

#define UART "0000:00:16.3"
#define UART_PATH "/sys/devices/pci0000:00/" UART

/* Messages of the kernel would be lost. */
START_TEST(serial_console)
{
	add_function(UART, UART_PATH, "serial", "8086:9d3d", "0x070002");
	made_put(UART_PATH "/tty/ttyS4/dev", "4:68\n");
	made_link("/sys/class/tty/ttyS4", "../../devices/pci0000:00/" UART "/tty/ttyS4");
	made_put("/sys/class/tty/console/active", "tty0\n");
	ask_for("class:07");
	expect_only(RELEASE_REMOVE, UART, "");
	made_put("/sys/class/tty/console/active", "tty0 ttyS4\n");
	ask_for("class:07");
	expect_only(RELEASE_REMOVE, UART, "it has ttyS4, a console of the kernel");
	ask_for("serial");
	expect_only(RELEASE_UNBIND, UART, "it has ttyS4");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "guard");

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_add_test(tc, root_file_system);
	tcase_add_test(tc, a_port_above_it);
	tcase_add_test(tc, swap);
	tcase_add_test(tc, mapped);
	tcase_add_test(tc, btrfs);
	tcase_add_loop_test(tc, unknown_disks, 0, 2);
	tcase_add_loop_test(tc, unreadable, 0, 8);
	tcase_add_test(tc, disk_that_cannot_be_opened);
	tcase_add_test(tc, disk_that_does_not_answer);
	tcase_add_test(tc, claimed_disk);
	tcase_add_test(tc, serial_console);
	tcase_add_test(tc, multipath);
	tcase_add_test(tc, network);
	tcase_add_test(tc, network_of_users);
	tcase_add_test(tc, network_that_is_up);
	tcase_add_loop_test(tc, network_of_the_system, 0, 5);
	tcase_add_loop_test(tc, used_by_a_virtual_machine, 0, 2);
	tcase_add_test(tc, virtual_function);
	tcase_add_test(tc, served_by_the_host);
	tcase_add_loop_test(tc, display, 0, (int)ARRAY_SIZE(firmwares_frame_buffers));
	tcase_add_test(tc, both_displays);
	tcase_add_loop_test(tc, display_without_a_screen, 0, 3);
	tcase_add_test(tc, display_of_a_board);
}
