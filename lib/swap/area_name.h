/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A name for the device of a swap area that stays valid across boots. */
#ifndef S2DISK_SWAP_AREA_NAME_H
#define S2DISK_SWAP_AREA_NAME_H

#include "base/why.h"

#include <stddef.h>
#include <sys/types.h>

/* How resume= should name the device so that the initramfs finds it, whatever number it
 * gets: UUID= if it is unique (on btrfs with several devices it is not), a device mapper
 * name, PARTUUID=, or else its path, which may be another device at the next boot. root
 * is put before /sys. -EIO, -ENAMETOOLONG. */
int area_name(const char *root, dev_t dev, const char *device, char *buffer, size_t size,
	      struct why *w);

#endif
