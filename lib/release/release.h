/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out a plan: releases before the snapshot, gives back after it. */
#ifndef S2DISK_RELEASE_H
#define S2DISK_RELEASE_H

#include "base/why.h"
#include "release/release_plan.h"
#include "release/release_step.h"

enum release_event {
	RELEASE_TAKEN,	   /* released */
	RELEASE_NOT_TAKEN, /* it could not be; what it goes with is given back */
	RELEASE_GIVEN,	   /* as before */
	RELEASE_NOT_GIVEN, /* it could not be given back */
	RELEASE_GONE,	   /* it is not there any more, or only after the next boot */
};

/* Called for each step; reason is "" where there is none. */
struct release_watch {
	void (*report)(void *context, enum release_event event, const struct release_entry *entry,
		       const char *reason);
	/* Should it stop? Asked between steps, and while a block is offlined. NULL: never. */
	bool (*stop)(void *context);
	void *context;
};

/* Releases all of the plan that is not blocked, in order, and marks it as taken. Where a step
 * fails, what it is of use with is given back; where one fails that is needed, or hangs
 * in the kernel (-EINPROGRESS), or it is to stop (-ECANCELED), all else is given back, in reverse,
 * and w says why. */
int release_take(const char *root, struct release_plan *plan, const struct release_watch *watch,
		 struct why *w);

/* Gives back all that is taken, in reverse. */
void release_give(const char *root, struct release_plan *plan, const struct release_here *here,
		  const struct release_watch *watch);

/* Gives back what an earlier run has left, in this boot. Does nothing if nothing was. */
void release_recover(const char *root, const struct release_watch *watch);

#endif
