/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep on a made-up machine: what happens, in which order. */
#include "base/log.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "tools/sleep/sleep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MINUTE 60000000ull
#define HOUR (60 * MINUTE)

/* What happened, a line each, hooks too. */
static const char *story(void)
{
	static char text[4096];
	char path[128];
	FILE *in;
	size_t length = 0;

	snprintf(path, sizeof(path), "%s/story", made_root);
	in = fopen(path, "r");
	if (in) {
		length = fread(text, 1, sizeof(text) - 1, in);
		fclose(in);
	}
	text[length] = '\0';
	return text;
}

static void note(const char *line)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/story", made_root);
	out = fopen(path, "a");
	ck_assert_ptr_nonnull(out);
	fprintf(out, "%s\n", line);
	fclose(out);
}

/* The machine: time advances only while it sleeps. */
static struct {
	uint64_t now, alarm_at;
	int alarms;	      /* not closed */
	uint64_t woken_after; /* by the user; 0: by the alarm only */
	unsigned int percent, percent_a_hour;
	int hibernate_result, suspend_result, alarm_result;
	bool early;		 /* the alarm rings before the machine sleeps */
	uint64_t short_of;	 /* the machine is up this long before the alarm */
	unsigned int mains_naps; /* after this many the mains fail; 0: they stay, or there are
				  * none */
} machine;

static void put_battery(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%u\n", machine.percent);
	made_put("/sys/class/power_supply/BAT0/type", "Battery\n");
	made_put("/sys/class/power_supply/BAT0/status", "Discharging\n");
	made_put("/sys/class/power_supply/BAT0/capacity", text);
}

static int pretend_hibernate(void *context, bool in_memory)
{
	(void)context;
	note(in_memory ? "s2disk suspend" : "s2disk");
	return machine.hibernate_result;
}

static int pretend_suspend(void *context, const struct sleep_config *config)
{
	uint64_t nap = machine.alarm_at - machine.now;
	char line[64];

	(void)context;
	(void)config;
	if (machine.suspend_result < 0) {
		note("suspend failed");
		return machine.suspend_result;
	}
	if (machine.woken_after && machine.woken_after < nap)
		nap = machine.woken_after;
	snprintf(line, sizeof(line), "suspend %llu min", (unsigned long long)(nap / MINUTE));
	note(line);
	machine.now += nap - machine.short_of;
	machine.percent -= (unsigned int)(machine.percent_a_hour * nap / HOUR);
	if (machine.percent_a_hour)
		put_battery();
	if (machine.mains_naps > 0 && --machine.mains_naps == 0)
		made_put("/sys/class/power_supply/AC/online", "0\n");
	return 0;
}

static int pretend_alarm_set(void *context, uint64_t usec)
{
	(void)context;
	if (machine.alarm_result < 0)
		return machine.alarm_result;
	machine.alarm_at = machine.now + usec;
	machine.alarms++;
	if (machine.early)
		machine.now = machine.alarm_at;
	return 7;
}

static bool pretend_alarm_rang(void *context, int alarm)
{
	(void)context;
	ck_assert_int_eq(alarm, 7);
	return machine.now + machine.short_of >= machine.alarm_at;
}

static void pretend_alarm_close(void *context, int alarm)
{
	(void)context;
	ck_assert_int_eq(alarm, 7);
	machine.alarms--;
}

static uint64_t pretend_now(void *context)
{
	(void)context;
	return machine.now;
}

static void pretend_lock(void *context)
{
	(void)context;
	note("lock");
}

static const struct sleep_system made_system = {
	.root = made_root,
	.hooks = { .root = made_root, .seconds = 20 },
	.hibernate = pretend_hibernate,
	.suspend = pretend_suspend,
	.alarm_set = pretend_alarm_set,
	.alarm_rang = pretend_alarm_rang,
	.alarm_close = pretend_alarm_close,
	.now = pretend_now,
	.lock_homes = pretend_lock,
};

static void make(void)
{
	char hook[256];

	memset(&machine, 0, sizeof(machine));
	machine.now = 1000 * HOUR;
	made_root_create();
	snprintf(hook, sizeof(hook), "#!/bin/sh\necho \"$1 $2 $SYSTEMD_SLEEP_ACTION\" >>%s/story\n",
		 made_root);
	made_put_mode("/usr/lib/systemd/system-sleep/note.sh", hook, 0755);
	log_set_level(LOG_LEVEL_ERROR);
}

static void clean(void)
{
	ck_assert_int_eq(machine.alarms, 0);
	made_root_remove();
}

static int run(enum sleep_operation operation)
{
	struct sleep_config config;

	sleep_config_load(made_root, &config, NULL);
	return sleep_run(&made_system, &config, operation);
}

START_TEST(knows_the_words)
{
	enum sleep_operation operation;

	ck_assert_int_eq(sleep_operation_parse("hibernate", &operation), 0);
	ck_assert_int_eq(operation, SLEEP_HIBERNATE);
	ck_assert_int_eq(sleep_operation_parse("hybrid-sleep", &operation), 0);
	ck_assert_int_eq(operation, SLEEP_HYBRID);
	ck_assert_int_eq(sleep_operation_parse("suspend-then-hibernate", &operation), 0);
	ck_assert_int_eq(operation, SLEEP_SUSPEND_THEN_HIBERNATE);
	ck_assert_int_eq(sleep_operation_parse("suspend", &operation), -EINVAL);
	ck_assert_int_eq(sleep_operation_parse("", &operation), -EINVAL);
}
END_TEST

