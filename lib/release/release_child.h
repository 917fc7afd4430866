/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work in a child process, for a limited time. What a driver does when it is bound, unbound or
 * found may wait in the kernel for ever, where no signal reaches it: then only the child waits.
 */
#ifndef S2DISK_RELEASE_CHILD_H
#define S2DISK_RELEASE_CHILD_H

#include "base/why.h"

#include <stdbool.h>
#include <sys/types.h>

struct child_limits {
	unsigned int seconds;
	bool kill; /* when these are over; otherwise the child is left to finish */
	/* To be killed before that? Asked ten times a second. NULL: never. */
	bool (*stop)(void *context);
	void *context; /* of stop */
	pid_t *left;   /* gets the child that has not ended (-EINPROGRESS), else 0; NULL: unused */
};

/* Runs work(context, w) in a child that has no descriptors but /dev/null and no signal but SIGKILL,
 * and is in no terminal's session; what it changes in memory is lost. Returns what work does, with
 * its sentence in w; -ETIMEDOUT or -ECANCELED: it was killed, and has ended; -EINPROGRESS: it has
 * not ended, and is not waited for: it becomes init's when this process ends. Or another negative
 * errno, where there was no child, or it ended without a result. */
int release_child_run(int (*work)(void *context, struct why *w), void *context,
		      const struct child_limits *limits, struct why *w);

/* Does that child (release_child_run()'s left; 0: none) still run? It waits in the kernel, where no
 * signal reaches it, so it does not freeze either, and the machine cannot hibernate. */
bool release_child_runs(pid_t child);

#endif
