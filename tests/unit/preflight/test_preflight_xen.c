/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight in guests of Xen. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/machine/preflight_fixture.h"

#include "base/bytes.h"

static void begin(void)
{
	setup();
	made_root_create();
	snprintf(machine.root, sizeof(machine.root), "%s", made_root);
	made_put("/sys/hypervisor/type", "xen\n");
	made_put("/proc/sys/kernel/osrelease", "6.12.117-amd64\n");
}

/* With its driver, as sysfs links to both. */
static void add_device(const char *name, const char *driver)
{
	char path[100], target[100];

	snprintf(path, sizeof(path), "/sys/devices/%s/nodename", name);
	made_put(path, "device\n");
	snprintf(path, sizeof(path), "/sys/bus/xen/devices/%s", name);
	snprintf(target, sizeof(target), "../../../devices/%s", name);
	made_link(path, target);
	if (!driver)
		return;
	snprintf(path, sizeof(path), "/sys/devices/%s/driver", name);
	snprintf(target, sizeof(target), "../../bus/xen/drivers/%s", driver);
	made_link(path, target);
}

START_TEST(pv_guest)
{
	made_put("/sys/hypervisor/guest_type", "PV\n");
	add_device("vbd-51712", "vbd");
	run();
	expect("xen-pv", CHECK_FAILED, "PV guest of Xen, in which a kernel cannot restore", "hvm");
	ck_assert_ptr_null(find("xen-drivers"));
}
END_TEST

/* On arm64 it says "Xen"; Linux before 4.13 says nothing. */
static const char *const types[] = { "HVM\n", "PVH\n", "Xen\n", NULL };

START_TEST(drivers_of_xen)
{
	if (types[_i])
		made_put("/sys/hypervisor/guest_type", types[_i]);
	run();
	ck_assert_ptr_null(find("xen-drivers"));
	/* Nothing uses it. */
	add_device("vkbd-0", NULL);
	run();
	ck_assert_ptr_null(find("xen-drivers"));
	add_device("vbd-51712", "vbd");
	run();
	expect("xen-drivers", CHECK_WARNING, "Xen's drivers are in use (vbd-51712)", "try it");
	ck_assert_ptr_null(find("xen-pv"));
}
END_TEST

static const struct {
	const char *release;
	bool is;
} kernels[] = {
	{ "6.1.79-99.164.amzn2023.x86_64\n", true },
	{ "6.8.0-1021-aws\n", true },
	{ "6.8.0-1021-aws-custom\n", false },
	{ "6.12.117-cloud-amd64\n", false },
};

START_TEST(made_for_ec2)
{
	made_put("/sys/hypervisor/guest_type", "HVM\n");
	add_device("vif-0", "vif");
	made_put("/proc/sys/kernel/osrelease", kernels[_i].release);
	run();
	ck_assert(!find("xen-drivers") == kernels[_i].is);
}
END_TEST

/* A file that is named so is of another hypervisor, too. */
START_TEST(another_hypervisor)
{
	made_put("/sys/hypervisor/type", "other\n");
	made_put("/sys/hypervisor/guest_type", "PV\n");
	add_device("vif-0", "vif");
	run();
	ck_assert(!find("xen-drivers") && !find("xen-pv"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "xen");

	tcase_add_checked_fixture(tc, begin, made_root_remove);
	tcase_add_test(tc, pv_guest);
	tcase_add_loop_test(tc, drivers_of_xen, 0, (int)ARRAY_SIZE(types));
	tcase_add_loop_test(tc, made_for_ec2, 0, (int)ARRAY_SIZE(kernels));
	tcase_add_test(tc, another_hypervisor);
}
