/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_users: by which network adapters mounted file systems come, in made-up sysfs trees. */
#include "fixtures/check_main.h"

#include "base/bytes.h"
#include "platform/hardware/device_users_private.h"
#include "platform/platform.h"

#include "fixtures/machine/made_sysfs.h"

#define FIRST "/sys/devices/pci0000:00/0000:00:03.0"
#define SECOND "/sys/devices/pci0000:00/0000:00:04.0"
#define VIRTUAL "/sys/devices/virtual/net"

static struct device_users users;

static void add_interface(const char *path, const char *name, const char *driver)
{
	char file[200], link[100];

	snprintf(file, sizeof(file), "%s/net/%s/ifindex", path, name);
	made_put(file, "2\n");
	snprintf(link, sizeof(link), "/sys/class/net/%s", name);
	snprintf(file, sizeof(file), "../..%s/net/%s", path + strlen("/sys"), name);
	made_link(link, file);
	snprintf(link, sizeof(link), "%s/net/%s/device", path, name);
	made_link(link, "../..");
	snprintf(link, sizeof(link), "%s/driver", path);
	snprintf(file, sizeof(file), "../../../bus/pci/drivers/%s", driver);
	made_put(link, NULL);
	made_link(link, file);
}

/* On another one; or on nothing: lower is NULL. */
static void add_upper(const char *name, const char *lower)
{
	char path[200], link[100], target[100];

	snprintf(path, sizeof(path), VIRTUAL "/%s/ifindex", name);
	made_put(path, "9\n");
	snprintf(link, sizeof(link), "/sys/class/net/%s", name);
	snprintf(target, sizeof(target), "../../devices/virtual/net/%s", name);
	made_put(link, NULL);
	made_link(link, target);
	if (!lower)
		return;
	snprintf(link, sizeof(link), VIRTUAL "/%s/lower_%s", name, lower);
	snprintf(target, sizeof(target), "../../../../class/net/%s", lower);
	made_link(link, target);
}

static void mount(const char *place, const char *options)
{
	char text[300];

	snprintf(text, sizeof(text), "36 1 0:40 / %s rw - nfs4 server:/x %s\n", place, options);
	made_put("/proc/self/mountinfo", text);
}

/* eth0 of the first adapter, eth1 of the second. */
static void setup(void)
{
	made_root_create();
	made_put("/proc/swaps", "Filename Type Size Used Priority\n");
	add_function("0000:00:03.0", FIRST, NULL, "8086:10d3", "0x020000");
	add_function("0000:00:04.0", SECOND, NULL, "8086:1533", "0x020000");
	add_interface(FIRST, "eth0", "e1000e");
	add_interface(SECOND, "eth1", "igb");
	memset(&users, 0, sizeof(users));
}

static void teardown(void)
{
	device_users_free(&users);
	made_root_remove();
}

static void expect_used(bool first, bool second)
{
	device_users_free(&users);
	ck_assert_int_eq(device_users_look(made_root, 0, &users), 0);
	ck_assert(users.items.known);
	ck_assert(!device_users_find(&users, FIRST) == !first);
	ck_assert(!device_users_find(&users, SECOND) == !second);
}

static void expect_way(const char *address, const char *wanted)
{
	char name[16] = "";

	ck_assert(network_way(made_root, address, name, sizeof(name)) == (*wanted != '\0'));
	ck_assert_str_eq(name, wanted);
}

#define ROUTE "%s\t%s\t00000000\t%s\t0\t0\t%d\t%s\t0\t0\t0\n"

static void put_routes(const char *more)
{
	char text[600];

	snprintf(text, sizeof(text),
		 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n" ROUTE
			 ROUTE "%s",
		 "eth1", "00000000", "0003", 100, "00000000", "eth0", "0000000A", "0001", 100,
		 "000000FF", more);
	made_put("/proc/net/route", text);
}

