/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems that a machine has mounted, and where they are found again. */
#ifndef S2DISK_PLATFORM_FILESYSTEMS_H
#define S2DISK_PLATFORM_FILESYSTEMS_H

#include "platform/filesystems/filesystem_stamp.h"
#include "platform/list.h"

#define FILESYSTEMS_MAX 1024

struct filesystems {
	LIST_OF(struct filesystem) items;
};

void filesystems_free(struct filesystems *filesystems);

/* Is now on the device that then was on, as far as is known? If then's device has no
 * identity, any device may be it. */
bool filesystem_on_same_device(const struct filesystem *then, const struct filesystem *now);

/* Searches the block devices below root for those in wanted, first where they were. All
 * that are found with one's UUID are in ret (copies and snapshots of volumes have it
 * too), each with the identity of its device, until of each the one with its stamp, on
 * its device, was found. 0 or -ENOMEM. */
int filesystems_look(const char *root, const struct filesystems *wanted, struct filesystems *ret);

#endif
