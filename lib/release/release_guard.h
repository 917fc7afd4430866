/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is never released: devices that hold a mounted file system, swap, the way to the root file
 * system, a serial console, or the only display. Found through sysfs, by where these lie, not by
 * name.
 */
#ifndef S2DISK_RELEASE_GUARD_H
#define S2DISK_RELEASE_GUARD_H

#include "platform/hardware/device_users.h"
#include "platform/hardware/devices.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct release_display {
	char *path; /* in sysfs */
	bool goes;  /* the plan releases it */
};

struct release_guard {
	struct device_users users;
	LIST_OF(struct release_display) displays; /* known is unused */
};

/* Looks at the machine below root; devices are what was captured of it. keep:
 * device_users_look()'s. 0 or -ENOMEM. */
int release_guard_look(const char *root, const struct devices *devices, dev_t keep,
		       struct release_guard *ret);

/* Harmless on a zeroed struct. */
void release_guard_free(struct release_guard *guard);

/* May the device at that path of sysfs (as tree_path() says it) not be released? Then why gets
 * the reason. None may where not all that is in use could be read. */
bool release_guard_holds(const struct release_guard *guard, const char *path, char *why,
			 size_t size);

/* The same for a disk at or below that path which the kernel has claimed for one user: a file
 * system of another mount namespace, one unmounted lazily, ZFS, an external journal. Nothing in
 * sysfs says so, but an exclusive open fails. Where it fails otherwise, or waits for long in its
 * child, nothing is known; left gets that child (release_child_runs()), else 0. */
bool release_guard_is_claimed(const char *root, const char *path, char *why, size_t size,
			      pid_t *left);

/* That of one block device ("sda1"). A system that files describe (s2disk/described.h) has the
 * names of such devices in this one, a line each. */
#define RELEASE_CLAIMED "/claimed"
bool release_guard_claimed_disk(const char *root, const char *block);

/* It will be released: the displays that are left then count. */
void release_guard_let_go(struct release_guard *guard, const char *path);

#endif
