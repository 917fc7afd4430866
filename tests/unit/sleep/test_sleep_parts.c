/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep's parts: sleep.conf, the battery, the hooks of other packages. */
#include "base/bytes.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "tools/sleep/sleep_battery.h"
#include "config/sleep_config.h"
#include "tools/sleep/sleep_hooks.h"
#include "config/sleep_method.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND 1000000ull
#define HOUR (3600 * SECOND)

static char warnings[2048];

static void make(void)
{
	made_root_create();
	warnings[0] = '\0';
}

static void warn(const char *message)
{
	strncat(warnings, message, sizeof(warnings) - strlen(warnings) - 2);
	strcat(warnings, "\n");
}

static void load_delay(const char *text, struct sleep_config *config)
{
	char line[100];

	snprintf(line, sizeof(line), "[Sleep]\nHibernateDelaySec=%s\n", text);
	made_put("/etc/systemd/sleep.conf", line);
	warnings[0] = '\0';
	sleep_config_load(made_root, config, warn);
}

START_TEST(reads_spans)
{
	static const struct {
		const char *text;
		uint64_t usec;
	} good[] = {
		{ "90", 90 * SECOND },
		{ "0", 0 },
		{ "2h", 2 * HOUR },
		{ "1h 30min", HOUR + HOUR / 2 },
		{ "1h30m", HOUR + HOUR / 2 },
		{ "1.5h", HOUR + HOUR / 2 },
		{ "3 hours 1 second", 3 * HOUR + SECOND },
		{ "250ms", SECOND / 4 },
		{ "1M", 2629800 * SECOND },
	};
	static const char *const bad[] = {
		"h", "-1",     "2 fortnights", "nan",	       "infinity1",
		"x", "1h, 2m", "inf",	       "99999999999y", "200000y 200000y"
	};
	struct sleep_config config;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		load_delay(good[i].text, &config);
		ck_assert_msg(config.delay_set && config.delay_usec == good[i].usec, "%s",
			      good[i].text);
		ck_assert_str_eq(warnings, "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		load_delay(bad[i], &config);
		ck_assert_msg(!config.delay_set && strstr(warnings, "not understood"), "'%s'",
			      bad[i]);
	}
	load_delay("infinity", &config);
	ck_assert(!config.delay_set);
	ck_assert_str_eq(warnings, "");
}
END_TEST

START_TEST(has_systemds_defaults)
{
	struct sleep_config config;

	sleep_config_load(made_root, &config, warn);
	ck_assert(config.allow_hibernation && config.allow_hybrid_sleep &&
		  config.allow_suspend_then_hibernate);
	ck_assert_str_eq(config.suspend_state, "mem standby freeze");
	ck_assert_str_eq(config.memory_mode, "");
	ck_assert(!config.delay_set);
	ck_assert(config.delay_usec == 2 * HOUR);
	ck_assert(config.estimation_usec == HOUR);
	ck_assert_str_eq(warnings, "");
}
END_TEST

START_TEST(reads_the_main_file_and_drop_ins_by_name)
{
	struct sleep_config config;

	made_put("/etc/systemd/sleep.conf", "# comment\n; another\n[Other]\nHibernateDelaySec=1\n"
					    "[Sleep]\nHibernateDelaySec = 10\nSuspendState=freeze\n"
					    "HibernateMode=shutdown\n");
	made_put("/usr/lib/systemd/sleep.conf", "[Sleep]\nSuspendState=never\n");
	made_put("/usr/lib/systemd/sleep.conf.d/20-b.conf",
		 "[Sleep]\nHibernateDelaySec=20\nMemorySleepMode=s2idle deep\n"
		 "SuspendState=mem\n");
	made_put("/run/systemd/sleep.conf.d/10-a.conf",
		 "[Sleep]\nHibernateDelaySec=30\nSuspendEstimationSec=5min\n");
	made_put("/etc/systemd/sleep.conf.d/not-one", "[Sleep]\nHibernateDelaySec=40\n");
	sleep_config_load(made_root, &config, warn);
	ck_assert(config.delay_set);
	ck_assert(config.delay_usec == 20 * SECOND);
	ck_assert(config.estimation_usec == 300 * SECOND);
	ck_assert_str_eq(config.suspend_state, "freeze mem");
	ck_assert_str_eq(config.memory_mode, "s2idle deep");
	ck_assert_str_eq(warnings, "");
	/* The administrator's hides the package's. */
	made_put("/etc/systemd/sleep.conf.d/20-b.conf", "");
	sleep_config_load(made_root, &config, warn);
	ck_assert(config.delay_usec == 30 * SECOND);
	ck_assert_str_eq(config.memory_mode, "");
	/* An empty value resets. */
	made_put("/etc/systemd/sleep.conf.d/20-b.conf",
		 "[Sleep]\nHibernateDelaySec=\nSuspendState=\n");
	sleep_config_load(made_root, &config, warn);
	ck_assert(!config.delay_set);
	ck_assert(config.delay_usec == 2 * HOUR);
	ck_assert_str_eq(config.suspend_state, "mem standby freeze");
}
END_TEST

