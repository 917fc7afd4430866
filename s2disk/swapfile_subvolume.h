/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A btrfs subvolume for the swap file alone: an active swap file keeps the
 * subvolume that it is in from being snapshotted. */
#ifndef S2DISK_SWAPFILE_SUBVOLUME_H
#define S2DISK_SWAPFILE_SUBVOLUME_H

#include "base/why.h"

int swapfile_subvolume_make(const char *path, struct why *w);

/* One that is not empty stays, without an error. */
int swapfile_subvolume_delete(const char *path, struct why *w);

#endif
