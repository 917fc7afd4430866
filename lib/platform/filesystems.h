/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems that a machine has mounted, and where they are found again. */
#ifndef S2DISK_PLATFORM_FILESYSTEMS_H
#define S2DISK_PLATFORM_FILESYSTEMS_H

#include "platform/filesystem_stamp.h"
#include "platform/list.h"

#define FILESYSTEMS_MAX 1024

struct filesystems {
	LIST_OF(struct filesystem) items;
};

void filesystems_free(struct filesystems *filesystems);

/* Mounted ones, their devices held open: after a snapshot no path can be
 * followed any more, but a device can be read. */
struct mounted {
	struct filesystem *items;
	int *fds;
	size_t count;
	unsigned char *page;
};

/* Opens the devices of all that root/proc/self/mountinfo has mounted; those that
 * cannot be opened, or not be read while all is stopped (loop devices, network
 * block devices and what lies on them), are left out. Makes room in *ret for as
 * many. 0 or -ENOMEM. */
int mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret);

/* Reads their stamps into ret, without asking for memory; those of a kind not
 * known here are left out. To be done after the snapshot was made: what the
 * kernel has not written by then it will write when it goes on. */
void mounted_stamp(struct mounted *mounted, struct filesystems *ret);

/* Harmless on a zeroed struct. */
void mounted_close(struct mounted *mounted);

/* Looks on the block devices below root for those in wanted, first where they
 * were. All that are found with one's UUID are in ret (copies and snapshots of
 * volumes have it too), until one with its stamp was found. 0 or -ENOMEM. */
int filesystems_look(const char *root, const struct filesystems *wanted, struct filesystems *ret);

#endif