static const struct {
	const char *set, *taken;
} states[] = {
	{ "disk mem", "mem" },
	{ "mem  disk\tfreeze disk", "mem freeze" },
	{ "disk", "mem standby freeze" },
	{ "disks mem", NULL },
	{ "mem\tstandby", "mem standby" },
};

START_TEST(does_not_hibernate_by_suspending)
{
	const char *set = states[_i].set, *taken = states[_i].taken;
	struct sleep_config config;
	char text[100];

	snprintf(text, sizeof(text), "[Sleep]\nSuspendState=%s\n", set);
	made_put("/etc/systemd/sleep.conf", text);
	sleep_config_load(made_root, &config, warn);
	ck_assert_str_eq(config.suspend_state, taken ? taken : set);
	ck_assert_int_eq(strstr(warnings, "\"disk\" is not a way to suspend") != NULL,
			 strstr(set, "disk") && taken);
	/* Without a reader of warnings. */
	sleep_config_load(made_root, &config, NULL);
	ck_assert_str_eq(config.suspend_state, taken ? taken : set);
}
END_TEST

static enum method method_of(const char *mode)
{
	char text[200];
	struct settings settings;

	settings_defaults(&settings);
	snprintf(text, sizeof(text), "[Sleep]\nHibernateMode=%s\n", mode);
	made_put("/etc/systemd/sleep.conf.d/mode.conf", text);
	sleep_method_load(made_root, &settings);
	ck_assert(!settings.method_set);
	return settings.method;
}

/* A machine that hangs or reboots with platform was configured so. */
START_TEST(says_how_to_power_off)
{
	struct settings settings;

	ck_assert_int_eq(method_of("shutdown"), METHOD_SHUTDOWN);
	made_put("/sys/power/disk", "[platform] shutdown reboot test_resume\n");
	ck_assert_int_eq(method_of("shutdown"), METHOD_SHUTDOWN);
	ck_assert_int_eq(method_of("reboot shutdown"), METHOD_REBOOT);
	ck_assert_int_eq(method_of("platform shutdown"), METHOD_PLATFORM);
	ck_assert_int_eq(method_of("suspend  shutdown"), METHOD_SHUTDOWN);
	ck_assert_int_eq(method_of("test_resume nonsense"), METHOD_PLATFORM);
	ck_assert_int_eq(method_of(""), METHOD_PLATFORM);
	made_put("/sys/power/disk", "[shutdown] reboot suspend test_resume\n");
	ck_assert_int_eq(method_of("platform reboot"), METHOD_REBOOT);
	ck_assert_int_eq(method_of("suspend"), METHOD_SUSPEND);
	/* From suspend-to-idle, /dev/snapshot cannot wake. */
	made_put("/sys/power/mem_sleep", "[s2idle]\n");
	ck_assert_int_eq(method_of("suspend reboot"), METHOD_REBOOT);
	ck_assert_int_eq(method_of("suspend"), METHOD_PLATFORM);
	made_put("/sys/power/mem_sleep", "[s2idle] deep\n");
	ck_assert_int_eq(method_of("suspend reboot"), METHOD_SUSPEND);
	/* s2disk's own setting counts. */
	settings_defaults(&settings);
	ck_assert_int_eq(settings_set(&settings, "shutdown method", "platform", NULL), 0);
	sleep_method_load(made_root, &settings);
	ck_assert_int_eq(settings.method, METHOD_PLATFORM);
}
END_TEST

