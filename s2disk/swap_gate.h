/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last gate of swap: the restored system looks at the swap areas that it has pages
 * in, besides the one with the image, before any program runs.
 */
#ifndef S2DISK_SWAP_GATE_H
#define S2DISK_SWAP_GATE_H

#include "last.h"
#include "platform/other_swaps.h"

/* An area with another header than then is cut off from its device
 * (platform/device_cut.h), so that a program that needs a page of it is killed by the
 * kernel, and not given another's bytes. Not so a swap file, with which its file system
 * would go; that has a gate of its own. Logs it, and puts it into last. Returns how many
 * had changed. */
size_t swap_gate_close(struct other_swaps *others, struct swaps *then, const char *root,
		       struct last *last);

#endif
