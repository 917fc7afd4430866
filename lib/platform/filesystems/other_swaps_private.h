/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of other_swaps; private to them. */
#ifndef S2DISK_PLATFORM_OTHER_SWAPS_PRIVATE_H
#define S2DISK_PLATFORM_OTHER_SWAPS_PRIVATE_H

#include "platform/filesystems/swaps.h"

/* Reads the header at area->offset of a device. page: room for one, aligned. 1; 0 if
 * there is no swap header (area unchanged); or a negative errno, -ENOMEDIUM if the device has no
 * size. */
int other_swaps_read_header(int fd, unsigned char *page, struct swap_use *area);

#endif
