/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap_on_demand.h"

#include "base/log.h"
#include "base/program.h"
#include "s2disk/fatal_signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY 32767

/* After this, the child continues in the background. In a unit of systemd it is much less, as
 * s2disk-sleep has the sessions frozen meanwhile. */
#define WAIT_SECONDS 20
#define WAIT_SECONDS_IN_UNIT 2
#define TURN_MSEC 50

/* For the signal handler: the active area, and the previous handlers. */
static struct {
	const char *path;
	struct fatal_signals signals;
} on;

/* In a child, with these signals blocked: reading back what is in the area may take long. A
 * freeze interrupts it, so it is repeated after the thaw. */
static int deactivate(const char *path)
{
	setsid();
	while (swapoff(path) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* Calls only async-signal-safe functions; fork() may wait for locks that this process holds. */
static void deactivate_and_end(int number)
{
#ifdef HAVE__FORK
	pid_t child = _Fork();
#else
	pid_t child = fork();
#endif

	if (child == 0)
		_exit(deactivate(on.path));
	fatal_signals_pass_on(&on.signals, number);
}

int swap_on_demand_begin(const struct settings *settings, struct why *w)
{
	const char *path = settings->swap_on_demand;
	sigset_t before;
	int error = 0;

	if (!path[0])
		return 0;
	fatal_signals_block(&before);
	if (swapon(path, SWAP_FLAG_PREFER | PRIORITY) < 0) {
		error = errno;
	} else {
		on.path = path;
		fatal_signals_take(&on.signals, deactivate_and_end);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return 1;
	/* It was active already and stays so. */
	if (error == EBUSY)
		return 0;
	return why(w, -error, "%s (\"swap on demand\") cannot be activated: %s", path,
		   strerror(error));
}

static void deactivate_and_report(const char *path)
{
	int error = deactivate(path);

	/* EINVAL: it is not active. */
	if (error && error != EINVAL)
		log_warning("%s stays active as swap; it cannot be deactivated: %s%s", path,
			    strerror(error),
			    error == ENOMEM ? "; its content does not fit into memory" : "");
	_exit(0);
}

/* false: it has not ended by then. */
static bool wait_for(pid_t child, int seconds)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	pid_t ended = 0;

	for (int i = 0; i < seconds * 1000 / TURN_MSEC && ended == 0; i++) {
		ended = waitpid(child, NULL, WNOHANG);
		if (ended == 0)
			nanosleep(&turn, NULL);
	}
	return ended != 0;
}

/* A unit has not stopped while a process of it remains, so that logind would take the machine
 * for asleep, and after TimeoutStopSec= it would be killed. It blocks SIGTERM: when the machine
 * shuts down, SIGKILL has to end it. Without the unit it continues where it is. */
static void give_unit_of_its_own(pid_t child)
{
	char pid[16], name[64];
	const char *const arguments[] = { "busctl",
					  "--quiet",
					  "call",
					  "org.freedesktop.systemd1",
					  "/org/freedesktop/systemd1",
					  "org.freedesktop.systemd1.Manager",
					  "StartTransientUnit",
					  "ssa(sv)a(sa(sv))",
					  name,
					  "fail",
					  "2",
					  "PIDs",
					  "au",
					  "1",
					  pid,
					  "KillSignal",
					  "i",
					  "9",
					  "0",
					  NULL };

	snprintf(pid, sizeof(pid), "%d", (int)child);
	snprintf(name, sizeof(name), "s2disk-swapoff-%s.scope", pid);
	program_run(arguments[0], arguments, NULL, -1);
}

void swap_on_demand_end(const struct settings *settings)
{
	const char *path = settings->swap_on_demand;
	/* systemd.exec(5) */
	bool in_unit = getenv("INVOCATION_ID") != NULL;
	sigset_t before;
	pid_t child;

	/* From here on a signal may end this process: the child does the work. */
	fatal_signals_block(&before);
	child = fork();
	if (child == 0)
		deactivate_and_report(path);
	if (child < 0)
		log_warning("%s is still active as swap: %s", path, strerror(errno));
	fatal_signals_leave(&on.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child < 0 || wait_for(child, in_unit ? WAIT_SECONDS_IN_UNIT : WAIT_SECONDS))
		return;
	if (in_unit)
		give_unit_of_its_own(child);
	log_notice("%s is being deactivated in the background", path);
}