START_TEST(ways)
{
	expect_way("10.1.2.3", "");
	put_routes("");
	expect_way("10.1.2.3", "eth0");
	expect_way("192.0.2.1", "eth1");
	expect_way("127.0.0.1", "");
	expect_way("server", "");
	expect_way("", "");
	expect_way("2001:db8::1", "");
	/* The longer prefix counts, then the lower metric; not what is down, or rejects. */
	put_routes("wg0\t0002010A\t0\t0001\t0\t0\t900\t00FFFFFF\t0\t0\t0\n"
		   "eth2\t0000000A\t0\t0001\t0\t0\t50\t000000FF\t0\t0\t0\n"
		   "eth3\t0000000A\t0\t0001\t0\t0\t200\t000000FF\t0\t0\t0\n"
		   "eth4\t0302010A\t0\t0000\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"
		   "eth5\t0302010A\t0\t0201\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n");
	expect_way("10.1.2.3", "wg0");
	expect_way("10.9.2.3", "eth2");
	put_routes("../x\t0302010A\t0\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n");
	expect_way("10.1.2.3", "");
}
END_TEST

#define NONE "00000000000000000000000000000000"

START_TEST(ways_of_ipv6)
{
	made_put("/proc/net/ipv6_route",
		 "20010db8000000000000000000000000 20 " NONE " 00 " NONE
		 " 00000100 00000001 00000000 00000001     eth0\n"
		 "20010db8000000010000000000000000 3f " NONE " 00 " NONE
		 " 00000100 00000001 00000000 00000001     eth1\n" NONE " 00 " NONE " 00 " NONE
		 " ffffffff 00000001 00000000 00200200       lo\n");
	expect_way("2001:db8:1::1", "eth0");
	expect_way("2001:db8::1:0:0:0:1", "eth1");
	expect_way("2001:db8:0:2::1", "eth0");
	expect_way("2001:db9::1", "");
	expect_way("fe80::1%eth7", "eth7");
	expect_way("fe80::1%../x", "");
	made_put(SECOND "/net/eth1/ifindex", "3\n");
	expect_way("fe80::1%3", "eth1");
	expect_way("fe80::1%2", "eth0");
	expect_way("fe80::1%4", "");
	expect_way("fe80::1%", "");
	made_put("/proc/net/ipv6_route",
		 NONE " 00 " NONE " 00 " NONE " 00000100 00000001 00000000 00000003     eth1\n");
	expect_way("2001:db9::1", "eth1");
	expect_way("::1", "");
	made_put("/proc/net/ipv6_route", "20010db8 20\nnothing\n");
	expect_way("2001:db8:1::1", "");
}
END_TEST

