/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The size of the snapshot to aim at, in bytes; whatever exceeds it is dropped or swapped out
 * first. 0: as small as possible.
 */
#ifndef S2DISK_IMAGE_SIZE_H
#define S2DISK_IMAGE_SIZE_H

#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* For the first attempt: what the settings say. Without a setting, the size of memory, which is
 * more than the kernel ever takes, if the image is sealed (what is swapped out is not), or if
 * the swap area's device, dev, lies on dm-crypt, so that little is swapped out through that (see
 * make_room.h); else the kernel's own, /sys/power/image_size. root is the sysfs root; memory is in
 * bytes. */
uint64_t image_size_first(const struct settings *settings, bool sealed, const char *root, dev_t dev,
			  uint64_t memory);

/* For the attempt after number done (from 1), which failed for lack of room on the disk
 * (-ENOSPC) or in memory (-ENOMEM); it had room for stored bytes, which hold raw bytes of the
 * snapshot. False: there is nothing smaller. */
bool image_size_next(uint64_t *size, int done, int r, uint64_t raw, uint64_t stored);

#endif