START_TEST(says_what_it_does_not_understand)
{
	struct sleep_config config;
	char hidden[600];

	made_put("/etc/systemd/sleep.conf",
		 "[Sleep]\nHibernateDelaySec=soon\nAllowHibernation=maybe\n"
		 "what\nAllowHibernation=no\n");
	sleep_config_load(made_root, &config, warn);
	ck_assert(!config.allow_hibernation && !config.allow_hybrid_sleep);
	ck_assert(config.delay_usec == 2 * HOUR);
	ck_assert_ptr_nonnull(strstr(warnings, "/etc/systemd/sleep.conf:2: \"HibernateDelaySec="
					       "soon\""));
	ck_assert_ptr_nonnull(strstr(warnings, "sleep.conf:3: "));
	ck_assert_ptr_nonnull(strstr(warnings, "sleep.conf:4: \"what\""));
	/* Longer than there is room for. */
	memset(hidden, 'm', sizeof(hidden));
	memcpy(hidden, "[Sleep]\nSuspendState=", 21);
	hidden[sizeof(hidden) - 1] = '\0';
	made_put("/etc/systemd/sleep.conf", hidden);
	sleep_config_load(made_root, &config, NULL);
	ck_assert_uint_lt(strlen(config.suspend_state), sizeof(config.suspend_state));
}
END_TEST

static void put_battery(const char *name, const char *status, const char *percent)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/power_supply/%s/type", name);
	made_put(path, "Battery\n");
	snprintf(path, sizeof(path), "/sys/class/power_supply/%s/status", name);
	made_put(path, status);
	snprintf(path, sizeof(path), "/sys/class/power_supply/%s/capacity", name);
	made_put(path, percent);
}

START_TEST(reads_batteries)
{
	struct battery battery;

	battery_read(made_root, &battery);
	ck_assert(!battery.present && !battery.discharging && !battery_is_low(&battery));
	put_battery("mouse", "Discharging\n", "1\n");
	made_put("/sys/class/power_supply/mouse/scope", "Device\n");
	battery_read(made_root, &battery);
	ck_assert(!battery.present);
	put_battery("BAT0", "Not charging\n", "3\n");
	battery_read(made_root, &battery);
	ck_assert(battery.present && !battery.discharging && !battery_is_low(&battery));
	put_battery("BAT1", "Discharging\n", "40\n");
	battery_read(made_root, &battery);
	ck_assert(battery.discharging && battery.percent == 40);
	ck_assert(!battery_is_low(&battery));
	put_battery("BAT1", "Discharging\n", "5\n");
	battery_read(made_root, &battery);
	ck_assert(battery_is_low(&battery));
	made_put("/sys/class/power_supply/AC/type", "Mains\n");
	made_put("/sys/class/power_supply/AC/online", "0\n");
	battery_read(made_root, &battery);
	ck_assert(battery_is_low(&battery));
	made_put("/sys/class/power_supply/AC/online", "1\n");
	battery_read(made_root, &battery);
	ck_assert(battery.present && !battery.discharging && !battery_is_low(&battery));
	/* Nonsense and an empty bay. */
	made_put("/sys/class/power_supply/AC/online", "0\n");
	put_battery("BAT0", "Unknown\n", "101\n");
	made_put("/sys/class/power_supply/BAT1/present", "0\n");
	battery_read(made_root, &battery);
	ck_assert(!battery.present);
}
END_TEST

START_TEST(looks_ahead)
{
	const struct battery full = { true, true, 20 }, less = { true, true, 13 },
			     least = { true, true, 12 }, mains = { true, false, 12 };

	ck_assert(!battery_will_be_low(&full, &less, 1, 1));
	ck_assert(battery_will_be_low(&full, &least, 1, 1));
	ck_assert(!battery_will_be_low(&full, &mains, 1, 1));
	ck_assert(!battery_will_be_low(&least, &full, 1, 1));
}
END_TEST

#define HOOKS "/usr/lib/systemd/system-sleep/"

static void put_hook(const char *name, const char *script, mode_t mode)
{
	char path[256], text[1024];

	snprintf(path, sizeof(path), HOOKS "%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\ncd %s\n%s\n", made_root, script);
	made_put_mode(path, text, mode);
}

static bool there(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", made_root, name);
	return access(path, F_OK) == 0;
}

static void run_hooks(unsigned int seconds)
{
	const struct sleep_hooks hooks = { made_root, seconds };

	log_set_level((enum log_level)0);
	sleep_hooks_run(&hooks, "pre", "hybrid-sleep", "hybrid-sleep");
}

