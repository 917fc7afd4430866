/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan is carried out: on a sysfs that does what the kernel does, or does not. */
#include "fixtures/check_main.h"
#include "release_steps_fixture.h"

#include "release/release_child.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

START_TEST(there_and_back)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	expect(ALL_TAKEN);
	ck_assert(!is_there("/sys/module/refuser"));
	ck_assert(!is_there("/sys/devices/platform/refuser.0/driver"));
	ck_assert(!is_there("/sys/bus/pci/devices/" NIC));
	ck_assert(is_there(RELEASE_JOURNAL));
	give();
	expect(ALL_GIVEN);
	ck_assert(is_there("/sys/module/refuser"));
	ck_assert(is_there("/sys/devices/platform/refuser.0/driver"));
	ck_assert(is_there("/sys/bus/pci/devices/" NIC));
	/* Once. */
	give();
	expect("");
}
END_TEST

/* What is not needed stays, and the rest goes. */
START_TEST(one_fails)
{
	static const struct {
		const char *fail;
		int with;
		const char *log;
	} cases[] = {
		{ "/unbind", -EBUSY,
		  "taken refuser\nnot-taken refuser.0: it cannot be unbound from refuser: Device "
		  "or "
		  "resource busy\ntaken " NIC "\n" },
		/* It says that it did. */
		{ "/unbind", 0,
		  "taken refuser\nnot-taken refuser.0: it cannot be unbound from refuser: Device "
		  "or "
		  "resource busy\ntaken " NIC "\n" },
		{ "/remove", -EPERM,
		  "taken refuser\ntaken refuser.0\nnot-taken " NIC
		  ": it cannot be removed: Operation not permitted\n" },
		{ "/remove", 0,
		  "taken refuser\ntaken refuser.0\nnot-taken " NIC
		  ": it cannot be removed: Device or resource busy\n" },
	};
	struct why w;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fail = cases[i].fail;
		fail_with = cases[i].with;
		ck_assert_int_eq(take(&w), 0);
		expect(cases[i].log);
		fail = NULL;
		give();
		reported[0] = '\0';
	}
	module_error = EWOULDBLOCK;
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken refuser: it cannot be unloaded: it is in use\ntaken refuser.0\ntaken " NIC
	       "\n");
}
END_TEST

START_TEST(a_needed_one_fails)
{
	struct why w;

	plan.entries.items[2].needed = true;
	fail = "/remove";
	fail_with = -EIO;
	ck_assert_int_eq(take(&w), -EIO);
	ck_assert_str_eq(w.text, "network adapter 8086:10d3 at " NIC
				 ": it cannot be removed: Input/output error");
	expect("taken refuser\ntaken refuser.0\nnot-taken " NIC
	       ": it cannot be removed: Input/output error\ngiven refuser.0\ngiven refuser\n");
	ck_assert(!is_there(RELEASE_JOURNAL));
}
END_TEST

START_TEST(interrupted)
{
	struct why w;

	stop_after = _i;
	ck_assert_int_eq(take(&w), -ECANCELED);
	expect(_i == 0	 ? ""
	       : _i == 1 ? "taken refuser\ngiven refuser\n"
			 : "taken refuser\ntaken refuser.0\ngiven refuser.0\ngiven refuser\n");
}
END_TEST

START_TEST(nothing_to_do)
{
	struct why w;

	unlink(below("/sys/devices/platform/refuser.0/driver"));
	made_shell("rm -r sys/module/refuser sys/bus/pci/devices/" NIC);
	ck_assert_int_eq(take(&w), 0);
	expect("");
	give();
	expect("");
}
END_TEST

START_TEST(another_driver)
{
	struct why w;

	unlink(below("/sys/devices/platform/refuser.0/driver"));
	made_link("/sys/devices/platform/refuser.0/driver", "../../../bus/platform/drivers/other");
	ck_assert_int_eq(take(&w), 0);
	expect("taken refuser\nnot-taken refuser.0: its driver is other now, not refuser\n"
	       "taken " NIC "\n");
}
END_TEST

