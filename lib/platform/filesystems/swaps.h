/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap areas besides the one with the image. The saved kernel has pages of processes in
 * all that were active; if one is missing, was recreated or has been used by another
 * system, a process would read bytes that it never wrote.
 */
#ifndef S2DISK_PLATFORM_SWAPS_H
#define S2DISK_PLATFORM_SWAPS_H

#include "platform/hardware/device_identity.h"
#include "platform/list.h"

#include <stdint.h>

/* The kernel has at most 32 (MAX_SWAPFILES_SHIFT). */
#define SWAP_USES_MAX 64

/* How an area was found. The first three are recorded; all but SWAP_BLOCKED describe the
 * machine that is about to resume. */
enum swap_sight {
	SWAP_SEEN,	 /* its header was read */
	SWAP_BLOCKED,	 /* its device cannot be read while everything is frozen */
	SWAP_UNREADABLE, /* its device, or its place there, cannot be read */
	SWAP_REPLACED,	 /* its device exists and has no swap header */
	SWAP_MISSING,	 /* its device is missing, and would be visible */
	SWAP_HIDDEN, /* its device cannot be there yet: unlocked or assembled later, or a driver is
			not loaded */
};

struct swap_use {
	char path[96];			     /* as named in /proc/swaps */
	char device[96];		     /* /dev/sda3: what it, or its file, lies on */
	char identity[DEVICE_IDENTITY_SIZE]; /* of that; "" unknown */
	char drivers[160]; /* the drivers that its disk needs (device_drivers.h); "" unknown */
	char label[17];
	unsigned char uuid[16];
	uint64_t offset; /* bytes, of its header on the device */
	uint64_t size, used;
	uint64_t last_page; /* as its header says */
	uint32_t bad_pages;
	uint32_t file;	  /* 1: a swap file */
	uint32_t stacked; /* 1: its device lies on others (LUKS, LVM, MD, bcache) */
	uint32_t sight;	  /* enum swap_sight */
};

struct swaps {
	LIST_OF(struct swap_use) items;
};

/* Harmless on a zeroed struct. */
void swaps_free(struct swaps *swaps);

/* The same area, judging by its header. mkswap generates a new UUID unless it is given
 * the old one; a label does not count. It is impossible to see that nothing was swapped
 * to it: swapon(2) does not write to the header (mm/swapfile.c). */
bool swap_same_header(const struct swap_use *then, const struct swap_use *now);

#endif
