/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep.h"

#include "base/bytes.h"
#include "output/journal.h"
#include "base/log.h"
#include "sleep_battery.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* systemd's, by which other programs find them (sd-messages.h). */
#define MESSAGE_SLEEP_START "6bbd95ee977941e497c48be27c254128"
#define MESSAGE_SLEEP_STOP "8811e6df2a8e40f58a94cea26f8ebf14"

#define PROGRAM "s2disk-sleep"

static const char *const words[] = {
	[SLEEP_HIBERNATE] = "hibernate",
	[SLEEP_HYBRID] = "hybrid-sleep",
	[SLEEP_SUSPEND_THEN_HIBERNATE] = "suspend-then-hibernate",
};

int sleep_operation_parse(const char *word, enum sleep_operation *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum sleep_operation)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One transition into sleep and back; an operation has one or several. */
enum step {
	STEP_HIBERNATE,
	STEP_HYBRID,
	STEP_SUSPEND,
	STEP_SUSPEND_AFTER_HYBRID,
	STEP_SUSPEND_AFTER_HIBERNATE,
};

/* systemd's words; hooks of other packages compare them. */
static const char *const actions[] = {
	[STEP_HIBERNATE] = "hibernate",
	[STEP_HYBRID] = "hybrid-sleep",
	[STEP_SUSPEND] = "suspend",
	[STEP_SUSPEND_AFTER_HYBRID] = "suspend-after-failed-hybrid-sleep",
	[STEP_SUSPEND_AFTER_HIBERNATE] = "suspend-after-failed-hibernate",
};

struct story {
	const struct sleep_system *system;
	const struct sleep_config *config;
	const char *operation; /* for the hooks and the journal, in all steps */
	int alarm;	       /* -1: none is set */
};

/* Logs to the journal with fields, or without a journal as a plain message. */
static void report(const struct story *story, const char *id, enum log_level level,
		   const char *text, const char *action)
{
	struct journal_entry entry;

	journal_begin(&entry, PROGRAM, level, "%s (%s)", text, action);
	journal_field(&entry, "MESSAGE_ID", "%s", id);
	journal_field(&entry, "SLEEP", "%s", story->operation);
	journal_field(&entry, "S2DISK_ACTION", "%s", action);
	if (journal_send(&entry, story->system->root) < 0)
		log_message(level, "%s (%s)", text, action);
}

static bool alarm_rang(const struct story *story)
{
	return story->alarm >= 0 && story->system->alarm_rang(story->system->context, story->alarm);
}

static int sleep_now(const struct story *story, enum step step)
{
	const struct sleep_system *system = story->system;
	int r;

	switch (step) {
	case STEP_HIBERNATE:
	case STEP_HYBRID:
		r = system->hibernate(system->context, step == STEP_HYBRID);
		return r > 0 ? -EIO : r;
	case STEP_SUSPEND:
	case STEP_SUSPEND_AFTER_HYBRID:
	case STEP_SUSPEND_AFTER_HIBERNATE:
		/* An alarm that expires before the machine sleeps would not wake it. */
		return alarm_rang(story) ? 0 : system->suspend(system->context, story->config);
	}
	return -EINVAL;
}

static int do_step(const struct story *story, enum step step)
{
	const struct sleep_system *system = story->system;
	const char *action = actions[step];
	int r;

	sleep_hooks_run(&system->hooks, "pre", story->operation, action);
	system->lock_homes(system->context);
	report(story, MESSAGE_SLEEP_START, LOG_LEVEL_INFO, "Going to sleep", action);
	r = sleep_now(story, step);
	if (r < 0)
		report(story, MESSAGE_SLEEP_STOP, LOG_LEVEL_ERROR,
		       "Could not sleep, the system runs on", action);
	else
		report(story, MESSAGE_SLEEP_STOP, LOG_LEVEL_INFO, "Back from sleep", action);
	sleep_hooks_run(&system->hooks, "post", story->operation, action);
	return r;
}

