/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: what will be released, and what is not in the way then. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/machine/preflight_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct release_plan plan;
static struct platform platform;

static void add(enum release_kind kind, const char *what, const char *blocked)
{
	struct release_entry entry = {
		.kind = kind,
		.group = (unsigned int)plan.entries.count + 1,
		.reason = "it does not hibernate",
		.source = RELEASE_BUILT_IN,
	};

	strcpy(entry.name, what);
	strcpy(entry.what, what);
	strcpy(entry.blocked, blocked);
	ck_assert_int_eq(list_append(&plan.entries, entry), 0);
}

static enum check_level run_with(void)
{
	const struct preflight_target target = { .area = &machine.area,
						 .platform = &platform,
						 .release = &plan };

	return run_for(&target);
}

static void begin(void)
{
	setup();
	platform_free(&platform);
	release_plan_free(&plan);
}

static size_t count(const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < machine.result.count; i++)
		n += strcmp(machine.result.checks[i].id, id) == 0;
	return n;
}

static const struct check *nth(size_t n)
{
	for (size_t i = 0; i < machine.result.count; i++)
		if (strcmp(machine.result.checks[i].id, "release") == 0 && n-- == 0)
			return &machine.result.checks[i];
	ck_abort_msg("no check %zu", n);
}

START_TEST(nothing)
{
	ck_assert_int_eq(run_with(), CHECK_OK);
	ck_assert_ptr_null(find("release"));
}
END_TEST

START_TEST(released)
{
	add(RELEASE_REMOVE, "network adapter 8086:10d3 at 0000:01:00.0", "");
	add(RELEASE_UNBIND, "virtio-mem device virtio3", "");
	ck_assert_int_eq(run_with(), CHECK_OK);
	expect("release", CHECK_OK,
	       "released before the snapshot, and given back after it: network adapter 8086:10d3 "
	       "at "
	       "0000:01:00.0, virtio-mem device virtio3",
	       "");
	ck_assert_uint_eq(count("release"), 1);
}
END_TEST

START_TEST(gone_until_the_next_boot)
{
	add(RELEASE_UNBIND, "virtio-mem device virtio3", "");
	plan.entries.items[0].lasting = true;
	ck_assert_int_eq(run_with(), CHECK_WARNING);
	expect("release", CHECK_WARNING, "gone until the next boot", "release virtio-mem");
	ck_assert_uint_eq(count("release"), 1);
	/* The rest is not concealed. */
	add(RELEASE_REMOVE, "network adapter", "");
	ck_assert_int_eq(run_with(), CHECK_WARNING);
	ck_assert_str_eq(nth(0)->text, "gone until the next boot, since it cannot be given back: "
				       "virtio-mem device virtio3");
	ck_assert_str_eq(nth(1)->text, "released before the snapshot, and given back after it: "
				       "network adapter");
	ck_assert_int_eq(nth(1)->level, CHECK_OK);
}
END_TEST

START_TEST(nvidia)
{
	made_root_create();
	snprintf(machine.root, sizeof(machine.root), "%s", made_root);
	made_put("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1\n");
	run_with();
	expect("release", CHECK_OK,
	       "suspended before the snapshot, and resumed after it: the driver", "");
	made_put("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 0\n");
	run_with();
	ck_assert_ptr_null(find("release"));
	made_root_remove();
}
END_TEST

START_TEST(some_stay)
{
	add(RELEASE_REMOVE, "network adapter", "");
	add(RELEASE_REMOVE, "storage controller", "it has sda1, which holds /");
	ck_assert_int_eq(run_with(), CHECK_WARNING);
	ck_assert_uint_eq(count("release"), 2);
	expect("release", CHECK_OK, "network adapter", "");
	ck_assert_ptr_nonnull(strstr(machine.result.checks[machine.result.count - 2].text,
				     "not released before the snapshot: storage controller: it "
				     "has sda1, which holds /"));
}
END_TEST

START_TEST(one_must_go)
{
	add(RELEASE_REMOVE, "storage controller", "it has sda1, which holds /");
	add(RELEASE_UNBIND, "VMBus device", "/dev/uio0 is in use by dpdk (process 812)");
	plan.entries.items[1].needed = true;
	ck_assert_int_eq(run_with(), CHECK_FAILED);
	expect("release", CHECK_FAILED,
	       "must be released to hibernate, and cannot be: VMBus device: /dev/uio0 is in use by "
	       "dpdk",
	       "end what uses it");
	/* The other is not concealed. */
	ck_assert_uint_eq(count("release"), 2);
	ck_assert_str_eq(nth(1)->text,
			 "not released before the snapshot: storage controller: it has "
			 "sda1, which holds /");
	ck_assert_int_eq(nth(1)->level, CHECK_WARNING);
}
END_TEST

