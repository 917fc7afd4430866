/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan in words; the blocks of one piece of memory are one item. */
#ifndef S2DISK_RELEASE_TEXT_H
#define S2DISK_RELEASE_TEXT_H

#include "release/release_plan.h"

#include <stdio.h>

/* What precedes and follows RELEASE_ALL_WAITING's text, for people. */
#define RELEASE_WAITING_TEXT "a process that waits for a device cannot be frozen"
#define RELEASE_WAITING_ADVICE "detach that device, or take it from \"release devices\" and reboot"

enum release_which {
	RELEASE_ALL_FREE,     /* what will be released */
	RELEASE_ALL_TAKEN,    /* what is released now */
	RELEASE_ALL_LASTING,  /* … until the next boot */
	RELEASE_ALL_PASSING,  /* … and given back before that */
	RELEASE_ALL_BLOCKED,  /* what will not be, each with the reason */
	RELEASE_ALL_REFUSING, /* … and is needed */
	RELEASE_ALL_WAITING,  /* … since a child that looked at it still waits in the kernel */
	RELEASE_ALL_STAYING,  /* … and is none of these two */
};

/* "network adapter 8086:10d3 at 0000:01:00.0, 128 MiB of memory at 0x100000000" into buffer;
 * returns how many items there are. What does not fit is counted at the end. */
size_t release_text(const struct release_plan *plan, enum release_which which, char *buffer,
		    size_t size);

/* A line for each item, and for nvidia's driver below root: what would be done, why, and by whom.
 */
void release_print(const struct release_plan *plan, const char *root, FILE *out);

#endif
