/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A btrfs subvolume for the swap file alone: an active swap file keeps the
 * subvolume that it is in from being snapshotted. */
#ifndef S2DISK_SWAPFILE_SUBVOLUME_H
#define S2DISK_SWAPFILE_SUBVOLUME_H

#include "base/why.h"

/* What must be made as a subvolume so that the swap file path can be made in it: path's
 * folder, which is not there yet. *ret NULL: nothing, since it is not on btrfs, or the folder is
 * a subvolume with nothing in it. Free. -EINVAL where there is no way to have one. */
int swapfile_subvolume_plan(const char *path, char **ret, struct why *w);

int swapfile_subvolume_make(const char *path, struct why *w);

/* One that is not empty stays, without an error. */
int swapfile_subvolume_delete(const char *path, struct why *w);

#endif
