/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is planned to be released. */
#include "fixtures/check_main.h"
#include "release_fixture.h"

#include "base/io.h"
#include "release/release_plan_private.h"
#include "release/release_text.h"

#include <errno.h>

static char text[1000];

START_TEST(nothing)
{
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 0);
	strcpy(config.devices, "not/a/rule");
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 0);
	/* What is not there is not asked for. */
	ask_for("0000:09:00.0 1111:2222 class:0d virtio_net usb/1-1 module:no-ne,ABCD:EF01");
	ck_assert_uint_eq(plan.entries.count, 0);
	ck_assert_str_eq(plan.absent, "0000:09:00.0 1111:2222 class:0d virtio_net usb/1-1 "
				      "module:no-ne ABCD:EF01");
	/* What is there without a driver is no mistake, nor what two words name. */
	add_device("usb", "1-1", "/sys/devices/usb1/1-1", NULL);
	ask_for("usb/1-1 " NIC " 8086:10d3 e1000f e1000e class:0200");
	ck_assert_str_eq(plan.absent, "e1000f");
}
END_TEST

/* The same device by each of its names. */
START_TEST(by_name)
{
	static const char *const names[] = { NIC, "8086:10d3", "class:02", "class:0200" };

	ask_for(names[_i]);
	expect_only(RELEASE_REMOVE, NIC, "");
	ck_assert_str_eq(entry(0)->what, "network adapter 8086:10d3 at " NIC);
	ck_assert_str_eq(entry(0)->driver, "e1000e");
	ck_assert_str_eq(entry(0)->source, "/etc/suspend.conf:3");
	ck_assert(!entry(0)->needed && !entry(0)->lasting);
	release_plan_apply(&plan, &platform);
	ck_assert_ptr_null(devices_find(&platform.devices, "pci", NIC));
	ck_assert_ptr_nonnull(devices_find(&platform.devices, "pci", ROOT_PORT));
}
END_TEST

START_TEST(by_driver)
{
	add_device("platform", "refuser.0", "/sys/devices/platform/refuser.0", "refuser");
	ask_for("refuser e1000e");
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_int_eq(entry(0)->kind, RELEASE_UNBIND);
	ck_assert_str_eq(entry(0)->bus, "platform");
	ck_assert_str_eq(entry(0)->name, "refuser.0");
	ck_assert_str_eq(entry(0)->what, "device platform/refuser.0");
	ck_assert_str_eq(entry(1)->bus, "pci");
	ck_assert(release_plan_covers_driver(&plan, made_root, "pci", "e1000e"));
	ck_assert(!release_plan_covers_driver(&plan, made_root, "pci", "ahci"));
	ck_assert(!release_plan_covers_driver(&plan, made_root, "pci", "none"));
	release_plan_apply(&plan, &platform);
	ck_assert_str_eq(devices_find(&platform.devices, "pci", NIC)->driver, "");
	/* One device, once; what is removed needs no unbinding. */
	ask_for(NIC " e1000e pci/" NIC " platform/refuser.0");
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_int_eq(entry(0)->kind, RELEASE_REMOVE);
	ck_assert_str_eq(entry(1)->name, "refuser.0");
}
END_TEST

/* A name is that of one device on each bus. */
START_TEST(same_name_on_two_buses)
{
	add_device("usb", "1-2", "/sys/devices/usb1/1-2", "usb");
	add_device("i2c", "1-2", "/sys/devices/i2c-1/1-2", "sensor");
	ask_for("usb/1-2 i2c/1-2 usb/1-2");
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_str_eq(entry(0)->bus, "usb");
	ck_assert_str_eq(entry(1)->bus, "i2c");
	ck_assert_str_eq(entry(1)->driver, "sensor");
}
END_TEST

START_TEST(by_module)
{
	made_put("/sys/module/refuser/initstate", "live\n");
	made_put("/sys/module/ahci/initstate", "live\n");
	made_link("/sys/module/ahci/drivers/pci:ahci", "../../../bus/pci/drivers/ahci");
	made_put("/sys/module/printk/parameters/time", "Y\n");
	ask_for("module:refuser");
	expect_only(RELEASE_UNLOAD, "refuser", "");
	ask_for("module:ahci");
	expect_only(RELEASE_UNLOAD, "ahci", "holds /");
	ask_for("module:printk");
	expect_only(RELEASE_UNLOAD, "printk", "built into the kernel");
	release_plan_apply(&plan, &platform);
}
END_TEST