/* How long to suspend to RAM before checking again, in microseconds; 0: not at all. Without a
 * configured delay only the battery decides. */
static uint64_t next_nap(const struct story *story, const struct battery *battery, uint64_t passed)
{
	const struct sleep_config *config = story->config;
	uint64_t left = config->delay_usec > passed ? config->delay_usec - passed : 0;

	if (battery_is_low(battery))
		return 0;
	if (!battery->present)
		return left;
	if (!config->delay_set)
		return config->estimation_usec;
	return min_u64(left, config->estimation_usec);
}

/* 0: it is time to hibernate; 1: the user woke the machine. */
static int nap_until_time(struct story *story)
{
	const struct sleep_system *system = story->system;
	uint64_t begun = system->now(system->context), passed = 0, nap;
	struct battery before, after;
	bool rang;
	int r;

	for (;;) {
		battery_read(system->root, &before);
		/* The delay begins on battery power; without a battery it begins at once. */
		if (story->config->not_on_mains && before.present && !before.discharging) {
			begun = system->now(system->context);
			passed = 0;
		}
		nap = next_nap(story, &before, passed);
		if (nap == 0)
			return 0;
		story->alarm = system->alarm_set(system->context, nap);
		if (story->alarm < 0) {
			log_warning("no RTC wake alarm (%s); hibernating now",
				    strerror(-story->alarm));
			return 0;
		}
		r = do_step(story, STEP_SUSPEND);
		rang = alarm_rang(story);
		system->alarm_close(system->context, story->alarm);
		story->alarm = -1;
		/* The kernel refuses to suspend if the alarm is about to expire. */
		if (r < 0 && !rang)
			return r;
		if (!rang)
			return 1;
		/* It may expire slightly early; the rest is not worth sleeping, and the kernel
		 * would refuse so short a time. */
		passed = max_u64(passed + nap, system->now(system->context) - begun);
		battery_read(system->root, &after);
		if (battery_will_be_low(&before, &after))
			return 0;
	}
}

static int suspend_then_hibernate(struct story *story)
{
	int r = nap_until_time(story);

	if (r != 0)
		return r < 0 ? r : 0;
	if (do_step(story, STEP_HIBERNATE) == 0)
		return 0;
	log_notice("cannot hibernate; suspending to RAM again");
	return do_step(story, STEP_SUSPEND_AFTER_HIBERNATE);
}

/* Both were requested, and writing the image is the part that is likely to have failed. */
static int hybrid_sleep(const struct story *story)
{
	if (do_step(story, STEP_HYBRID) == 0)
		return 0;
	log_notice("no hybrid sleep; suspending to RAM only, without an image on disk");
	return do_step(story, STEP_SUSPEND_AFTER_HYBRID);
}

static bool is_allowed(const struct sleep_config *config, enum sleep_operation operation)
{
	switch (operation) {
	case SLEEP_HIBERNATE:
		return config->allow_hibernation;
	case SLEEP_HYBRID:
		return config->allow_hybrid_sleep;
	case SLEEP_SUSPEND_THEN_HIBERNATE:
		return config->allow_suspend_then_hibernate;
	}
	return false;
}

int sleep_run(const struct sleep_system *system, const struct sleep_config *config,
	      enum sleep_operation operation)
{
	struct story story = {
		.system = system,
		.config = config,
		.operation = words[operation],
		.alarm = -1,
	};

	if (!is_allowed(config, operation)) {
		log_error("%s is disabled in systemd's configuration (sleep.conf)",
			  story.operation);
		return -EPERM;
	}
	switch (operation) {
	case SLEEP_HIBERNATE:
		return do_step(&story, STEP_HIBERNATE);
	case SLEEP_HYBRID:
		return hybrid_sleep(&story);
	case SLEEP_SUSPEND_THEN_HIBERNATE:
		return suspend_then_hibernate(&story);
	}
	return -EINVAL;
}