START_TEST(blocked)
{
	struct why w;

	strcpy(plan.entries.items[1].blocked, "it is the only display");
	ck_assert_int_eq(take(&w), 0);
	expect("taken refuser\ntaken " NIC "\n");
}
END_TEST

/* No step without its entry in the journal. */
START_TEST(no_journal)
{
	struct why w;

	made_shell("rm -r run && touch run");
	ck_assert_int_eq(take(&w), 0);
	expect("not-taken refuser: /run/s2disk/released cannot be written: Not a directory\n"
	       "not-taken refuser.0: /run/s2disk/released cannot be written: Not a directory\n"
	       "not-taken " NIC ": /run/s2disk/released cannot be written: Not a directory\n");
	ck_assert(is_there("/sys/module/refuser"));
	made_shell("rm run && mkdir run && rm proc/sys/kernel/random/boot_id");
	ck_assert_int_eq(take(&w), 0);
	ck_assert_ptr_nonnull(strstr(reported, "not-taken refuser: "));
	ck_assert(is_there("/sys/module/refuser"));
}
END_TEST

START_TEST(not_given_back)
{
	char command[RELEASE_COMMAND_SIZE];
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	gone = true;
	fail = "/bind";
	fail_with = -ENODEV;
	program_result = 2;
	give();
	expect("gone " NIC ": it is not there any more\n"
	       "not-given refuser.0: it cannot be bound to refuser again: No such device\n"
	       "not-given refuser: modprobe ended with 2 and did not load it\n");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[0], command, sizeof(command)),
			 "modprobe refuser");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[1], command, sizeof(command)),
			 "echo refuser.0 >/sys/bus/platform/drivers/refuser/bind");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[2], command, sizeof(command)),
			 "echo 1 >" NIC_BUS "/rescan");
}
END_TEST

START_TEST(given_back_otherwise)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	/* By the slot, by udev; and one device was unplugged. */
	made_link("/sys/bus/pci/devices/" NIC, "../../../devices/pci0000:00/" ROOT_PORT "/" NIC);
	made_put("/sys/module/refuser/initstate", "live\n");
	made_shell("rm sys/bus/platform/devices/refuser.0");
	fail = "/rescan";
	fail_with = -EIO;
	program_result = 1;
	give();
	expect("given " NIC "\ngone refuser.0: it is not there any more\ngiven refuser\n");
}
END_TEST

START_TEST(rescan_fails)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	fail = "/rescan";
	fail_with = -EIO;
	program_result = -ENOENT;
	give();
	expect("not-given " NIC ": its PCI bus cannot be scanned: Input/output error\n"
	       "given refuser.0\n"
	       "not-given refuser: modprobe cannot be run: No such file or directory\n");
}
END_TEST

/* The bridge above it was unplugged. */
START_TEST(bus_is_gone)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	made_shell("rmdir sys/class/pci_bus/0000:01");
	give();
	expect("gone " NIC ": its bus is not there any more\ngiven refuser.0\ngiven refuser\n");
}
END_TEST

static void expect_file(const char *path, const char *wanted)
{
	char text[40];

	ck_assert(tree_text(made_root, text, sizeof(text), "%s", path));
	ck_assert_str_eq(text, wanted);
}

/* No scan of its bus wakes the port above it. */
START_TEST(port_is_suspended)
{
	struct why w;

	made_put(NIC_CONTROL, "auto\n");
	made_put(NIC_BUS "/device/vendor", "0x8086\n");
	trains = 2;
	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	give();
	expect(ALL_GIVEN);
	expect_file(NIC_CONTROL, "auto");
	/* Nothing is waited for without end. */
	gone = true;
	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	give();
	expect("gone " NIC ": it is not there any more\ngiven refuser.0\ngiven refuser\n");
	expect_file(NIC_CONTROL, "auto");
}
END_TEST

static void take_with_virtuals(void)
{
	struct why w;

	made_put(NIC_PATH "/driver_override", "(null)\n");
	made_put(NIC_PATH "/sriov_numvfs", "4\n");
	ask_for(NIC);
	ck_assert_int_eq(take(&w), 0);
	expect("taken " NIC "\n");
}