static void virtio_mem(void)
{
	add_device("virtio", "virtio3", PORT_PATH "/virtio3", "virtio_mem");
	made_put(PORT_PATH "/virtio3/device", "0x0018\n");
	made_put("/proc/iomem", "00100000-1fffffff : System RAM\n"
				"100000000-13fffffff : virtio3\n");
}

START_TEST(virtio_mem_empty)
{
	virtio_mem();
	make_plan();
	expect_only(RELEASE_UNBIND, "virtio3", "");
	ck_assert_str_eq(entry(0)->driver, "virtio_mem");
	ck_assert_str_eq(entry(0)->source, RELEASE_BUILT_IN);
	ck_assert(entry(0)->needed && !entry(0)->lasting);
	ck_assert(release_plan_covers_driver(&plan, made_root, "virtio", "virtio_mem"));
}
END_TEST

static void plug(void)
{
	made_put("/proc/iomem", "00100000-1fffffff : System RAM\n"
				"100000000-13fffffff : virtio3\n"
				"  100000000-10fffffff : System RAM (virtio_mem)\n");
	add_memory(2, "online", "DMA32\n");
	add_memory(32, "online\n", "Movable\n");
	add_memory(33, "online\n", "Normal\n");
}

START_TEST(virtio_mem_plugged)
{
	virtio_mem();
	plug();
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 0);
	config.virtio_mem = true;
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 3);
	ck_assert_str_eq(entry(0)->name, "memory32");
	ck_assert_str_eq(entry(0)->zone, "online_movable");
	ck_assert_uint_eq(entry(0)->start, ADDED);
	ck_assert_uint_eq(entry(0)->end, ADDED + BLOCK - 1);
	ck_assert_str_eq(entry(1)->zone, "online_kernel");
	ck_assert_int_eq(entry(2)->kind, RELEASE_UNBIND);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(entry(i)->needed && entry(i)->lasting);
		ck_assert_uint_eq(entry(i)->group, entry(0)->group);
	}
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_LASTING, text, sizeof(text)), 2);
	ck_assert_str_eq(text, "256 MiB of memory at 0x100000000, virtio-mem device virtio3");
	ck_assert_uint_eq(platform.ram.virtio.items[0].plugged, 2 * BLOCK);
	release_plan_apply(&plan, &platform);
	ck_assert_uint_eq(platform.ram.virtio.items[0].plugged, 0);
	/* As it is then captured. */
	made_put("/sys/devices/system/memory/memory32/state", "offline\n");
	make_plan();
	ck_assert_uint_eq(platform.ram.virtio.items[0].plugged, BLOCK);
	ck_assert_uint_eq(plan.entries.count, 2);
}
END_TEST

/* Its driver keeps what it has added, and cannot be bound again. */
START_TEST(virtio_mem_offline)
{
	virtio_mem();
	plug();
	made_put("/sys/devices/system/memory/memory32/state", "offline\n");
	made_put("/sys/devices/system/memory/memory33/state", "offline\n");
	make_plan();
	ck_assert_uint_eq(platform.ram.virtio.items[0].plugged, 0);
	ck_assert_uint_eq(platform.ram.virtio.items[0].added, 2 * BLOCK);
	ck_assert_uint_eq(plan.entries.count, 0);
	ask_for("virtio/virtio3");
	expect_only(RELEASE_UNBIND, "virtio3", "256 MiB of memory are plugged in virtio3");
	config.devices[0] = '\0';
	config.virtio_mem = true;
	make_plan();
	expect_only(RELEASE_UNBIND, "virtio3", "");
	ck_assert_str_eq(entry(0)->source, "release virtio-mem");
	ck_assert(entry(0)->needed && entry(0)->lasting);
	release_plan_apply(&plan, &platform);
	ck_assert_uint_eq(platform.ram.virtio.items[0].added, 0);
	/* Its memory map is elsewhere. */
	made_put("/sys/module/memory_hotplug/parameters/memmap_on_memory", "Y\n");
	make_plan();
	ck_assert_str_eq(entry(0)->blocked, "");
	/* As it was released: it is neither in the way, nor to be waited for. */
	ck_assert(made_shell("rm ." PORT_PATH "/virtio3/driver"));
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 0);
	ck_assert_uint_eq(platform.ram.virtio.count, 1);
	ck_assert_uint_eq(platform.ram.virtio.items[0].added, 0);
}
END_TEST

