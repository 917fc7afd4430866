/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The executables in systemd's system-sleep directory, which other packages install to be
 * notified of sleep and wake-up. */
#ifndef S2DISK_SLEEP_SLEEP_HOOKS_H
#define S2DISK_SLEEP_SLEEP_HOOKS_H

struct sleep_hooks {
	const char *root;     /* prefix of the directories; "" */
	unsigned int seconds; /* how long they may take together */
};

/* Runs them all at once, each with the words `when` ("pre" or "post") and `operation`, and
 * SYSTEMD_SLEEP_ACTION=action; waits until all have ended, or the time is up: the remaining ones
 * get SIGTERM, then SIGKILL. Failures are logged, and do not keep the machine from sleeping.
 * SIGCHLD must be blocked. */
void sleep_hooks_run(const struct sleep_hooks *hooks, const char *when, const char *operation,
		     const char *action);

#endif