START_TEST(unknown_way)
{
	put_routes("");
	mount("/home", "rw,vers=4.2");
	expect_used(true, true);
	mount("/home", "rw,mountaddr=10.0.0.1");
	expect_used(true, true);
	mount("/home", "rw,addr=10.0.0.1");
	expect_used(true, false);
	made_put("/proc/self/mountinfo", "36 1 0:40 / /home rw - ext4 x rw,addr=10.0.0.1\n");
	expect_used(false, false);
	made_put("/proc/self/mountinfo",
		 "36 1 0:40 / /a rw - fuse.sshfs h:/a rw\n36 1 0:41 / /b rw - tmpfs x rw\n");
	expect_used(true, true);
	/* A tunnel, whose own way no file says. */
	put_routes("wg0\t0000000A\t0\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
	add_upper("wg0", NULL);
	mount("/home", "rw,addr=10.0.0.1");
	expect_used(true, true);
}
END_TEST

/* A VLAN on a bond of both. */
START_TEST(layers)
{
	put_routes("bond0.7\t0000000A\t0\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
	mount("/home", "rw,addr=10.0.0.1");
	add_upper("bond0.7", "bond0");
	add_upper("bond0", "eth1");
	expect_used(false, true);
	add_upper("bond0", "eth0");
	expect_used(true, true);
	/* One in itself. */
	add_upper("bond0", "bond0");
	expect_used(true, true);
}
END_TEST

/* A virtual function below an adapter of the host, which works without it. */
START_TEST(faster_way)
{
	static const char *const drivers[] = { "hv_netvsc", "virtio_net", "igb" };

	put_routes("eth2\t0000000A\t0\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
	add_interface(SECOND, "eth2", drivers[_i]);
	made_link(SECOND "/net/eth2/lower_eth0", "../../../0000:00:03.0/net/eth0");
	made_link(FIRST "/net/eth0/master", "../../../0000:00:04.0/net/eth2");
	mount("/home", "rw,addr=10.0.0.1");
	expect_used(_i == 2, true);
	/* Nor does it count where no way is known. */
	mount("/home", "rw");
	expect_used(_i == 2, true);
}
END_TEST

static uint32_t flags_of(const char *address)
{
	struct devices devices = { 0 };
	uint32_t flags;

	ck_assert_int_eq(devices_capture(made_root, &devices), 0);
	ck_assert_int_eq(devices_note_use(made_root, &devices), 0);
	flags = devices_find(&devices, "pci", address)->flags;
	devices_free(&devices);
	return flags;
}

/* Without the way of the system's files the session cannot go on; without another it waits. */
START_TEST(needed)
{
	const uint32_t used = DEVICE_USE_KNOWN | DEVICE_IN_USE;

	put_routes("");
	mount("/", "rw,addr=10.0.0.1");
	expect_used(true, true);
	ck_assert_uint_eq(flags_of("0000:00:03.0"), used);
	ck_assert_uint_eq(flags_of("0000:00:04.0"), DEVICE_USE_KNOWN);
	mount("/home", "rw,addr=10.0.0.1");
	ck_assert_uint_eq(flags_of("0000:00:03.0"), DEVICE_USE_KNOWN);
	mount("/", "rw");
	ck_assert_uint_eq(flags_of("0000:00:03.0"), DEVICE_USE_KNOWN);
	/* Below what is mounted on /. */
	made_put("/proc/self/mountinfo",
		 "35 1 0:40 / /run/lower rw - nfs server:/image rw,addr=10.0.0.1\n"
		 "36 1 0:41 / / rw - overlay none rw\n");
	ck_assert_uint_eq(flags_of("0000:00:03.0"), used);
}
END_TEST

#define IMAGE "35 1 0:40 / /run/image rw - nfs server:/image rw,addr=10.0.0.1\n"
#define HOME "37 1 0:41 / /home rw - nfs server:/home rw,addr=192.0.2.1\n"
#define UPPER "34 1 0:42 / /run/rw rw - tmpfs tmpfs rw\n"
#define DISK "33 1 8:1 / /media/root-ro ro - ext4 /dev/sda1 ro\n"
#define ROOT(options) "36 1 0:43 / / rw - overlay overlayroot rw" options "\n"

/* What lies below what is mounted on /: is the first adapter needed, the second (of /home) too? */
static const struct {
	const char *mounts, *file; /* the file of loop0 */
	bool first, second;
} roots[] = {
	/* Of local disks and memory: both only wait. */
	{ UPPER DISK ROOT(",lowerdir=/media/root-ro,upperdir=/run/rw/up,workdir=/run/rw/work") },
	{ DISK ROOT(",lowerdir=/media/root-ro/") },
	{ DISK UPPER ROOT(",lowerdir+=/media/root-ro,datadir+=/run/rw") },
	{ DISK UPPER ROOT(",lowerdir=/run/rw:/media/root-ro") },
	{ "38 1 0:44 / /b\\040c rw - btrfs /dev/sda1 rw\n" ROOT(",lowerdir=/b\\040c") },
	/* Of the server of the image: the second one only waits. */
	{ ROOT(",lowerdir=/run/image"), NULL, true },
	{ DISK ROOT(",lowerdir=/media/root-ro::/run/image"), NULL, true },
	{ DISK ROOT(",lowerdir+=/media/root-ro,datadir+=/run/image"), NULL, true },
	{ "36 1 7:0 / / ro - squashfs /dev/loop0 ro\n", "/run/image/root.squashfs", true },
	{ "38 1 7:0 / /run/root ro - squashfs /dev/loop0 ro\n" ROOT(",lowerdir=/run/root"),
	  "/run/image/root.squashfs", true },
	{ "38 1 0:45 / /run/root ro - overlay x ro,lowerdir=/run/image\n" ROOT(
		  ",lowerdir=/run/root"),
	  NULL, true },
	{ "38 1 0:45 / /run/image ro - tmpfs x ro\n" ROOT(",lowerdir=/run/image"), NULL, true },
	{ "36 1 7:0 / / ro - squashfs /dev/loop0 ro\n", "/media/root.squashfs", true, true },
	{ "36 1 0:44 / / ro - btrfs /dev/loop0 ro\n", "/run/image/root.btrfs", true },
	{ "38 1 0:44 / /run/x ro - btrfs /dev/loop0 ro\n" ROOT(",lowerdir=/run/x"),
	  "/run/image/root.btrfs", true },
	/* Where it cannot be followed, any may be needed. */
	{ "36 1 0:44 / / ro - btrfs /dev/none ro\n", NULL, true, true },
	{ UPPER
	  "39 1 0:46 / /run/rw rw - fuse.x x rw\n" ROOT(",lowerdir=/run/rw,upperdir=/run/rw/up"),
	  NULL, true, true },
	{ ROOT(""), NULL, true, true },
	{ DISK ROOT(",lowerdir=/media/root-ro:lower"), NULL, true, true },
	{ DISK ROOT(",lowerdir=/media/root-ro:/lower"), NULL, true, true },
	{ DISK ROOT(",lowerdir=/media/root-ro/sub"), NULL, true, true },
	{ DISK ROOT(",lowerdir=/media/root-ro:/media/root-\\134:ro"), NULL, true, true },
	{ DISK UPPER ROOT(",lowerdir=/media/root-ro,upperdir=/run/rw/gone"), NULL, true, true },
	{ DISK UPPER ROOT(",lowerdir=/media/root-ro,upperdir=/run/rw/link/up"), NULL, true, true },
	{ DISK UPPER ROOT(",lowerdir=/media/root-ro,upperdir=/run/rw/up/../up"), NULL, true, true },
	{ "38 1 0:44 / /run/x rw - fuse.x x rw\n" ROOT(",lowerdir=/run/x"), NULL, true, true },
	{ "36 1 0:43 / / rw - aufs none rw\n", NULL, true, true },
};

START_TEST(below_the_root)
{
	const uint32_t used = DEVICE_USE_KNOWN | DEVICE_IN_USE;
	char text[600];

	put_routes("");
	add_block("sda1", "8:1", "/sys/devices/pci0000:00/0000:00:05.0/block");
	add_block("loop0", "7:0", "/sys/devices/virtual/block");
	made_put("/sys/devices/virtual/block/loop0/loop/backing_file", roots[_i].file);
	made_directory("/run/rw");
	made_directory("/run/rw/up");
	made_link("/run/rw/link", "/run/rw");
	snprintf(text, sizeof(text), IMAGE HOME "%s", roots[_i].mounts);
	made_put("/proc/self/mountinfo", text);
	ck_assert_uint_eq(flags_of("0000:00:03.0"), roots[_i].first ? used : DEVICE_USE_KNOWN);
	ck_assert_uint_eq(flags_of("0000:00:04.0"), roots[_i].second ? used : DEVICE_USE_KNOWN);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "network users");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ways);
	tcase_add_test(tc, ways_of_ipv6);
	tcase_add_test(tc, unknown_way);
	tcase_add_test(tc, layers);
	tcase_add_loop_test(tc, faster_way, 0, 3);
	tcase_add_test(tc, needed);
	tcase_add_loop_test(tc, below_the_root, 0, (int)ARRAY_SIZE(roots));
}
