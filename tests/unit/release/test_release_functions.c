/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is planned to be released of PCI functions: what is lost with them. */
#include "fixtures/check_main.h"
#include "release_fixture.h"

#include "release/release_child.h"

#include <errno.h>

int __wrap_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w);
int __real_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w);

static int child_fails; /* with that; 0: not */

int __wrap_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w)
{
	return child_fails ? child_fails : __real_release_child_run(work, context, limits, w);
}

START_TEST(virtual_functions)
{
	made_put(NIC_PATH "/driver_override", "(null)\n");
	made_put(NIC_PATH "/sriov_numvfs", "65535\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	ck_assert_uint_eq(entry(0)->virtuals, 65535);
	made_put(NIC_PATH "/sriov_numvfs", "65536\n");
	ask_for(NIC);
	ck_assert_uint_eq(entry(0)->virtuals, 0);
}
END_TEST

/* As one of a virtual machine. */
START_TEST(override)
{
	made_put(NIC_PATH "/driver_override", "vfio-pci\n");
	ask_for(NIC);
	expect_only(RELEASE_UNBIND, NIC, "");
	ck_assert_str_eq(entry(0)->bus, "pci");
	ck_assert_str_eq(entry(0)->driver, "e1000e");
	made_put(NIC_PATH "/driver", NULL);
	ask_for(NIC);
	ck_assert_uint_eq(plan.entries.count, 0);
}
END_TEST

/* No scan would find it again. */
START_TEST(a_virtual_function)
{
	size_t at = (size_t)_i;

	add_function("0000:01:10.0", PORT_PATH "/0000:01:10.0", "nvme", "8086:0953", "0x010802");
	made_link(PORT_PATH "/0000:01:10.0/physfn", "../" NIC);
	ask_for(_i ? "class:01" : "0000:01:10.0");
	ck_assert_uint_eq(plan.entries.count, at + 1);
	ck_assert_int_eq(entry(at)->kind, RELEASE_UNBIND);
	ck_assert_str_eq(entry(at)->name, "0000:01:10.0");
	ck_assert_str_eq(entry(at)->bus, "pci");
	ck_assert_str_eq(entry(at)->driver, "nvme");
	ck_assert_str_eq(entry(at)->blocked, "");
	/* Without a driver there is nothing to be done. */
	made_shell("rm "
		   "sys/devices/pci0000:00/" ROOT_PORT "/0000:01:10.0/driver");
	make_plan();
	ck_assert_uint_eq(plan.entries.count, at);
}
END_TEST

#define VIRTUAL "0000:01:10.0"
#define VIRTUAL_PATH PORT_PATH "/" VIRTUAL

static void add_virtual_function(void)
{
	add_function(VIRTUAL, VIRTUAL_PATH, "e1000e", "8086:10ed", "0x020000");
	made_link(VIRTUAL_PATH "/physfn", "../" NIC);
	made_link(NIC_PATH "/virtfn0", "../" VIRTUAL);
	made_put(NIC_PATH "/sriov_numvfs", "1\n");
}

/* A scan of the bridge's bus brings back neither virtual functions nor what was set. */
START_TEST(below_a_bridge)
{
	made_put(NIC_PATH "/driver_override", "(null)\n");
	ask_for(ROOT_PORT);
	expect_only(RELEASE_REMOVE, ROOT_PORT, "");
	made_put(NIC_PATH "/driver_override", "vfio-pci\n");
	make_plan();
	expect_only(RELEASE_REMOVE, ROOT_PORT,
		    NIC " goes with it, and its driver_override would be lost");
	/* A port that is unbound only keeps what is below it. */
	ask_for("pcieport");
	expect_only(RELEASE_UNBIND, ROOT_PORT, "");
	add_virtual_function();
	make_plan();
	expect_only(RELEASE_UNBIND, ROOT_PORT, "");
	made_put(NIC_PATH "/driver_override", "(null)\n");
	ask_for(ROOT_PORT);
	expect_only(RELEASE_REMOVE, ROOT_PORT, VIRTUAL " below it is a virtual function");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
}
END_TEST

#define VMD "0000:00:0e.0"
#define VMD_PATH "/sys/devices/pci0000:00/" VMD
#define HOSTED "10000:e1:00.0"
#define HOSTED_PATH VMD_PATH "/pci10000:e0/10000:e0:06.0/" HOSTED

/* The functions on a bus that a driver has made go with it, as those below a bridge do not. */
START_TEST(behind_vmd)
{
	static const char *const names[] = { "vmd", ("pci/" VMD), VMD, "class:0104", "module:vmd" };
	const char *name = _i == 4 ? "vmd" : VMD;
	enum release_kind kind = _i < 2 ? RELEASE_UNBIND : _i < 4 ? RELEASE_REMOVE : RELEASE_UNLOAD;

	add_function(VMD, VMD_PATH, "vmd", "8086:467f", "0x010400");
	add_function("10000:e0:06.0", VMD_PATH "/pci10000:e0/10000:e0:06.0", "pcieport",
		     "8086:464d", "0x060400");
	add_function(HOSTED, HOSTED_PATH, "nvme", "144d:a80a", "0x010802");
	made_put("/sys/module/vmd/initstate", "live\n");
	made_link("/sys/module/vmd/drivers/pci:vmd", "../../../bus/pci/drivers/vmd");
	made_put(HOSTED_PATH "/driver_override", "(null)\n");
	ask_for(names[_i]);
	expect_only(kind, name, "");
	made_put(HOSTED_PATH "/driver_override", "vfio-pci\n");
	make_plan();
	expect_only(kind, name, HOSTED " goes with it, and its driver_override would be lost");
	made_put(HOSTED_PATH "/driver_override", "(null)\n");
	made_link(HOSTED_PATH "/physfn", "../10000:e1:00.1");
	made_directory(VMD_PATH "/pci10000:e0/10000:e0:06.0/10000:e1:00.1");
	make_plan();
	expect_only(kind, name,
		    HOSTED " below it is a virtual function, which would not come back");
	made_put(HOSTED_PATH "/physfn", NULL);
	add_block("nvme0n1", "259:0", HOSTED_PATH "/nvme/nvme0");
	made_put("/proc/self/mountinfo", "36 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	make_plan();
	expect_only(kind, name, "it has nvme0n1, which holds /");
}
END_TEST

/* They are made again, and would get the driver of their id. */
START_TEST(override_of_a_virtual_function)
{
	add_virtual_function();
	made_put(VIRTUAL_PATH "/driver_override", "vfio-pci\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC,
		    VIRTUAL " goes with it, and its driver_override would be lost");
	ask_for("pci/" NIC);
	expect_only(RELEASE_UNBIND, NIC,
		    VIRTUAL " goes with it, and its driver_override would be lost");
	made_put(VIRTUAL_PATH "/driver_override", "(null)\n");
	make_plan();
	expect_only(RELEASE_UNBIND, NIC, "");
	ck_assert_uint_eq(entry(0)->virtuals, 1);
	/* A module has many devices. */
	made_put("/sys/module/e1000e/initstate", "live\n");
	made_link("/sys/module/e1000e/drivers/pci:e1000e", "../../../bus/pci/drivers/e1000e");
	ask_for("module:e1000e");
	expect_only(RELEASE_UNLOAD, "e1000e", NIC " has virtual functions, which would be lost");
}
END_TEST

START_TEST(drivers_of_virtual_functions)
{
	add_virtual_function();
	made_put(NIC_PATH "/sriov_drivers_autoprobe", "0\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "its virtual functions are kept from their drivers");
	/* A function that stays knows it still. */
	ask_for("pci/" NIC);
	expect_only(RELEASE_UNBIND, NIC, "");
	made_put(NIC_PATH "/sriov_drivers_autoprobe", "1\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	made_put(NIC_PATH "/driver", NULL);
	if (_i == 1)
		made_link(NIC_PATH "/driver", "../../../../bus/pci/drivers/pci-pf-stub");
	make_plan();
	expect_only(RELEASE_REMOVE, NIC, "it has virtual functions, which no driver would remove");
}
END_TEST

/* A step of an earlier run hangs, and holds the device's lock. */
START_TEST(settings_cannot_be_read)
{
	child_fails = -EINPROGRESS;
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC,
		    "its driver_override and sriov_numvfs cannot be read: the kernel does not "
		    "answer");
	child_fails = -EAGAIN;
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC,
		    "its driver_override and sriov_numvfs cannot be read: Resource temporarily "
		    "unavailable");
	child_fails = 0;
}
END_TEST

/* pciehp would power off a slot without a device. */
START_TEST(in_a_slot)
{
	add_device("pci_express", ROOT_PORT ":pcie001", PORT_PATH "/" ROOT_PORT ":pcie001",
		   "pcie_pme");
	add_device("pci_express", "0000:00:1c.1:pcie004",
		   "/sys/devices/pci0000:00/0000:00:1c.1:pcie004", "pciehp");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "");
	add_device("pci_express", ROOT_PORT ":pcie004", PORT_PATH "/" ROOT_PORT ":pcie004",
		   "pciehp");
	ask_for(NIC);
	ck_assert_uint_eq(plan.entries.count, 2);
	ck_assert_int_eq(entry(0)->kind, RELEASE_UNBIND);
	ck_assert_str_eq(entry(0)->name, ROOT_PORT ":pcie004");
	ck_assert_str_eq(entry(0)->bus, "pci_express");
	ck_assert_str_eq(entry(0)->driver, "pciehp");
	ck_assert_uint_eq(entry(0)->group, entry(1)->group);
	ck_assert_str_eq(entry(1)->name, NIC);
	/* Not where the device stays. */
	add_block("sdb", "8:16", NIC_PATH "/block");
	made_put("/proc/self/mountinfo", "36 1 8:16 / /home rw - ext4 /dev/sdb rw\n");
	ask_for(NIC);
	expect_only(RELEASE_REMOVE, NIC, "holds /home");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "functions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, virtual_functions);
	tcase_add_test(tc, override);
	tcase_add_loop_test(tc, a_virtual_function, 0, 2);
	tcase_add_test(tc, below_a_bridge);
	tcase_add_loop_test(tc, behind_vmd, 0, 5);
	tcase_add_test(tc, override_of_a_virtual_function);
	tcase_add_loop_test(tc, drivers_of_virtual_functions, 0, 2);
	tcase_add_test(tc, settings_cannot_be_read);
	tcase_add_test(tc, in_a_slot);
}
