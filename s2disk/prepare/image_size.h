/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot size to ask the kernel for; whatever exceeds it, the kernel drops or swaps out
 * first.
 */
#ifndef S2DISK_IMAGE_SIZE_H
#define S2DISK_IMAGE_SIZE_H

#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct image_size {
	bool asked;	/* false: the kernel's own, /sys/power/image_size */
	uint64_t bytes; /* to aim at; 0: as small as possible */
};

/* For the first attempt: what the settings say. Without a setting, the size of memory, which is
 * more than the kernel ever takes, if the image is sealed (what is swapped out is not), or if
 * the swap area's device, dev, lies on dm-crypt, so that little is swapped out through that (see
 * make_room.h). root is the sysfs root; memory is in bytes. */
struct image_size image_size_first(const struct settings *settings, bool sealed, const char *root,
				   dev_t dev, uint64_t memory);

/* For the attempt after number done (from 1), which failed for lack of room on the disk
 * (-ENOSPC) or in memory (-ENOMEM); it had room for stored bytes, which hold raw bytes of the
 * snapshot. False: there is nothing smaller. */
bool image_size_next(struct image_size *size, int done, int r, uint64_t raw, uint64_t stored);

#endif
