/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a swap file lies: the block device and the page of it where the file begins, by
 * the method that its file system needs.
 */
#ifndef S2DISK_SWAP_FILE_PLACE_H
#define S2DISK_SWAP_FILE_PLACE_H

#include "base/why.h"

#include <stdint.h>
#include <sys/types.h>

struct file_place {
	dev_t dev;
	uint64_t offset; /* pages */
};

/* btrfs: its trees. Others: FIEMAP, or FIBMAP if there is no FIEMAP. The swap signature
 * is ignored. -EINVAL if the file cannot be a swap file, -EOPNOTSUPP if its place cannot
 * be found. The sentences do not name it. */
int file_place_find(int fd, uint64_t page_size, struct file_place *ret, struct why *w);

#endif