START_TEST(absent)
{
	strcpy(plan.absent, "e1000f usb/1-1");
	strcpy(machine.settings.release.devices_by, "/etc/suspend.conf:3");
	ck_assert_int_eq(run_with(), CHECK_OK);
	expect("release", CHECK_OK,
	       "\"release devices\" (/etc/suspend.conf:3) names what this machine does not have "
	       "now: "
	       "e1000f usb/1-1",
	       "written");
	plan.absent[0] = '\0';
}
END_TEST

START_TEST(too_many)
{
	plan.cut = true;
	ck_assert_int_eq(run_with(), CHECK_WARNING);
	expect("release", CHECK_WARNING, "more than 8192 steps", "offline added memory by hand");
	plan.cut = false;
}
END_TEST

/* What looked at it hangs, and would not freeze. */
START_TEST(no_answer)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	add(RELEASE_REMOVE, "storage controller", "its disk sda does not answer");
	plan.entries.items[0].waiting = child;
	ck_assert_int_eq(run_with(), CHECK_FAILED);
	ck_assert_uint_eq(count("release"), 1);
	expect("release", CHECK_FAILED,
	       "a process that waits for a device cannot be frozen: storage controller: its disk "
	       "sda does not answer",
	       "detach that device");
	kill(child, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(run_with(), CHECK_WARNING);
}
END_TEST

/* The kernel refuses for a driver that will be unbound. */
START_TEST(denied_until_then)
{
	tree("virtio-mem");
	machine.snapshot = -EPERM;
	ck_assert_int_eq(run_with(), CHECK_FAILED);
	expect("snapshot-device", CHECK_FAILED, "virtio5", "release virtio-mem");
	add(RELEASE_UNBIND, "virtio5", "");
	strcpy(plan.entries.items[0].bus, "virtio");
	strcpy(plan.entries.items[0].driver, "virtio_mem");
	run_with();
	expect("snapshot-device", CHECK_OK, "once the driver that refuses it is released", "");
	/* Not for another reason. */
	tree("good");
	run_with();
	expect("snapshot-device", CHECK_FAILED, "the reason was not found", "");
	tree("virtio-mem");
	strcpy(plan.entries.items[0].blocked, "it is in use");
	run_with();
	expect("snapshot-device", CHECK_FAILED, "virtio5", "");
}
END_TEST

/* Added memory that is offline is in no image. */
START_TEST(offline_memory)
{
	struct memory_entry entries[] = {
		{ .start = 0, .end = 0xfffffff, .type = MEMORY_RAM },
		{ .start = 0x100000000, .end = 0x10fffffff, .type = MEMORY_RAM }
	};
	struct byte_range ranges[] = { { 0x108000000, 0x10fffffff }, { 0xf8000000, 0x107ffffff } };

	platform.map.entries.items = entries;
	platform.map.entries.count = 2;
	platform.map.table_count = 1;
	platform.ram.offline.items = ranges;
	platform.ram.offline.count = 1;
	ck_assert_int_eq(run_with(), CHECK_WARNING);
	expect("hot-plugged-memory", CHECK_WARNING, "256 MiB of memory at 0x100000000", "");
	platform.ram.offline.count = 2;
	ck_assert_int_eq(run_with(), CHECK_OK);
	ck_assert_ptr_null(find("hot-plugged-memory"));
	memset(&platform, 0, sizeof(platform));
}
END_TEST

#define MISSED "3,2,2,-;hv_vmbus: Some vmbus device is missing after suspending?\n"

START_TEST(vmbus_missed_a_device)
{
	made_root_create();
	snprintf(machine.root, sizeof(machine.root), "%s", made_root);
	made_put("/dev/kmsg", "6,1,1,-;hv_vmbus: registering driver\n" MISSED);
	run();
	ck_assert_ptr_null(find("vmbus-missing"));
	made_directory("/sys/bus");
	made_directory("/sys/bus/vmbus");
	run();
	expect("vmbus-missing", CHECK_FAILED, "EBUSY to each hibernation until a reboot", "reboot");
	made_put("/dev/kmsg", "6,1,1,-;hv_vmbus: registering driver\n");
	run();
	ck_assert_ptr_null(find("vmbus-missing"));
	made_put("/dev/kmsg", NULL);
	run();
	ck_assert_ptr_null(find("vmbus-missing"));
	made_root_remove();
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "release");

	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, released);
	tcase_add_test(tc, gone_until_the_next_boot);
	tcase_add_test(tc, nvidia);
	tcase_add_test(tc, some_stay);
	tcase_add_test(tc, one_must_go);
	tcase_add_test(tc, absent);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, no_answer);
	tcase_add_test(tc, denied_until_then);
	tcase_add_test(tc, offline_memory);
	tcase_add_test(tc, vmbus_missed_a_device);
}
