/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The executables of systemd's system-sleep folder, which other packages put
 * there to be told of sleeping and waking. */
#ifndef S2DISK_SLEEP_SLEEP_HOOKS_H
#define S2DISK_SLEEP_SLEEP_HOOKS_H

struct sleep_hooks {
	const char *root;     /* before the folders' paths; "" */
	unsigned int seconds; /* how long they may take together */
};

/* Runs them all at once, each with the words `when` ("pre" or "post") and
 * `operation`, and SYSTEMD_SLEEP_ACTION=action; waits until all have ended, or
 * the time is over: those left are told to end, then killed. What goes wrong
 * with one is logged, and no reason not to sleep. SIGCHLD must be blocked. */
void sleep_hooks_run(const struct sleep_hooks *hooks, const char *when, const char *operation,
		     const char *action);

#endif