START_TEST(hibernates)
{
	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	ck_assert_str_eq(story(), "pre hibernate hibernate\nlock\ns2disk\n"
				  "post hibernate hibernate\n");
}
END_TEST

/* Hooks that stopped something must start it again. */
START_TEST(runs_hooks_after_a_failure)
{
	machine.hibernate_result = 3;
	ck_assert_int_lt(run(SLEEP_HIBERNATE), 0);
	ck_assert_str_eq(story(), "pre hibernate hibernate\nlock\ns2disk\n"
				  "post hibernate hibernate\n");
}
END_TEST

/* The journal's end of it; the next entry with zero bytes for line ends. */
static int open_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	made_directory("/run/systemd/journal");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/systemd/journal/socket",
		 made_root);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void expect_entry(int journal, const char *wanted)
{
	char text[1024];
	ssize_t length = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);

	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	ck_assert_str_eq(text, wanted);
}

#define FIELDS(id, operation, action)                                              \
	"SYSLOG_IDENTIFIER=s2disk-sleep\nMESSAGE_ID=" id "\nSLEEP=" operation "\n" \
	"S2DISK_ACTION=" action "\n"
#define BEGUN "6bbd95ee977941e497c48be27c254128"
#define ENDED "8811e6df2a8e40f58a94cea26f8ebf14"

START_TEST(tells_the_journal)
{
	int journal = open_journal();

	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	expect_entry(journal, "MESSAGE=Going to sleep (hibernate)\nPRIORITY=6\n" FIELDS(
				      BEGUN, "hibernate", "hibernate"));
	expect_entry(journal, "MESSAGE=Back from sleep (hibernate)\nPRIORITY=6\n" FIELDS(
				      ENDED, "hibernate", "hibernate"));
	machine.suspend_result = -EBUSY;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), -EBUSY);
	expect_entry(journal, "MESSAGE=Going to sleep (suspend)\nPRIORITY=6\n" FIELDS(
				      BEGUN, "suspend-then-hibernate", "suspend"));
	expect_entry(journal,
		     "MESSAGE=Could not sleep, the system runs on (suspend)\nPRIORITY=3\n" FIELDS(
			     ENDED, "suspend-then-hibernate", "suspend"));
	close(journal);
}
END_TEST

START_TEST(sleeps_in_both)
{
	ck_assert_int_eq(run(SLEEP_HYBRID), 0);
	ck_assert_str_eq(story(), "pre hybrid-sleep hybrid-sleep\nlock\ns2disk suspend\n"
				  "post hybrid-sleep hybrid-sleep\n");
}
END_TEST

#define NAP(minutes)                                                          \
	"pre suspend-then-hibernate suspend\nlock\nsuspend " minutes " min\n" \
	"post suspend-then-hibernate suspend\n"
#define DISK                                                   \
	"pre suspend-then-hibernate hibernate\nlock\ns2disk\n" \
	"post suspend-then-hibernate hibernate\n"

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

START_TEST(suspends_again_when_hibernating_failed)
{
	machine.hibernate_result = 1;
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
	ck_assert_ptr_nonnull(strstr(story(),
				     DISK "pre suspend-then-hibernate "
					  "suspend-after-failed-hibernate\nlock\nsuspend "));
	machine.suspend_result = -EBUSY;
	ck_assert_int_lt(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
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

START_TEST(obeys_what_is_forbidden)
{
	log_set_level((enum log_level)0);
	made_put("/etc/systemd/sleep.conf", "[Sleep]\nAllowHibernation=no\n");
	ck_assert_int_eq(run(SLEEP_HIBERNATE), -EPERM);
	ck_assert_int_eq(run(SLEEP_HYBRID), -EPERM);
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), -EPERM);
	ck_assert_str_eq(story(), "");
	made_put("/etc/systemd/sleep.conf",
		 "[Sleep]\nAllowSuspend=no\nAllowSuspendThenHibernate=yes\nAllowHybridSleep=\n");
	ck_assert_int_eq(run(SLEEP_HYBRID), -EPERM);
	ck_assert_int_eq(run(SLEEP_HIBERNATE), 0);
	ck_assert_int_eq(run(SLEEP_SUSPEND_THEN_HIBERNATE), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "sleep");
	sigset_t child;

	/* As s2disk-sleep does; tests inherit it. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	tcase_add_checked_fixture(test, make, clean);
	tcase_set_timeout(test, 30);
	tcase_add_test(test, knows_the_words);
	tcase_add_test(test, hibernates);
	tcase_add_test(test, runs_hooks_after_a_failure);
	tcase_add_test(test, tells_the_journal);
	tcase_add_test(test, sleeps_in_both);
	tcase_add_test(test, hibernates_after_the_alarm);
	tcase_add_test(test, obeys_the_delay);
	tcase_add_test(test, stays_awake_when_a_user_woke_it);
	tcase_add_test(test, suspends_again_when_hibernating_failed);
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
	tcase_add_test(test, obeys_what_is_forbidden);
}