/* Also by the next s2disk, after a kill. */
START_TEST(virtual_functions)
{
	found_with = _i % 2 ? "0" : "2";
	take_with_virtuals();
	if (_i < 2)
		give();
	else
		release_recover(made_root, &watch);
	expect("given " NIC "\n");
	/* Those that its driver has made stay. */
	expect_file(NIC_PATH "/sriov_numvfs", _i % 2 ? "4" : "2");
}
END_TEST

/* Its driver removes them when it is unbound. */
START_TEST(virtual_functions_of_a_driver)
{
	char command[RELEASE_COMMAND_SIZE];
	struct why w;

	made_put(NIC_PATH "/sriov_numvfs", "4\n");
	made_put(NIC_PATH "/virtfn0", "");
	ask_for("e1000e");
	ck_assert_int_eq(take(&w), 0);
	expect("taken " NIC "\n");
	expect_file(NIC_PATH "/sriov_numvfs", "0");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[0], command, sizeof(command)),
			 "echo " NIC " >/sys/bus/pci/drivers/e1000e/bind; echo 4 "
			 ">/sys/bus/pci/devices/" NIC "/sriov_numvfs");
	if (_i == 0)
		give();
	else
		release_recover(made_root, &watch);
	expect("given " NIC "\n");
	expect_file(NIC_PATH "/sriov_numvfs", "4");
}
END_TEST

/* Its owner has brought it back, and wants none. */
START_TEST(set_up_otherwise)
{
	take_with_virtuals();
	made_link("/sys/bus/pci/devices/" NIC, "../../../devices/pci0000:00/" ROOT_PORT "/" NIC);
	made_put(NIC_PATH "/sriov_numvfs", "0\n");
	give();
	expect("given " NIC "\n");
	expect_file(NIC_PATH "/sriov_numvfs", "0");
}
END_TEST

START_TEST(virtual_functions_not_given_back)
{
	char command[RELEASE_COMMAND_SIZE];

	take_with_virtuals();
	fail = "sriov_numvfs";
	fail_with = -EPERM;
	give();
	expect("not-given " NIC
	       ": its sriov_numvfs cannot be set to 4 again: Operation not permitted\n");
	ck_assert_str_eq(release_step_by_hand(&plan.entries.items[0], command, sizeof(command)),
			 "echo 1 >" NIC_BUS "/rescan; echo 4 >/sys/bus/pci/devices/" NIC
			 "/sriov_numvfs");
}
END_TEST

START_TEST(no_virtual_functions)
{
	take_with_virtuals();
	plan.entries.items[0].virtuals = 0;
	give();
	expect("given " NIC "\n");
	expect_file(NIC_PATH "/sriov_numvfs", "0");
}
END_TEST

/* A scan would bind it to the driver of its id first. */
START_TEST(with_an_override)
{
	struct why w;
	char link[40];

	made_put(NIC_PATH "/driver_override", "vfio-pci\n");
	made_put(NIC_PATH "/driver", NULL);
	made_link(NIC_PATH "/driver", "../../../../bus/pci/drivers/vfio-pci");
	ask_for(NIC);
	ck_assert_int_eq(take(&w), 0);
	expect("taken " NIC "\n");
	ck_assert(!is_there(NIC_PATH "/driver"));
	ck_assert(is_there("/sys/bus/pci/devices/" NIC));
	give();
	expect("given " NIC "\n");
	ck_assert(tree_link(made_root, link, sizeof(link), NIC_PATH "/driver"));
	ck_assert_str_eq(link, "vfio-pci");
}
END_TEST

#define HUNG "the kernel has not finished it within "

/* The others are given back; and their steps, which may wait for the same lock, have less time. */
START_TEST(give_hangs)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	fail = _i == 0 ? "/rescan" : "/bind";
	fail_with = HANGS;
	give();
	expect(_i == 0 ? "not-given " NIC ": " HUNG "60 s\ngiven refuser.0\ngiven refuser\n"
		       : "given " NIC "\nnot-given refuser.0: " HUNG "60 s\ngiven refuser\n");
}
END_TEST

