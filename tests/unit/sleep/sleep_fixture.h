/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-sleep on a made-up machine: what happened is a story, a line for each event. */
#ifndef TESTS_SLEEP_FIXTURE_H
#define TESTS_SLEEP_FIXTURE_H

#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/said.h"
#include "tools/sleep/sleep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What was logged, from notices on, a line each; cleared by each run. */

/* The machine: time advances only while it sleeps. */
static struct {
	uint64_t now, alarm_at;
	int alarms;	      /* not closed */
	uint64_t woken_after; /* by the user; 0: by the alarm only */
	unsigned int percent, percent_a_hour;
	int hibernate_result, suspend_result, alarm_result;
	bool has_users; /* whose sessions can be frozen */
	int hand_over_result, thaw_result;
	uint64_t before, after;	 /* what precedes and follows a step takes this long */
	bool early;		 /* the alarm rings before the machine sleeps */
	uint64_t overslept;	 /* woken this long after the alarm, which did not wake it */
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
	uint64_t nap = machine.alarms ? machine.alarm_at - machine.now : 0;
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
	machine.now += nap + machine.overslept - machine.short_of;
	machine.percent -=
		(unsigned int)(machine.percent_a_hour * (nap + machine.overslept) / HOUR);
	if (machine.percent_a_hour)
		put_battery();
	if (machine.mains_naps > 0 && --machine.mains_naps == 0)
		made_put("/sys/class/power_supply/AC/online", "0\n");
	return 0;
}

static int pretend_hand_over(void *context, const char *operation)
{
	char line[64];

	(void)context;
	snprintf(line, sizeof(line), "systemd-sleep %s", operation);
	note(line);
	return machine.hand_over_result;
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

/* The hooks that follow a step have been run. */
static void pass_time(void)
{
	if (machine.after && strstr(story(), "post ")) {
		machine.now += machine.after;
		machine.after = 0;
	}
}

static bool pretend_alarm_rang(void *context, int alarm)
{
	(void)context;
	pass_time();
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
	pass_time();
	return machine.now;
}

/* Part of what precedes each step. */
static void pretend_lock(void *context)
{
	(void)context;
	note("lock");
	machine.now += machine.before;
}

static bool pretend_freeze(void *context)
{
	(void)context;
	if (machine.has_users)
		note("freeze");
	return machine.has_users;
}

static int pretend_thaw(void *context)
{
	(void)context;
	ck_assert(machine.has_users);
	note("thaw");
	return machine.thaw_result;
}

static struct sleep_system made_system = {
	.root = made_root,
	.hooks = { .root = made_root, .seconds = 20 },
	.hibernate = pretend_hibernate,
	.suspend = pretend_suspend,
	.hand_over = pretend_hand_over,
	.alarm_set = pretend_alarm_set,
	.alarm_rang = pretend_alarm_rang,
	.alarm_close = pretend_alarm_close,
	.now = pretend_now,
	.freeze_users = pretend_freeze,
	.thaw_users = pretend_thaw,
	.lock_homes = pretend_lock,
};

static void make(void)
{
	char hook[256];

	memset(&machine, 0, sizeof(machine));
	made_system.sealed_only = false;
	machine.now = 1000 * HOUR;
	made_root_create();
	snprintf(hook, sizeof(hook), "#!/bin/sh\necho \"$1 $2 $SYSTEMD_SLEEP_ACTION\" >>%s/story\n",
		 made_root);
	made_put_mode("/usr/lib/systemd/system-sleep/note.sh", hook, 0755);
}

static void clean(void)
{
	ck_assert_int_eq(machine.alarms, 0);
	made_root_remove();
}

static int run(enum sleep_operation operation)
{
	struct sleep_config config;

	said_begin(LOG_LEVEL_NOTICE, false);
	sleep_config_load(made_root, &config, NULL);
	return sleep_run(&made_system, &config, operation);
}

#define NAP(minutes)                                                          \
	"pre suspend-then-hibernate suspend\nlock\nsuspend " minutes " min\n" \
	"post suspend-then-hibernate suspend\n"
#define DISK                                                   \
	"pre suspend-then-hibernate hibernate\nlock\ns2disk\n" \
	"post suspend-then-hibernate hibernate\n"

/* As s2disk-sleep does; tests inherit it. */
static void block_child(void)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
}

#endif
