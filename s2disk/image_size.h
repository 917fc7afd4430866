/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What size of snapshot to ask the kernel for: what does not go into it, the
 * kernel drops or moves to swap before.
 */
#ifndef S2DISK_IMAGE_SIZE_H
#define S2DISK_IMAGE_SIZE_H

#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct wanted_size {
	bool asked;	/* false: the kernel's own, /sys/power/image_size */
	uint64_t bytes; /* to aim at; 0: as small as can be */
};

/* For the first attempt: what the settings say. Where they say nothing, the size
 * of memory, which is more than the kernel ever takes, if the image is sealed
 * (what is swapped out is not), or if the swap area's device, dev, lies on
 * dm-crypt: when Linux 6.12 swaps out through that right before it stops the
 * devices, the last requests can reach a virtio disk after it stopped, and the
 * kernel waits for them for ever. root is where sysfs is looked for; memory is
 * in bytes. */
struct wanted_size wanted_size_first(const struct settings *settings, bool sealed, const char *root,
				     dev_t dev, uint64_t memory);

/* For the one after the done-th (from 1) failed, because there was no room on
 * the disk (-ENOSPC) or in memory (-ENOMEM), when room for stored bytes that
 * hold raw bytes of the snapshot was found. False: there is nothing smaller. */
bool wanted_size_next(struct wanted_size *size, int done, int r, uint64_t raw, uint64_t stored);

#endif
