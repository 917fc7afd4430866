/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suspend-then-hibernate on a made-up machine: its alarm, its battery, and who woke it. */
#include "sleep_fixture.h"

START_TEST(hibernates_after_the_alarm)
{
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("120") DISK);
}
END_TEST

START_TEST(obeys_the_delay)
{
	made_put("/etc/systemd/sleep.conf.d/x.conf", "[Sleep]\nHibernateDelaySec=7min\n");
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("7") DISK);
}
END_TEST

START_TEST(stays_awake_when_a_user_woke_it)
{
	machine.woken_after = 3 * MINUTE;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("3"));
}
END_TEST

/* A laptop whose clock cannot wake it is opened in the morning, and must not hibernate
 * then. */
START_TEST(stays_awake_long_after_the_alarm)
{
	machine.overslept = 3 * MINUTE;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("120"));
	ck_assert_str_eq(said, "woken 3 min 0 s after the alarm, which did not wake this "
			       "machine\n\"rtcwake -m mem -s 60\" shows "
			       "whether an alarm wakes this machine. If not, look for a "
			       "wake-up by RTC in the firmware's setup, and for newer "
			       "firmware; \"systemctl hibernate\" and hybrid-sleep need no "
			       "alarm\nstaying awake\n");
	made_put("/sys/module/rtc_cmos/parameters/use_acpi_alarm", "Y\n");
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_ptr_null(strstr(said, "use_acpi_alarm"));
	made_put("/sys/module/rtc_cmos/parameters/use_acpi_alarm", "N\n");
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_ptr_nonnull(strstr(said, "rtc_cmos.use_acpi_alarm=1"));
	ck_assert_ptr_null(strstr(story(), "s2disk"));
}
END_TEST

/* Awake on a desk until it is empty, it would lose the session. */
START_TEST(hibernates_late_if_the_battery_is_low)
{
	static const struct {
		uint64_t overslept;
		unsigned int percent, a_hour;
		bool low;
	} cases[] = {
		{ 3 * MINUTE, 12, 7, true },
		{ 3 * MINUTE, 20, 5, false },
		/* A night used half of it, which is no matter for the next hour. */
		{ 480 * MINUTE, 90, 5, false },
		{ 480 * MINUTE, 54, 5, true },
	};

	machine.overslept = cases[_i].overslept;
	machine.percent = cases[_i].percent;
	machine.percent_a_hour = cases[_i].a_hour;
	put_battery();
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), cases[_i].low ? NAP("60") DISK : NAP("60"));
	ck_assert_ptr_nonnull(
		strstr(said, cases[_i].low ? "low; hibernating now" : "staying awake"));
}
END_TEST

/* Disks that do not answer at once. */
START_TEST(hibernates_if_waking_took_long)
{
	machine.overslept = 2 * MINUTE;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("120") DISK);
}
END_TEST

/* Hooks after the wake-up do not make it the alarm, and those before do not make it late. */
START_TEST(does_not_count_the_time_of_hooks)
{
	machine.woken_after = 119 * MINUTE;
	machine.after = 5 * MINUTE;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("119"));
	machine.before = 125 * MINUTE;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_ptr_nonnull(strstr(story(), DISK));
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(fails_when_it_cannot_suspend)
{
	machine.suspend_result = -EBUSY;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), -EBUSY);
	ck_assert_ptr_null(strstr(story(), "s2disk"));
}
END_TEST

/* Asleep without an alarm it would stay so until the battery is empty. */
START_TEST(does_not_sleep_past_its_alarm)
{
	machine.early = true;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_ptr_null(strstr(story(), "min\n"));
	ck_assert_ptr_nonnull(strstr(story(), DISK));
}
END_TEST

/* The clock that wakes it counts whole seconds. */
START_TEST(does_not_sleep_for_what_a_clock_was_early)
{
	machine.short_of = MINUTE / 30;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("120") DISK);
}
END_TEST

START_TEST(hibernates_at_once_without_an_alarm_clock)
{
	machine.alarm_result = -EOPNOTSUPP;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), DISK);
}
END_TEST

/* 20 % at 7 % an hour: after two hours 6 % are left, less than another hour takes. */
START_TEST(watches_the_battery)
{
	machine.percent = 20;
	machine.percent_a_hour = 7;
	put_battery();
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("60") NAP("60") DISK);
}
END_TEST

START_TEST(watches_the_battery_within_the_delay)
{
	made_put("/etc/systemd/sleep.conf",
		 "[Sleep]\nHibernateDelaySec=100min\nSuspendEstimationSec=40min\n");
	machine.percent = 90;
	machine.percent_a_hour = 1;
	put_battery();
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("40") NAP("40") NAP("20") DISK);
}
END_TEST

/* On mains the time does not count if it is not to hibernate there. */
START_TEST(waits_for_the_mains_to_go)
{
	made_put("/etc/systemd/sleep.conf",
		 "[Sleep]\nHibernateDelaySec=100min\nHibernateOnACPower=no\n");
	machine.percent = 90;
	put_battery();
	made_put("/sys/class/power_supply/AC/type", "Mains\n");
	made_put("/sys/class/power_supply/AC/online", "1\n");
	machine.mains_naps = 3;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("60") NAP("60") NAP("60") NAP("40") DISK);
}
END_TEST

/* It has no other power than the mains. */
START_TEST(has_no_mains_to_wait_for)
{
	made_put("/etc/systemd/sleep.conf", "[Sleep]\nHibernateOnACPower=no\n");
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("120") DISK);
}
END_TEST

/* As if it were not set; no clock could be set that far ahead. */
START_TEST(does_not_wait_for_ever)
{
	made_put("/etc/systemd/sleep.conf", "[Sleep]\nHibernateDelaySec=infinity\n");
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), NAP("120") DISK);
}
END_TEST

START_TEST(hibernates_at_once_on_an_empty_battery)
{
	machine.percent = 5;
	put_battery();
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_str_eq(story(), DISK);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "sleep_nap");

	block_child();
	tcase_add_checked_fixture(test, make, clean);
	tcase_set_timeout(test, 30);
	tcase_add_test(test, hibernates_after_the_alarm);
	tcase_add_test(test, obeys_the_delay);
	tcase_add_test(test, stays_awake_when_a_user_woke_it);
	tcase_add_test(test, stays_awake_long_after_the_alarm);
	tcase_add_loop_test(test, hibernates_late_if_the_battery_is_low, 0, 4);
	tcase_add_test(test, hibernates_if_waking_took_long);
	tcase_add_test(test, does_not_count_the_time_of_hooks);
	tcase_add_test(test, fails_when_it_cannot_suspend);
	tcase_add_test(test, does_not_sleep_past_its_alarm);
	tcase_add_test(test, does_not_sleep_for_what_a_clock_was_early);
	tcase_add_test(test, hibernates_at_once_without_an_alarm_clock);
	tcase_add_test(test, watches_the_battery);
	tcase_add_test(test, watches_the_battery_within_the_delay);
	tcase_add_test(test, waits_for_the_mains_to_go);
	tcase_add_test(test, has_no_mains_to_wait_for);
	tcase_add_test(test, does_not_wait_for_ever);
	tcase_add_test(test, hibernates_at_once_on_an_empty_battery);
}
