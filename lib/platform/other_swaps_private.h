/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of other_swaps; not for others. */
#ifndef S2DISK_PLATFORM_OTHER_SWAPS_PRIVATE_H
#define S2DISK_PLATFORM_OTHER_SWAPS_PRIVATE_H

#include "platform/swaps.h"

/* Takes from a device what the header at area->offset says. page: room for one, aligned.
 * 1; 0 where there is no swap header (area is as it was); or a negative errno. */
int other_swaps_read_header(int fd, unsigned char *page, struct swap_use *area);

#endif
