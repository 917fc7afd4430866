/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap_on_demand.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY 32767

/* Then it goes on without us. */
#define WAIT_SECONDS 20
#define TURN_MSEC 50

int swap_on_demand_begin(const struct settings *settings, struct why *w)
{
	const char *path = settings->swap_on_demand;

	if (!path[0])
		return 0;
	if (swapon(path, SWAP_FLAG_PREFER | PRIORITY) == 0)
		return 1;
	/* Whoever switched it on wants it on. */
	if (errno == EBUSY)
		return 0;
	return why(w, -errno, "%s (\"swap on demand\") cannot be switched on: %s", path,
		   strerror(errno));
}

/* In a process of its own: the system call cannot be left half-way. */
static void switch_off(const char *path)
{
	int r;

	setsid();
	if (swapoff(path) == 0)
		_exit(0);
	r = errno;
	/* Off already, or never on. */
	if (r != EINVAL)
		log_warning("%s is still on as swap, it cannot be switched off: %s%s", path,
			    strerror(r),
			    r == ENOMEM ? "; what is in it does not fit into memory" : "");
	_exit(0);
}

void swap_on_demand_end(const struct settings *settings)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	const char *path = settings->swap_on_demand;
	pid_t child, ended = 0;

	child = fork();
	if (child == 0)
		switch_off(path);
	if (child < 0) {
		log_warning("%s is still on as swap: %s", path, strerror(errno));
		return;
	}
	for (int i = 0; i < WAIT_SECONDS * 1000 / TURN_MSEC && ended == 0; i++) {
		ended = waitpid(child, NULL, WNOHANG);
		if (ended == 0)
			nanosleep(&turn, NULL);
	}
	if (ended == 0)
		log_notice("%s is being switched off, which goes on in the background", path);
}
