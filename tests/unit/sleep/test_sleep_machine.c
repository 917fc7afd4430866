/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep's hands: what it writes below /sys, and the programs it runs. */
#include "base/bytes.h"
#include "base/log.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "tools/sleep/sleep.h"
#include "tools/sleep/sleep_users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SLICE "/sys/fs/cgroup/user.slice"
#define FREEZER SLICE "/cgroup.freeze"
#define USER SLICE "/user-1000.slice"

static struct sleep_machine machine;
static struct sleep_system made_system;

/* A program of that name comes first in PATH; it notes its arguments. */
static void put_program(const char *path, const char *result)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "#!/bin/sh\necho \"${0##*/} $*\" >>%s/calls\ncase $* in\n%s\nesac\nexit 0\n",
		 made_root, result);
	made_put_mode(path, text, 0755);
}

static const char *file(const char *name)
{
	static char text[1024];
	char path[128];
	FILE *in;
	size_t length = 0;

	snprintf(path, sizeof(path), "%s/%s", made_root, name);
	in = fopen(path, "r");
	if (in) {
		length = fread(text, 1, sizeof(text) - 1, in);
		fclose(in);
	}
	text[length] = '\0';
	return text;
}

static void make(void)
{
	char path[512];

	made_root_create();
	snprintf(path, sizeof(path), "%s/bin:%s", made_root, getenv("PATH"));
	setenv("PATH", path, 1);
	put_program("/bin/busctl", "");
	made_put(FREEZER, "0\n");
	machine = (struct sleep_machine){ .root = made_root };
	sleep_system_real(&machine, &made_system);
	log_set_level((enum log_level)0);
}

#define MANAGER                                                                                \
	"busctl --quiet --timeout=60 call org.freedesktop.systemd1 /org/freedesktop/systemd1 " \
	"org.freedesktop.systemd1.Manager "
#define FREEZE MANAGER "FreezeUnit s user.slice\n"
#define THAW MANAGER "ThawUnit s user.slice\n"

START_TEST(asks_systemd_to_freeze_users)
{
	ck_assert(made_system.freeze_users(&machine));
	ck_assert_str_eq(file("calls"), FREEZE);
	ck_assert_int_eq(made_system.thaw_users(&machine), 0);
	ck_assert_str_eq(file("calls"), FREEZE THAW);
	ck_assert_str_eq(file(FREEZER), "0\n");
}
END_TEST

/* No session, or cgroups of the first version. */
START_TEST(has_no_users_to_freeze)
{
	made_put(FREEZER, NULL);
	ck_assert(!made_system.freeze_users(&machine));
	ck_assert_str_eq(file("calls"), "");
}
END_TEST

START_TEST(sleeps_with_users_that_do_not_freeze)
{
	put_program("/bin/busctl", "*FreezeUnit*) exit 1 ;;");
	ck_assert(!made_system.freeze_users(&machine));
	ck_assert_str_eq(file("calls"), FREEZE THAW);
}
END_TEST

START_TEST(thaws_users_without_systemd)
{
	put_program("/bin/busctl", "*ThawUnit*) exit 1 ;;");
	made_put(FREEZER, "1\n");
	ck_assert_int_eq(made_system.thaw_users(&machine), 0);
	ck_assert_str_eq(file(FREEZER), "0\n");
	made_put(FREEZER, NULL);
	ck_assert_int_lt(made_system.thaw_users(&machine), 0);
}
END_TEST

static const char *const frozen_units[] = {
	SLICE,
	USER,
	USER "/session-2.scope",
	USER "/user@1000.service",
};

/* As systemd 246 to 255 freezes it. */
static void freeze_units(void)
{
	char path[160];

	for (size_t i = 0; i < sizeof(frozen_units) / sizeof(frozen_units[0]); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.freeze", frozen_units[i]);
		made_put(path, "1\n");
	}
}

static void check_thawed(void)
{
	char path[160];

	for (size_t i = 0; i < sizeof(frozen_units) / sizeof(frozen_units[0]); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.freeze", frozen_units[i]);
		ck_assert_str_eq(file(path), "0\n");
	}
}

