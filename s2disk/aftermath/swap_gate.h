/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last gate of swap: before any program runs, the restored system checks the swap areas in
 * which it has pages, other than the one with the image.
 */
#ifndef S2DISK_SWAP_GATE_H
#define S2DISK_SWAP_GATE_H

#include "last.h"
#include "platform/filesystems/other_swaps.h"

/* An area whose header changed is cut off from its device (platform/filesystems/device_cut.h): a
 * program that needs a page of it is killed by the kernel instead of reading foreign data. Not so
 * for a swap file, since that would cut off its file system, which has a gate of its own. Logs it,
 * and records it in last. Returns how many had changed. */
size_t swap_gate_close(struct other_swaps *others, struct swaps *then, const char *root,
		       struct last *last);

#endif
