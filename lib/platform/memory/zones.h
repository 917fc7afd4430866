/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the running kernel divides its memory: the zones of each node, as shown by
 * /proc/zoneinfo (zoneinfo_show_print() in mm/vmstat.c). */
#ifndef S2DISK_PLATFORM_ZONES_H
#define S2DISK_PLATFORM_ZONES_H

#include "platform/list.h"

#include <stdint.h>

/* All in page frames. */
struct memory_zone {
	uint32_t node;
	char name[16];	  /* DMA, DMA32, Normal, Movable … */
	uint64_t start;	  /* first page frame */
	uint64_t spanned; /* from the first to the last one, including holes */
	uint64_t present;
	uint64_t managed; /* what the page allocator has, in use or free */
	uint64_t high;	  /* the watermark that reclaim aims at */
};

struct zones {
	LIST_OF(struct memory_zone) items; /* known: there are some */
};

#define ZONES_MAX 4096

/* Are the numbers consistent, and the page frame numbers within the address space? */
bool zone_valid(const struct memory_zone *zone);

/* Of a node. No kernel has more kinds (enum zone_type in include/linux/mmzone.h); each is
 * checked against every region that the firmware claims. */
#define NODE_ZONES_MAX 8

/* The same for all nodes. */
bool zones_valid(const struct zones *zones);

/* Pure: the zones that have memory, in the order of /proc/zoneinfo's text, appended to
 * zones. 0 or -ENOMEM. */
int zones_parse(const char *text, struct zones *zones);

#endif
