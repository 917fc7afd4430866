/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step of releasing and giving back, through sysfs; each is checked by what sysfs shows then.
 */
#ifndef S2DISK_RELEASE_STEP_H
#define S2DISK_RELEASE_STEP_H

#include "base/why.h"
#include "release/release_plan.h"

/* Firmware that is not there may be waited for this long (drivers/base/firmware_loader). */
#define RELEASE_STEP_SECONDS 60

/* Each step is made in a child: how long it may take, and (NULL: never) whether the user wants to
 * stop, which ends the offlining of a block. */
struct release_limits {
	unsigned int seconds;
	bool (*stop)(void *context);
	void *context; /* of stop */
};

/* What is known of the machine where something is given back. */
struct release_here {
	bool restarted;		      /* it has been off since the release: memory may be missing */
	bool unsure;		      /* it may have been; then ACPI's word counts, too */
	const struct memory_map *map; /* … and this is what it has now; NULL: unknown */
};

/* 0: released. 1: nothing was to be done, since it is not there, or has no driver, or is offline
 * already. -EINPROGRESS: the kernel has not finished in time, and may never do so; its child is
 * left. -ECANCELED: the user's stop. Or another negative errno; always with a sentence in w. A
 * block that is not emptied within half a minute counts as failed. */
int release_step_take(const char *root, const struct release_entry *entry,
		      const struct release_limits *limits, struct why *w);

/* 0: it is as it was before. 1: it was already. -ENODEV: it is not there any more. -EINPROGRESS:
 * as above. Or another negative errno; always with a sentence in w. */
int release_step_give(const char *root, const struct release_entry *entry,
		      const struct release_here *here, const struct release_limits *limits,
		      struct why *w);

/* May the step have been made, by what sysfs shows now? */
bool release_step_may_be_made(const char *root, const struct release_entry *entry);

/* The command that gives it back by hand; returns buffer. */
#define RELEASE_COMMAND_SIZE 400
const char *release_step_by_hand(const struct release_entry *entry, char *buffer, size_t size);

#endif
