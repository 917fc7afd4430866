/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which devices are in use: what mounted file systems and active swap areas lie on, through all
 * layers down to the hardware, or come over. Found through sysfs, by where
 * devices lie, not by name.
 */
#ifndef S2DISK_PLATFORM_DEVICE_USERS_H
#define S2DISK_PLATFORM_DEVICE_USERS_H

#include "platform/list.h"

#include <stdbool.h>
#include <sys/types.h>

/* A device in use. */
struct device_user {
	char *path;    /* in sysfs: /sys/devices/pci0000:00/… */
	char what[96]; /* "sda1, which holds /" */
	bool waits;    /* the session does without it: of the network only */
};

struct device_users {
	LIST_OF(struct device_user) items; /* known: all that is in use could be listed */
	char unknown[160];		   /* not known: what could not be read, and why */
	bool network;			   /* a disk or the system's files come over it */
};

/* Looks at the machine below root. Where it cannot be followed what something lies on, every block
 * device is in use. keep: the block device with an image, for an initramfs, in which nothing is
 * mounted yet. It is in use, and so is the network where a disk comes over it, or where the root
 * file system will, by the kernel command line or the firmware. 0: none. 0 or -ENOMEM. */
int device_users_look(const char *root, dev_t keep, struct device_users *ret);

/* Notes that path (of /proc or /sys) could not be read, so that not all in use is known; -ENOENT
 * does not count, since few of them are everywhere. Returns -ENOMEM for that, else 0. */
int device_users_unread(struct device_users *users, const char *path, int error);

/* Another one. path is freed, or kept in the list; NULL adds nothing. 0 or -ENOMEM. */
int device_users_add(struct device_users *users, char *path, const char *what);

/* Harmless on a zeroed struct. */
void device_users_free(struct device_users *users);

/* The first one that is the device at that path of sysfs (as tree_path() says it), or is below it.
 * NULL: none. */
const struct device_user *device_users_find(const struct device_users *users, const char *path);

/* Is there one of these that the session cannot do without? */
bool device_users_need(const struct device_users *users, const char *path);

/* Is path that of the device, or of one below it? */
bool device_path_within(const char *path, const char *device);

#endif
