/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a swap file on btrfs lies, from the file system's own trees: there, FIEMAP's
 * addresses are not those of a device.
 */
#ifndef S2DISK_SWAP_BTRFS_EXTENTS_H
#define S2DISK_SWAP_BTRFS_EXTENTS_H

#include "base/why.h"

#include <stdint.h>
#include <sys/types.h>

/* The device and the byte on it where the file begins, after checking everything that the
 * kernel demands of a swap file: NOCOW, no compression, no holes, not shared with a
 * snapshot, the data profile SINGLE, one device. size: the file must have this many
 * bytes. Needs CAP_SYS_ADMIN. -EINVAL if it cannot be a swap file; the sentences do not
 * name it. */
int tree_extents_place(int fd, uint64_t size, uint64_t page_size, dev_t *ret_dev,
		       uint64_t *ret_physical, struct why *w);

#endif
