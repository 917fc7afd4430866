/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The active swap areas besides the one with the image: recorded when hibernating,
 * searched for before resuming, and checked again by the restored system.
 */
#ifndef S2DISK_PLATFORM_OTHER_SWAPS_H
#define S2DISK_PLATFORM_OTHER_SWAPS_H

#include "platform/filesystems/swaps.h"
#include "swap/swap_area.h"

/* One per item of the record, with the descriptors that stay open across a snapshot. */
struct other_swap {
	char path[256];
	char name[64]; /* the kernel's, of the device */
	int device;    /* -1: it cannot be read */
};

struct other_swaps {
	struct other_swap items[SWAP_USES_MAX];
	size_t count;
	int list; /* /proc/swaps, -1 */
	char *text;
	struct swap_entry *entries;
	unsigned char *page;
};

/* Describes in *ret all active areas except own (NULL: all) and those in memory (zram,
 * brd), whose content is in the image, and opens their devices and /proc/swaps. 0 or
 * -ENOMEM; then all is closed. */
int other_swaps_open(const char *root, const struct swap_area *own, struct other_swaps *others,
		     struct swaps *ret);

/* Updates how much of each is in use, without a path and without allocating memory:
 * taking a snapshot swaps out. What cannot be counted stays as it is. */
void other_swaps_count(struct other_swaps *others, struct swaps *swaps);

/* Reads one's header again. 0 if it is as recorded, 1 if not, or a negative errno from
 * reading; -EBADF if its device cannot be read. */
int other_swaps_look_again(struct other_swaps *others, size_t index, const struct swap_use *then);

/* Harmless on a zeroed struct. */
void other_swaps_close(struct other_swaps *others);

/* Searches below root for those of wanted that had anything in use: *ret has a copy of
 * each, with its current header and how it was found. 0 or -ENOMEM. */
int other_swaps_look(const char *root, const struct swaps *wanted, struct swaps *ret);

/* The same, repeated while one is missing, for msec at most: some disks take a while to appear. */
int other_swaps_await(const char *root, const struct swaps *wanted, unsigned int msec,
		      struct swaps *ret);

#endif