/* Not what a user has paused, nor what a link leads to. */
START_TEST(thaws_each_unit)
{
	static const char paused[] = USER "/user@1000.service/app.slice/x.scope/cgroup.freeze";
	static const char linked[] = "/elsewhere/cgroup.freeze";

	put_program("/bin/busctl", "*ThawUnit*) exit 1 ;;");
	freeze_units();
	made_put(paused, "1\n");
	made_put(linked, "1\n");
	made_link(USER "/linked.slice", "../../../../../elsewhere");
	ck_assert_int_eq(made_system.thaw_users(&machine), 0);
	check_thawed();
	ck_assert_str_eq(file(paused), "1\n");
	ck_assert_str_eq(file(linked), "1\n");
}
END_TEST

START_TEST(thaws_what_systemd_froze_in_part)
{
	put_program("/bin/busctl", "*Unit*) exit 1 ;;");
	freeze_units();
	ck_assert(!made_system.freeze_users(&machine));
	check_thawed();
}
END_TEST

/* The kernel's word counts, not that 0 was written. */
START_TEST(knows_what_stays_frozen)
{
	put_program("/bin/busctl", "*Unit*) exit 1 ;;");
	freeze_units();
	made_put(USER "/cgroup.events", "populated 1\nfrozen 0\n");
	ck_assert_int_eq(made_system.thaw_users(&machine), 0);
	made_put(USER "/session-2.scope/cgroup.events", "populated 1\nfrozen 1\n");
	ck_assert_int_eq(made_system.thaw_users(&machine), -EBUSY);
	ck_assert(made_system.freeze_users(&machine)); /* so that it is tried again */
}
END_TEST

START_TEST(does_not_freeze_itself)
{
	static const struct {
		const char *cgroup;
		bool freezes;
	} cases[] = {
		{ "0::/user.slice/user-1000.slice/session-2.scope\n", false },
		{ "1:name=systemd:/\n0::/user.slice\n", false },
		{ "0::/user.slice2/x.scope\n", true },
		{ "0::/system.slice/systemd-hibernate.service\n", true },
		{ "1:cpu:/user.slice\n", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		made_put("/proc/self/cgroup", cases[i].cgroup);
		made_put("/calls", "");
		ck_assert_int_eq(made_system.freeze_users(&machine), cases[i].freezes);
		ck_assert_str_eq(file("calls"), cases[i].freezes ? FREEZE : "");
	}
}
END_TEST

/* NVIDIA's drop-ins set it to false. */
START_TEST(obeys_the_switch)
{
	static const char *const no[] = { "0", "no", "false", "off", "n", "F" };
	static const char *const yes[] = {
		NULL, "", "1", "yes", "true", "on", "y", "T", "perhaps"
	};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		machine.users_switch = no[i];
		ck_assert(!made_system.freeze_users(&machine));
	}
	ck_assert_str_eq(file("calls"), "");
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		machine.users_switch = yes[i];
		ck_assert(made_system.freeze_users(&machine));
	}
	ck_assert_str_eq(SLEEP_USERS_SWITCH, "SYSTEMD_SLEEP_FREEZE_USER_SESSIONS");
}
END_TEST

/* Frozen, a user could not answer it. */
START_TEST(keeps_those_who_are_asked_for_a_passphrase)
{
	machine.asks = true;
	ck_assert(!made_system.freeze_users(&machine));
	ck_assert_str_eq(file("calls"), "");
}
END_TEST

/* MemorySleepMode= and SuspendState=: the first word that the kernel takes. */
START_TEST(suspends_as_configured)
{
	struct sleep_config config = { .memory_mode = "deep", .suspend_state = "mem standby" };

	made_put("/sys/power/mem_sleep", "");
	made_put("/sys/power/state", "");
	ck_assert_int_eq(made_system.suspend(&machine, &config), 0);
	ck_assert_str_eq(file("/sys/power/mem_sleep"), "deep");
	ck_assert_str_eq(file("/sys/power/state"), "mem");
	/* Refused, it suspends as the kernel chooses. */
	made_put("/sys/power/mem_sleep", NULL);
	ck_assert_int_eq(made_system.suspend(&machine, &config), 0);
	made_put("/sys/power/state", NULL);
	ck_assert_int_eq(made_system.suspend(&machine, &config), -ENOENT);
	ck_assert_str_eq(file("/sys/power/mem_sleep"), "");
}
END_TEST

