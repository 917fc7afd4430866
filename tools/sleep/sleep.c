/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_private.h"

#include "base/bytes.h"
#include "output/journal.h"
#include "base/log.h"

#include <errno.h>
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

/* systemd's words; hooks of other packages compare them. */
static const char *const actions[] = {
	[STEP_HIBERNATE] = "hibernate",
	[STEP_HYBRID] = "hybrid-sleep",
	[STEP_SUSPEND] = "suspend",
	[STEP_SUSPEND_AFTER_HYBRID] = "suspend-after-failed-hybrid-sleep",
	[STEP_SUSPEND_AFTER_HIBERNATE] = "suspend-after-failed-hibernate",
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

static int suspend(struct story *story)
{
	const struct sleep_system *system = story->system;
	int r;

	/* An alarm that expires before the machine sleeps would not wake it. */
	story->rang = alarm_rang(story);
	if (story->rang)
		return 0;
	r = system->suspend(system->context, story->config);
	/* Now: the hooks that follow take time. */
	story->rang = alarm_rang(story);
	story->slept = r == 0;
	story->woke = system->now(system->context);
	return r;
}

static int sleep_now(struct story *story, enum step step)
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
		return suspend(story);
	}
	return -EINVAL;
}

int sleep_do_step(struct story *story, enum step step)
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

static int suspend_then_hibernate(struct story *story)
{
	int r = sleep_nap(story);

	if (r != 0)
		return r < 0 ? r : 0;
	if (sleep_do_step(story, STEP_HIBERNATE) == 0)
		return 0;
	log_notice("cannot hibernate; suspending to RAM again");
	return sleep_do_step(story, STEP_SUSPEND_AFTER_HIBERNATE);
}

/* Both were requested, and writing the image is the part that is likely to have failed. */
static int hybrid_sleep(struct story *story)
{
	if (story->hybrid == HYBRID_BY_S2DISK) {
		sleep_hybrid_choose_deep(story->system->root);
		if (sleep_do_step(story, STEP_HYBRID) == 0)
			return 0;
	}
	log_notice("no hybrid sleep; suspending to RAM only, without an image on disk");
	return sleep_do_step(story, STEP_SUSPEND_AFTER_HYBRID);
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

static int perform(struct story *story, enum sleep_operation operation)
{
	switch (operation) {
	case SLEEP_HIBERNATE:
		return sleep_do_step(story, STEP_HIBERNATE);
	case SLEEP_HYBRID:
		return hybrid_sleep(story);
	case SLEEP_SUSPEND_THEN_HIBERNATE:
		return suspend_then_hibernate(story);
	}
	return -EINVAL;
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
	bool frozen;
	int r, thawed = 0;

	if (!is_allowed(config, operation)) {
		log_error("%s is disabled in systemd's configuration (sleep.conf)",
			  story.operation);
		return -EPERM;
	}
	if (operation == SLEEP_HYBRID)
		story.hybrid = sleep_hybrid_way(system->root, config, system->sealed_only);
	if (story.hybrid == HYBRID_BY_SYSTEMD) {
		r = system->hand_over(system->context, story.operation);
		if (r != -ENOENT)
			return r;
	}
	/* Between two steps, too, nothing of them may run: their keys may be locked away. */
	frozen = system->freeze_users(system->context);
	r = perform(&story, operation);
	if (frozen)
		thawed = system->thaw_users(system->context);
	return r < 0 ? r : thawed;
}
