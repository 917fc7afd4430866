/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap areas besides the image's are switched off while the session sleeps, where that
 * costs next to nothing: what is not there cannot be lost when another system uses such
 * an area meanwhile, which leaves no trace (platform/swaps.h). The others are recorded.
 */
#ifndef S2DISK_SWAPOFF_OTHERS_H
#define S2DISK_SWAPOFF_OTHERS_H

#include "swap/swap_area.h"

/* Switches off, before the freeze, each area but own (NULL: none at all)
 * - that has little in use: no more than a sixteenth of free memory, and 64 MiB;
 * - while own has more room than there is memory, so that no other is needed to make the
 *   snapshot small enough;
 * - that can be switched on again as it was: with a priority of its own, or the lowest of
 *   those that the kernel numbers by itself; and only where nothing is set up with
 *   "discard", since the kernel does not tell whether an area is;
 * - on a disk: not zram, loop or network block devices, whose reading may need more.
 * swapoff has ten seconds, then it is interrupted, and the area stays on. From here to
 * the end, signals that would end the program switch all on again first. */
void swapoff_others_begin(const struct swap_area *own, const char *root);

/* Switches them on again: in the restored system, and after a failure. */
void swapoff_others_end(void);

#endif
