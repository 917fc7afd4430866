/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd-sleep does for systemd's ways to sleep that end on disk, with
 * s2disk in its place: the hooks of other packages before and after, entries in
 * the journal, and, for suspend-then-hibernate, the alarm clock between.
 */
#ifndef S2DISK_SLEEP_SLEEP_H
#define S2DISK_SLEEP_SLEEP_H

#include "config/sleep_config.h"
#include "sleep_hooks.h"

#include <stdint.h>

enum sleep_operation {
	SLEEP_HIBERNATE,
	SLEEP_HYBRID,
	SLEEP_SUSPEND_THEN_HIBERNATE,
};

/* The machine's side; tests have another. */
struct sleep_system {
	const char *root; /* "" */
	struct sleep_hooks hooks;
	void *context;
	/* Runs s2disk; with in_memory the machine sleeps in memory. 0 after a
	 * resume, else s2disk's exit status or a negative errno; it has told why. */
	int (*hibernate)(void *context, bool in_memory);
	/* Puts the machine to sleep in memory; 0 after it woke. */
	int (*suspend)(void *context, const struct sleep_config *config);
	/* A clock that wakes the machine after so long; a descriptor, which is
	 * given back with alarm_close. */
	int (*alarm_set)(void *context, uint64_t usec);
	bool (*alarm_rang)(void *context, int alarm);
	void (*alarm_close)(void *context, int alarm);
	/* Time that goes on while the machine sleeps, microseconds. */
	uint64_t (*now)(void *context);
	/* Locks the home directories that shall be locked while it sleeps. */
	void (*lock_homes)(void *context);
};

/* The words of systemctl: "hibernate", "hybrid-sleep", "suspend-then-hibernate".
 * 0 or -EINVAL. */
int sleep_operation_parse(const char *word, enum sleep_operation *ret);

/* Does one of them, from the first hook to the last. 0 when the machine slept
 * and is back; -EPERM when the configuration forbids it; other values below
 * zero when it failed. All of it was logged. */
int sleep_run(const struct sleep_system *system, const struct sleep_config *config,
	      enum sleep_operation operation);

/* Of the machine this runs on; program is the path of s2disk. */
struct sleep_machine {
	const char *program;
};

void sleep_system_real(struct sleep_machine *machine, struct sleep_system *ret);

#endif
