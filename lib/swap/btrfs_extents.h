/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a swap file on btrfs lies, by the file system's own trees: FIEMAP's
 * addresses are not those of a device there.
 */
#ifndef S2DISK_SWAP_BTRFS_EXTENTS_H
#define S2DISK_SWAP_BTRFS_EXTENTS_H

#include "base/why.h"

#include <stdint.h>
#include <sys/types.h>

/* The device and the byte on it where the file begins, after everything was
 * checked that the kernel wants of a swap file: NOCOW, no compression, no
 * holes, not shared with a snapshot, the data profile SINGLE, one device. size:
 * so much of the file must be there. Needs CAP_SYS_ADMIN. -EINVAL when it
 * cannot be a swap file; the sentences do not name it. */
int tree_extents_place(int fd, uint64_t size, uint64_t page_size, dev_t *ret_dev,
		       uint64_t *ret_physical, struct why *w);

#endif