static void append(struct planner *planner, enum release_kind kind, unsigned int number)
{
	struct release_entry added = {
		.kind = kind, .group = planner->groups, .needed = true, .what = "one of many"
	};

	snprintf(added.name, sizeof(added.name), "memory%u", number);
	ck_assert_int_eq(plan_append(planner, &added), 0);
}

/* A device, without which its blocks are of no use, would be one too many. */
START_TEST(too_many)
{
	struct planner planner = { .plan = &plan, .groups = 1 };

	for (unsigned int i = 0; i < RELEASE_MAX; i++) {
		planner.groups = i < 5 ? 1 : 2;
		append(&planner, RELEASE_OFFLINE, i);
	}
	ck_assert(!plan.cut);
	append(&planner, RELEASE_UNBIND, 0);
	append(&planner, RELEASE_UNBIND, 1);
	ck_assert(plan.cut);
	ck_assert_uint_eq(plan.entries.count, RELEASE_MAX);
	for (size_t i = 0; i < RELEASE_MAX; i++)
		ck_assert_int_eq(entry(i)->blocked[0] != '\0', i >= 5);
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_REFUSING, text, sizeof(text)), 1);
	ck_assert_ptr_nonnull(strstr(text, "there would be more than 8192 steps"));
}
END_TEST

/* A driver that is gone refuses nothing, and its memory would be in the image. */
START_TEST(virtio_mem_named)
{
	static const char *const names[] = { "virtio_mem", "virtio/virtio3", ROOT_PORT,
					     "module:virtio_mem" };
	const char *name = names[_i];

	virtio_mem();
	plug();
	made_put("/sys/module/virtio_mem/initstate", "live\n");
	made_link("/sys/module/virtio_mem/drivers/virtio:virtio_mem",
		  "../../../bus/virtio/drivers/virtio_mem");
	ask_for(name);
	ck_assert_uint_eq(plan.entries.count, 1);
	ck_assert_str_eq(entry(0)->blocked,
			 "256 MiB of memory are plugged in virtio3; see \"release virtio-mem\"");
	ck_assert(!release_plan_covers_driver(&plan, made_root, "virtio", "virtio_mem"));
	/* Its memory first. */
	config.virtio_mem = true;
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 4);
	ck_assert_str_ne(entry(0)->blocked, "");
	ck_assert_int_eq(entry(2)->kind, RELEASE_OFFLINE);
	ck_assert_str_eq(entry(3)->name, "virtio3");
	ck_assert(entry(3)->lasting && !entry(3)->blocked[0]);
	ck_assert(release_plan_covers_driver(&plan, made_root, "virtio", "virtio_mem"));
	config.virtio_mem = false;
	made_put("/proc/iomem", "00100000-1fffffff : System RAM\n"
				"100000000-13fffffff : virtio3\n");
	make_plan();
	ck_assert_str_eq(entry(0)->blocked, "");
}
END_TEST

static void add_dimm(void)
{
	static const char *const values[][2] = {
		{ "0/start", "0x0" },	    { "0/end", "0x1fffffff" },
		{ "0/type", "System RAM" }, { "1/start", "0x100000000" },
		{ "1/end", "0x10fffffff" }, { "1/type", "System RAM" },
	};
	/* That the second was added is known by the boot loader's list, which has one. */
	static unsigned char parameters[4096] = { [0x1e8] = 1 };

	memcpy(parameters + 0x2d0 + 8, "\0\0\0\x20", 4);
	parameters[0x2d0 + 16] = 1;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/firmware/memmap/%s", values[i][0]);
		made_put(path, values[i][1]);
	}
	made_put_bytes("/sys/kernel/boot_params/data", parameters, sizeof(parameters));
	made_put("/proc/iomem", "00000000-1fffffff : System RAM\n"
				"100000000-10fffffff : System RAM\n");
	made_put("/proc/meminfo", "MemAvailable: 300000 kB\n");
	add_memory(2, "online", "DMA32\n");
	add_memory(32, "online\n", "Movable\n");
	add_memory(33, "online\n", "Movable\n");
}