START_TEST(gives_hooks_as_long_as_systemd)
{
	ck_assert_uint_eq(made_system.hooks.seconds, 90);
}
END_TEST

/* A clock that wakes no machine shows as well how much is left. */
START_TEST(counts_the_last_seconds_as_the_alarm)
{
	static const struct {
		int left;
		bool rang;
	} alarms[] = { { 60, false }, { 4, false }, { 2, true } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec when = { .it_value = { .tv_nsec = 1 } };
	uint64_t times;

	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < ARRAY_SIZE(alarms); i++) {
		struct itimerspec later = { .it_value = { .tv_sec = alarms[i].left } };

		ck_assert_int_eq(timerfd_settime(fd, 0, &later, NULL), 0);
		ck_assert(made_system.alarm_rang(&machine, fd) == alarms[i].rang);
	}
	ck_assert_int_eq(timerfd_settime(fd, 0, &when, NULL), 0);
	ck_assert_int_eq(read(fd, &times, sizeof(times)), sizeof(times));
	ck_assert(made_system.alarm_rang(&machine, fd));
	made_system.alarm_close(&machine, fd);
}
END_TEST

START_TEST(runs_systemd_sleep)
{
	ck_assert_int_eq(made_system.hand_over(&machine, "hybrid-sleep"), -ENOENT);
	put_program("/lib/systemd/systemd-sleep", "");
	ck_assert_int_eq(made_system.hand_over(&machine, "hybrid-sleep"), 0);
	ck_assert_str_eq(file("calls"), "systemd-sleep hybrid-sleep\n");
	put_program("/usr/lib/systemd/systemd-sleep", "*) exit 1 ;;");
	ck_assert_int_eq(made_system.hand_over(&machine, "hybrid-sleep"), -EIO);
}
END_TEST

START_TEST(runs_s2disk)
{
	char program[128];

	snprintf(program, sizeof(program), "%s/bin/s2disk", made_root);
	machine.program = program;
	put_program("/bin/s2disk", "*suspend*) exit 3 ;;");
	ck_assert_int_eq(made_system.hibernate(&machine, false), 0);
	ck_assert_int_eq(made_system.hibernate(&machine, true), 3);
	ck_assert_str_eq(file("calls"), "s2disk \ns2disk --method=suspend\n");
	put_program("/bin/s2disk", "*) kill -KILL $$ ;;");
	ck_assert_int_eq(made_system.hibernate(&machine, false), -EINTR);
}
END_TEST

/* homed is not started for it. */
START_TEST(locks_homes_if_there_are_any)
{
	made_system.lock_homes(&machine);
	ck_assert_str_eq(file("calls"), "");
	made_directory("/run/systemd/home");
	made_system.lock_homes(&machine);
	ck_assert_ptr_nonnull(strstr(file("calls"), "LockAllHomes\n"));
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "sleep_machine");

	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_set_timeout(test, 30);
	tcase_add_test(test, asks_systemd_to_freeze_users);
	tcase_add_test(test, has_no_users_to_freeze);
	tcase_add_test(test, sleeps_with_users_that_do_not_freeze);
	tcase_add_test(test, thaws_users_without_systemd);
	tcase_add_test(test, thaws_each_unit);
	tcase_add_test(test, thaws_what_systemd_froze_in_part);
	tcase_add_test(test, knows_what_stays_frozen);
	tcase_add_test(test, does_not_freeze_itself);
	tcase_add_test(test, obeys_the_switch);
	tcase_add_test(test, keeps_those_who_are_asked_for_a_passphrase);
	tcase_add_test(test, suspends_as_configured);
	tcase_add_test(test, gives_hooks_as_long_as_systemd);
	tcase_add_test(test, counts_the_last_seconds_as_the_alarm);
	tcase_add_test(test, runs_systemd_sleep);
	tcase_add_test(test, runs_s2disk);
	tcase_add_test(test, locks_homes_if_there_are_any);
}
