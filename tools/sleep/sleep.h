/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaces systemd-sleep for the operations that end on disk: runs other packages' hooks before and
 * after, logs to the journal, and sets the RTC wake alarm of suspend-then-hibernate.
 */
#ifndef S2DISK_SLEEP_SLEEP_H
#define S2DISK_SLEEP_SLEEP_H

#include "config/sleep_config.h"
#include "sleep_hooks.h"

#include <stdbool.h>
#include <stdint.h>

enum sleep_operation {
	SLEEP_HIBERNATE,
	SLEEP_HYBRID,
	SLEEP_SUSPEND_THEN_HIBERNATE,
};

/* The interface to the machine; tests have their own. */
struct sleep_system {
	const char *root; /* "" */
	struct sleep_hooks hooks;
	bool sealed_only; /* the settings demand encryption */
	void *context;
	/* Runs s2disk; with in_memory the machine suspends to RAM. 0 after a resume, else
	 * s2disk's exit status or a negative errno; s2disk has logged why. */
	int (*hibernate)(void *context, bool in_memory);
	/* Suspends the machine to RAM; 0 after it woke. */
	int (*suspend)(void *context, const struct sleep_config *config);
	/* Has systemd-sleep do all of an operation: 0 if the machine slept and is back; -ENOENT:
	 * there is no such program; another negative errno: it failed, and has logged why. */
	int (*hand_over)(void *context, const char *operation);
	/* Sets an alarm that wakes the machine after this time; a descriptor, for alarm_close(). */
	int (*alarm_set)(void *context, uint64_t usec);
	bool (*alarm_rang)(void *context, int alarm);
	void (*alarm_close)(void *context, int alarm);
	/* A clock that advances while the machine sleeps, microseconds. */
	uint64_t (*now)(void *context);
	/* Freezes the users' sessions, if they are to be frozen: sleep_users.h. */
	bool (*freeze_users)(void *context);
	int (*thaw_users)(void *context);
	/* Locks the home directories that are to be locked while it sleeps. */
	void (*lock_homes)(void *context);
};

/* Parses systemctl's words: "hibernate", "hybrid-sleep", "suspend-then-hibernate". 0 or -EINVAL. */
int sleep_operation_parse(const char *word, enum sleep_operation *ret);

/* Performs one of them, from the first hook to the last. 0 if the machine slept and is back;
 * -EPERM if the configuration forbids it; another negative errno if it failed. Everything is
 * logged. */
int sleep_run(const struct sleep_system *system, const struct sleep_config *config,
	      enum sleep_operation operation);

/* For the real machine. */
struct sleep_machine {
	const char *root;	  /* "" */
	const char *program;	  /* the path of s2disk */
	const char *users_switch; /* value of SLEEP_USERS_SWITCH, NULL: not set */
	bool asks;		  /* s2disk will ask for a passphrase */
	bool sealed_only;	  /* the settings demand encryption */
};

void sleep_system_real(struct sleep_machine *machine, struct sleep_system *ret);

#endif
