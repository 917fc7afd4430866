/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of an operation share. */
#ifndef S2DISK_SLEEP_SLEEP_PRIVATE_H
#define S2DISK_SLEEP_SLEEP_PRIVATE_H

#include "sleep.h"
#include "sleep_hybrid.h"

#include <stdbool.h>
#include <stdint.h>

/* One transition into sleep and back; an operation has one or several. */
enum step {
	STEP_HIBERNATE,
	STEP_HYBRID,
	STEP_SUSPEND,
	STEP_SUSPEND_AFTER_HYBRID,
	STEP_SUSPEND_AFTER_HIBERNATE,
};

struct story {
	const struct sleep_system *system;
	const struct sleep_config *config;
	const char *operation; /* for the hooks and the journal, in all steps */
	enum sleep_hybrid hybrid;
	int alarm; /* -1: none is set */
	/* Of the last suspend to RAM: */
	bool rang;     /* the alarm had expired when it ended */
	bool slept;    /* the machine was suspended */
	uint64_t woke; /* when it ended */
};

/* Performs a step, with the hooks before and after. 0 or a negative errno, logged. */
int sleep_do_step(struct story *story, enum step step);

/* Suspends to RAM, as often as the battery is to be checked, until it is time to hibernate: 0. 1:
 * the machine was woken by something else and stays awake. Or a negative errno. */
int sleep_nap(struct story *story);

#endif