START_TEST(added_memory)
{
	add_dimm();
	make_plan();
	ck_assert_uint_eq(platform.map.table_count, 1);
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_str_eq(entry(0)->name, "memory32");
	ck_assert_str_eq(entry(1)->name, "memory33");
	ck_assert_uint_eq(entry(0)->group, entry(1)->group);
	ck_assert(!entry(0)->needed && !entry(0)->lasting && !entry(0)->blocked[0]);
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_FREE, text, sizeof(text)), 1);
	ck_assert_str_eq(text, "256 MiB of memory at 0x100000000");
	release_plan_apply(&plan, &platform);
	ck_assert_uint_eq(platform.ram.offline.count, 2);
	made_put("/sys/devices/system/memory/memory32/state", "offline\n");
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 1);
}
END_TEST

START_TEST(added_memory_that_stays)
{
	add_dimm();
	made_put("/proc/meminfo", "MemAvailable: 200000 kB\n");
	make_plan();
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_BLOCKED, text, sizeof(text)), 1);
	ck_assert_msg(strstr(text, "0x100000000: only 195 MiB of memory are available"), "%s",
		      text);
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_REFUSING, text, sizeof(text)), 0);
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_FREE, text, sizeof(text)), 0);
	release_plan_apply(&plan, &platform);
	ck_assert_uint_eq(platform.ram.offline.count, 0);
	made_put("/proc/meminfo", "MemAvailable: 300000 kB\n");
	made_put("/sys/module/memory_hotplug/parameters/memmap_on_memory", "force\n");
	make_plan();
	ck_assert_msg(strstr(entry(1)->blocked, "(memmap_on_memory)"), "%s", entry(1)->blocked);
	made_put("/sys/module/memory_hotplug/parameters/memmap_on_memory", "N\n");
	make_plan();
	ck_assert_str_eq(entry(1)->blocked, "");
}
END_TEST

/* A page of 4 KiB, in use: KPF_HWPOISON, KPF_LRU. */
static void poison(uint64_t address)
{
	static unsigned char flags[(0x110000000 >> 12) * 8];

	memset(flags, 0, sizeof(flags));
	flags[(address >> 12) * 8 + 2] = 1 << (19 - 16);
	flags[(address >> 12) * 8] = 1 << 5;
	made_put_bytes("/proc/kpageflags", flags, sizeof(flags));
}

START_TEST(added_memory_that_is_poisoned)
{
	add_dimm();
	made_put("/proc/meminfo", "MemAvailable: 300000 kB\nHardwareCorrupted: 4 kB\n");
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_msg(strstr(entry(0)->blocked, "is not known"), "%s", entry(0)->blocked);
	io_set_only_looks(true);
	make_plan();
	ck_assert_str_eq(entry(0)->blocked, "");
	io_set_only_looks(false);
	poison(0x5000);
	make_plan();
	ck_assert_str_eq(entry(0)->blocked, "");
	ck_assert_str_eq(entry(1)->blocked, "");
	poison(0x108000000);
	make_plan();
	ck_assert_msg(strstr(entry(0)->blocked, "not come online again"), "%s", entry(0)->blocked);
	ck_assert_str_eq(entry(1)->blocked, entry(0)->blocked);
	made_put("/proc/meminfo", "MemAvailable: 300000 kB\nHardwareCorrupted: 0 kB\n");
	make_plan();
	ck_assert_str_eq(entry(1)->blocked, "");
}
END_TEST

/* What is in the first piece needs the room that the second would need. */
START_TEST(added_memory_in_pieces)
{
	add_dimm();
	made_put("/sys/firmware/memmap/2/start", "0x110000000");
	made_put("/sys/firmware/memmap/2/end", "0x117ffffff");
	made_put("/sys/firmware/memmap/2/type", "System RAM");
	add_memory(34, "online\n", "Movable\n");
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 3);
	ck_assert_str_eq(entry(1)->blocked, "");
	ck_assert_str_eq(entry(2)->blocked, "only 36 MiB of memory are available, and what is in "
					    "the 128 MiB must go elsewhere");
	made_put("/proc/meminfo", "MemAvailable: 400000 kB\n");
	make_plan();
	ck_assert_str_eq(entry(2)->blocked, "");
}
END_TEST

#define FCOPY "34d14be3-dee4-41c8-9ae7-6b174977c192"
#define FCOPY_PATH "/sys/devices/LNXSYSTM:00/VMBUS:00/" FCOPY
#define PASSED "47505500-0001-0000-3130-444531444234"
#define PASSED_PATH "/sys/devices/LNXSYSTM:00/VMBUS:00/" PASSED

