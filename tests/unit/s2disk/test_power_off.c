/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's answers by /dev/snapshot mean: ioctl() and reboot() are
 * made up here, and log_message() is listened to. */
#include "base/bytes.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "fixtures/check_main.h"
#include "fixtures/said.h"
#include "kernel/snapshot_device.h"
#include "s2disk/power_off.h"

#include <errno.h>
#include <linux/suspend_ioctls.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <unistd.h>

static struct {
	int error;	    /* of ioctl(), 0: it works */
	unsigned int fails; /* this many calls fail, later ones work */
	unsigned int nap;   /* microseconds that a call takes */
	unsigned int calls;
	unsigned long request; /* of the last */
	int rebooted;	       /* the command, 0: none */
} kernel;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_reboot(int command);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	kernel.request = request;
	if (kernel.nap)
		usleep(kernel.nap);
	if (kernel.calls++ >= kernel.fails || !kernel.error)
		return 0;
	errno = kernel.error;
	return -1;
}

int __wrap_reboot(int command)
{
	kernel.rebooted = command;
	errno = EPERM;
	return -1;
}

static void setup(void)
{
	memset(&kernel, 0, sizeof(kernel));
	said_clear();
}

static void answers(int error, unsigned int fails)
{
	kernel.error = error;
	kernel.fails = fails;
	kernel.calls = 0;
}

START_TEST(lock_is_waited_for)
{
	answers(EBUSY, 3);
	ck_assert_int_eq(snapshot_free(-1), 0);
	ck_assert_uint_eq(kernel.calls, 4);
	/* Any other error is one. */
	answers(ENODEV, 3);
	ck_assert_int_eq(snapshot_set_swap_area(-1, 5, 0), -ENODEV);
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

START_TEST(waiting_ends)
{
	uint64_t begun = now_usec();

	answers(EBUSY, 1000000);
	ck_assert_int_eq(snapshot_unfreeze(-1), -EBUSY);
	ck_assert_uint_gt(kernel.calls, 1);
	ck_assert_uint_ge(now_usec() - begun, 1000000);
}
END_TEST

/* The kernel itself waits 20 seconds for a process that does not freeze. */
START_TEST(a_long_answer_is_one)
{
	answers(EBUSY, 10);
	kernel.nap = 1100000;
	ck_assert_int_eq(snapshot_freeze(-1), -EBUSY);
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

/* Nothing else runs, so EBUSY is about the machine. */
START_TEST(busy_while_frozen)
{
	bool resumed = true;

	answers(EBUSY, 1);
	ck_assert_int_eq(snapshot_create(-1, &resumed), -EBUSY);
	ck_assert(resumed);
	answers(EBUSY, 1);
	ck_assert_int_eq(snapshot_suspend_to_ram(-1), -EBUSY);
	answers(EBUSY, 1);
	ck_assert_int_eq(snapshot_power_off(-1), -EBUSY);
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

START_TEST(woken_before_sleep)
{
	static const int errors[] = { EBUSY, EAGAIN };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct why w = { 0 };
		uint64_t asleep = 7;

		answers(errors[i], 1);
		ck_assert_int_eq(power_off(-1, METHOD_SUSPEND, &asleep, &w), -errors[i]);
		ck_assert_uint_eq(kernel.request, SNAPSHOT_S2RAM);
		ck_assert_uint_eq(kernel.calls, 1);
		ck_assert_ptr_nonnull(strstr(w.text, "did not sleep"));
		ck_assert_ptr_nonnull(strstr(w.text, "dmesg"));
		ck_assert_uint_eq(asleep, 7);
	}
	ck_assert_int_eq(kernel.rebooted, 0);
}
END_TEST

START_TEST(cannot_sleep)
{
	struct why w = { 0 };
	uint64_t asleep;

	answers(ENOSYS, 1);
	ck_assert_int_eq(power_off(-1, METHOD_SUSPEND, &asleep, &w), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot sleep"));
}
END_TEST

/* Back at once, as from a firmware that does nothing. */
START_TEST(woke)
{
	struct why w = { 0 };
	uint64_t asleep = 7000000;

	answers(0, 0);
	ck_assert_int_eq(power_off(-1, METHOD_SUSPEND, &asleep, &w), 0);
	ck_assert_uint_lt(asleep, 500000);
	power_off_report_woke(asleep, "9 MiB");
	ck_assert_ptr_nonnull(strstr(said, "after 0 s asleep"));
	ck_assert_ptr_nonnull(strstr(said, "9 MiB"));
	ck_assert_ptr_nonnull(strstr(said, "did not stay asleep"));

	said_clear();
	power_off_report_woke(61000000, "9 MiB");
	ck_assert_ptr_nonnull(strstr(said, "after 1 min 1 s asleep"));
	ck_assert_ptr_null(strstr(said, "did not stay asleep"));
}
END_TEST

/* As the kernel's own hibernation: what woke the machine keeps it on, and any
 * other failure of the firmware does not. */
START_TEST(powers_off)
{
	struct why w = { 0 };
	uint64_t asleep;

	answers(EAGAIN, 1);
	ck_assert_int_eq(power_off(-1, METHOD_PLATFORM, &asleep, &w), -EAGAIN);
	answers(EBUSY, 1);
	ck_assert_int_eq(power_off(-1, METHOD_PLATFORM, &asleep, &w), -EBUSY);
	ck_assert_ptr_nonnull(strstr(w.text, "did not power off"));
	ck_assert_int_eq(kernel.rebooted, 0);

	answers(EIO, 1);
	ck_assert_int_eq(power_off(-1, METHOD_PLATFORM, &asleep, &w), -EPERM);
	ck_assert_uint_eq(kernel.request, SNAPSHOT_POWER_OFF);
	ck_assert_int_eq(kernel.rebooted, RB_POWER_OFF);
	ck_assert_ptr_nonnull(strstr(said, "the kernel does"));

	kernel.rebooted = 0;
	said_clear();
	answers(0, 0);
	ck_assert_int_eq(power_off(-1, METHOD_PLATFORM, &asleep, &w), -EPERM);
	ck_assert_int_eq(kernel.rebooted, RB_POWER_OFF);
	ck_assert_ptr_nonnull(strstr(said, "(it reported success)"));
}
END_TEST

START_TEST(without_firmware)
{
	struct why w = { 0 };
	uint64_t asleep;

	ck_assert_int_eq(power_off(-1, METHOD_SHUTDOWN, &asleep, &w), -EPERM);
	ck_assert_int_eq(kernel.rebooted, RB_POWER_OFF);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be powered off"));
	ck_assert_int_eq(power_off(-1, METHOD_REBOOT, &asleep, &w), -EPERM);
	ck_assert_int_eq(kernel.rebooted, RB_AUTOBOOT);
	ck_assert_uint_eq(kernel.calls, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "power_off");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, lock_is_waited_for);
	tcase_add_test(tcase, waiting_ends);
	tcase_add_test(tcase, a_long_answer_is_one);
	tcase_add_test(tcase, busy_while_frozen);
	tcase_add_test(tcase, woken_before_sleep);
	tcase_add_test(tcase, cannot_sleep);
	tcase_add_test(tcase, woke);
	tcase_add_test(tcase, powers_off);
	tcase_add_test(tcase, without_firmware);
}