START_TEST(runs_what_is_executable)
{
	char link[512];

	run_hooks(20); /* there is no directory */
	put_hook("a.b",
		 "test \"$1 $2 $# $SYSTEMD_SLEEP_ACTION\" = "
		 "'pre hybrid-sleep 2 hybrid-sleep' && touch ran-a",
		 0755);
	put_hook("plain", "touch ran-plain", 0644);
	put_hook("backup~", "touch ran-backup", 0755);
	put_hook("old.dpkg-old", "touch ran-old", 0755);
	put_hook(".hidden", "touch ran-hidden", 0755);
	put_hook("directory/inner", "touch ran-inner", 0755);
	made_put("/elsewhere", "#!/bin/sh\ntouch \"$(dirname \"$0\")/../../../../ran-link\"\n");
	snprintf(link, sizeof(link), "chmod 755 %s/elsewhere; ln -s %s/elsewhere %s" HOOKS "link",
		 made_root, made_root, made_root);
	ck_assert_int_eq(system(link), 0);
	put_hook("failing", "touch ran-failing; exit 3", 0755);
	put_hook("killed", "touch ran-killed; kill -KILL $$", 0755);
	made_put(HOOKS "no-program", "just text");
	snprintf(link, sizeof(link), "chmod 755 %s" HOOKS "no-program", made_root);
	ck_assert_int_eq(system(link), 0);
	run_hooks(20);
	ck_assert(there("ran-a") && there("ran-link") && there("ran-failing") &&
		  there("ran-killed"));
	ck_assert(!there("ran-plain") && !there("ran-backup") && !there("ran-old") &&
		  !there("ran-hidden") && !there("ran-inner"));
}
END_TEST

/* With a merged /usr, the two directories are one. */
START_TEST(runs_a_hook_once)
{
	char command[256];

	put_hook("count", "echo x >>count", 0755);
	snprintf(command, sizeof(command), "ln -s usr/lib %s/lib", made_root);
	ck_assert_int_eq(system(command), 0);
	run_hooks(20);
	snprintf(command, sizeof(command), "test $(wc -l <%s/count) = 1", made_root);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(runs_those_outside_of_usr)
{
	char command[256];

	put_hook("count", "echo x >>count", 0755);
	snprintf(command, sizeof(command), "cp -r %s/usr/lib %s/lib", made_root, made_root);
	ck_assert_int_eq(system(command), 0);
	run_hooks(20);
	snprintf(command, sizeof(command), "test $(wc -l <%s/count) = 2", made_root);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Two that wait for each other end only if they run at the same time. */
START_TEST(runs_them_at_once)
{
	put_hook("a", "touch a; while ! test -e b; do sleep 0.1; done; touch a-done", 0755);
	put_hook("b", "touch b; while ! test -e a; do sleep 0.1; done; touch b-done", 0755);
	run_hooks(20);
	ck_assert(there("a-done") && there("b-done"));
}
END_TEST

/* With all that they started, also those that ignore SIGTERM. */
START_TEST(stops_those_that_take_too_long)
{
	char command[256];

	put_hook("long", "sleep 1000 & echo $! >long; wait", 0755);
	put_hook("deaf", "trap '' TERM; echo $$ >deaf; while :; do sleep 1; done", 0755);
	put_hook("quick", "touch quick", 0755);
	run_hooks(3);
	ck_assert(there("quick") && there("deaf") && there("long"));
	/* A dead one may still wait for its parent. */
	snprintf(command, sizeof(command),
		 "for pid in $(cat %s/deaf %s/long); do"
		 " grep -qs '^State:.[^Z]' /proc/$pid/status && exit; done; exit 1",
		 made_root, made_root);
	ck_assert_int_ne(system(command), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "sleep_parts");
	sigset_t child;

	/* As s2disk-sleep does; tests inherit it. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, reads_spans);
	tcase_add_test(test, has_systemds_defaults);
	tcase_add_test(test, reads_the_main_file_and_drop_ins_by_name);
	tcase_add_loop_test(test, does_not_hibernate_by_suspending, 0, (int)ARRAY_SIZE(states));
	tcase_add_test(test, says_how_to_power_off);
	tcase_add_test(test, says_what_it_does_not_understand);
	tcase_add_test(test, reads_batteries);
	tcase_add_test(test, looks_ahead);
	tcase_add_test(test, runs_what_is_executable);
	tcase_add_test(test, runs_a_hook_once);
	tcase_add_test(test, runs_those_outside_of_usr);
	tcase_add_test(test, runs_them_at_once);
	tcase_add_test(test, stops_those_that_take_too_long);
}