START_TEST(vmbus_uio)
{
	add_device("vmbus", FCOPY, FCOPY_PATH, "uio_hv_generic");
	made_put(FCOPY_PATH "/class_id", "{34d14be3-dee4-41c8-9ae7-6b174977c192}\n");
	made_put(FCOPY_PATH "/uio/uio0/name", "hv_uio\n");
	made_put(FCOPY_PATH "/uio/uio1/name", "hv_uio\n");
	make_plan();
	expect_only(RELEASE_UNBIND, FCOPY, "");
	ck_assert_str_eq(entry(0)->bus, "vmbus");
	ck_assert(entry(0)->needed);
	made_put("/proc/812/comm", "dpdk\n");
	made_link("/proc/812/fd/3", _i ? "/dev/uio1" : "/dev/uio0");
	make_plan();
	expect_only(RELEASE_UNBIND, FCOPY,
		    _i ? "/dev/uio1 is in use by dpdk (process 812)"
		       : "/dev/uio0 is in use by dpdk (process 812)");
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_REFUSING, text, sizeof(text)), 1);
}
END_TEST

START_TEST(vmbus_pci)
{
	add_device("vmbus", PASSED, PASSED_PATH, "hv_pci");
	made_put(PASSED_PATH "/class_id", "{44c4f61d-4444-4400-9d52-802e27ede19f}\n");
	make_plan();
	expect_only(RELEASE_UNBIND, PASSED, "");
	ck_assert(!entry(0)->needed);
	/* An NVMe disk may hold /. */
	add_block("nvme0n1", "259:0", PASSED_PATH "/pci0001:00/0001:00:00.0/nvme/nvme0");
	made_put("/proc/self/mountinfo", "36 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	make_plan();
	expect_only(RELEASE_UNBIND, PASSED, "it has nvme0n1, which holds /");
	made_put(PASSED_PATH "/driver", NULL);
	make_plan();
	ck_assert_uint_eq(plan.entries.count, 0);
}
END_TEST

START_TEST(in_words)
{
	char *printed = NULL;
	size_t length;
	FILE *out = open_memstream(&printed, &length);

	add_device("platform", "refuser.0", "/sys/devices/platform/refuser.0", "refuser");
	add_dimm();
	ask_for(NIC " " DISKS " refuser");
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_FREE, text, sizeof(text)), 3);
	ck_assert_str_eq(text, "network adapter 8086:10d3 at " NIC ", device platform/refuser.0, "
			       "256 MiB of memory at 0x100000000");
	/* As many as fit, the others counted. */
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_FREE, text, 80), 3);
	ck_assert_str_eq(text, "network adapter 8086:10d3 at " NIC " and 2 more");
	ck_assert_uint_eq(release_text(&plan, RELEASE_ALL_FREE, text, 20), 3);
	ck_assert_str_eq(text, "3 more");
	made_put("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1\n");
	release_print(&plan, made_root, out);
	fclose(out);
	ck_assert_str_eq(
		printed,
		"would remove network adapter 8086:10d3 at " NIC
		": the settings name it (/etc/suspend.conf:3)\n"
		"would not remove storage controller 8086:2922 at " DISKS
		": the settings name it (/etc/suspend.conf:3); it has sda1, which holds /\n"
		"would unbind device platform/refuser.0 from refuser: the settings name it "
		"(/etc/suspend.conf:3)\n"
		"would offline 256 MiB of memory at 0x100000000: it was added to the running "
		"machine, and may be missing when that starts again (built in)\n"
		"would suspend the driver nvidia: it preserves video memory (built in)\n");
	free(printed);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "plan");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing);
	tcase_add_loop_test(tc, by_name, 0, 4);
	tcase_add_test(tc, by_driver);
	tcase_add_test(tc, same_name_on_two_buses);
	tcase_add_test(tc, by_module);
	tcase_add_test(tc, virtio_mem_empty);
	tcase_add_test(tc, virtio_mem_plugged);
	tcase_add_test(tc, virtio_mem_offline);
	tcase_add_test(tc, too_many);
	tcase_add_loop_test(tc, virtio_mem_named, 0, 4);
	tcase_add_test(tc, added_memory);
	tcase_add_test(tc, added_memory_that_stays);
	tcase_add_test(tc, added_memory_that_is_poisoned);
	tcase_add_test(tc, added_memory_in_pieces);
	tcase_add_loop_test(tc, vmbus_uio, 0, 2);
	tcase_add_test(tc, vmbus_pci);
	tcase_add_test(tc, in_words);
}
