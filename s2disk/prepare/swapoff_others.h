/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap areas other than the image's are deactivated while the session sleeps, if that is cheap:
 * another system may use such an area meanwhile without a trace (platform/filesystems/swaps.h), and
 * what is not in it cannot be lost. The others are recorded.
 */
#ifndef S2DISK_SWAPOFF_OTHERS_H
#define S2DISK_SWAPOFF_OTHERS_H

#include "swap/swap_area.h"

/* Deactivates, before the freeze, each area but own (NULL: none at all)
 * - that has little in use: no more than a sixteenth of free memory, and 64 MiB;
 * - while own has more room than there is memory, and thus suffices to shrink the snapshot;
 * - that can be activated again as it was: with a priority of its own, or the lowest of
 *   those that the kernel numbers by itself; and only where nothing is set up with
 *   "discard", since the kernel does not report whether an area is;
 * - on a disk: not zram, loop or network block devices, whose reading may need more.
 * swapoff has ten seconds; then it is interrupted, and the area stays active. From here to the end,
 * signals that would end the program activate all of them again first. */
void swapoff_others_begin(const struct swap_area *own, const char *root);

/* Activates them again: in the restored system, and after a failure. */
void swapoff_others_end(void);

#endif