START_TEST(two_hang)
{
	struct why w;

	ck_assert_int_eq(take(&w), 0);
	reported[0] = '\0';
	fail = "n"; /* of rescan; and modprobe */
	fail_with = program_result = HANGS;
	give();
	expect("not-given " NIC ": " HUNG "60 s\ngiven refuser.0\nnot-given refuser: " HUNG
	       "15 s\n");
}
END_TEST

/* What hangs cannot be frozen. */
START_TEST(take_hangs)
{
	struct why w;

	fail = "/unbind";
	fail_with = HANGS;
	ck_assert_int_eq(take(&w), -EINPROGRESS);
	ck_assert_str_eq(w.text, "device platform/refuser.0: " HUNG "60 s");
	expect("taken refuser\nnot-taken refuser.0: " HUNG "60 s\ngiven refuser\n");
	/* It may end later, without a driver. */
	fail = NULL;
	unlink(below("/sys/devices/platform/refuser.0/driver"));
	release_recover(made_root, &watch);
	expect("given refuser.0\n");
}
END_TEST

static int do_not_end(void *context, struct why *w)
{
	(void)context, (void)w;
	hang();
	return 0;
}

static int work(void *context, struct why *w)
{
	(void)context, (void)w;
	return 0;
}

/* As long as it runs, nothing can be frozen. */
START_TEST(a_child_is_left)
{
	pid_t left = 1;
	struct child_limits limits = { .seconds = 60, .left = &left };

	ck_assert_int_eq(release_child_run(work, NULL, &limits, NULL), 0);
	ck_assert_int_eq(left, 0);
	ck_assert(!release_child_runs(left));
	limits.seconds = 0;
	ck_assert_int_eq(release_child_run(do_not_end, NULL, &limits, NULL), -EINPROGRESS);
	ck_assert_int_gt(left, 1);
	ck_assert(release_child_runs(left));
	__real_kill(left, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)left, NULL, WEXITED | WNOWAIT), 0);
	for (int i = 0; i < 2; i++)
		ck_assert(!release_child_runs(left));
}
END_TEST

/* What hangs holds neither the lock of its parent nor the snapshot device. */
START_TEST(hangs_without_the_lock)
{
	int lock = open(below("/run/lock"), O_RDWR), again = open(below("/run/lock"), O_RDWR);
	struct why w;

	ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
	ck_assert_int_eq(take(&w), 0);
	fail = "/rescan";
	fail_with = HANGS;
	give();
	ck_assert_int_lt(flock(again, LOCK_EX | LOCK_NB), 0);
	close(lock);
	ck_assert_int_eq(flock(again, LOCK_EX | LOCK_NB), 0);
	close(again);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "release");

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, one_fails);
	tcase_add_test(tc, a_needed_one_fails);
	tcase_add_loop_test(tc, interrupted, 0, 3);
	tcase_add_test(tc, nothing_to_do);
	tcase_add_test(tc, another_driver);
	tcase_add_test(tc, blocked);
	tcase_add_test(tc, no_journal);
	tcase_add_test(tc, not_given_back);
	tcase_add_test(tc, given_back_otherwise);
	tcase_add_test(tc, rescan_fails);
	tcase_add_test(tc, set_up_otherwise);
	tcase_add_test(tc, bus_is_gone);
	tcase_add_test(tc, port_is_suspended);
	tcase_add_loop_test(tc, virtual_functions, 0, 4);
	tcase_add_loop_test(tc, virtual_functions_of_a_driver, 0, 2);
	tcase_add_test(tc, virtual_functions_not_given_back);
	tcase_add_test(tc, no_virtual_functions);
	tcase_add_test(tc, with_an_override);
	tcase_add_loop_test(tc, give_hangs, 0, 2);
	tcase_add_test(tc, two_hang);
	tcase_add_test(tc, take_hangs);
	tcase_add_test(tc, a_child_is_left);
	tcase_add_test(tc, hangs_without_the_lock);
}
