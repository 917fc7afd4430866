/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which page frames the image holds, run-length encoded. Pure.
 * doc/image-format.md, "Page ranges".
 *
 * The collector encodes as it goes, into memory that its owner has reserved, so it works while a
 * snapshot exists. When that memory is full, the last range is extended over all that follows and
 * the result is marked coarse: too many page frames are the safe error.
 */
#ifndef S2DISK_FORMAT_PAGE_RANGES_H
#define S2DISK_FORMAT_PAGE_RANGES_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_RANGES_HEADER 32

struct range_collector {
	unsigned char *buffer;
	size_t size, used;
	uint64_t ranges, pages, zero_pages;
	uint64_t first, end;   /* the range being built; empty when equal */
	uint64_t previous_end; /* of the range encoded before it */
	bool coarse;
};

/* size must be at least PAGE_RANGES_HEADER + 40. */
void range_collector_init(struct range_collector *collector, void *buffer, size_t size);

/* Adds the next page frame. The kernel delivers them in ascending order; one out of order
 * starts a new range only if it is beyond the last, otherwise the result is coarse from
 * there on. */
void range_collector_add(struct range_collector *collector, uint64_t pfn, bool zero);

/* Ends the last range and writes the header; returns the bytes of the section. */
size_t range_collector_finish(struct range_collector *collector);

/* Reading. */
struct page_ranges {
	const unsigned char *at, *end; /* what remains to be read */
	uint64_t ranges, pages, zero_pages;
	bool coarse;
	uint64_t left;	   /* ranges to come */
	uint64_t next_pfn; /* end of the previous range */
};

/* Checks the whole section (every number, ascending order, the sums) and starts at the
 * first range. The bytes must outlive the struct. -EBADMSG. */
int page_ranges_open(struct page_ranges *ranges, const unsigned char *section, size_t size,
		     struct why *w);

/* The next range: false at the end. */
bool page_ranges_next(struct page_ranges *ranges, uint64_t *ret_first, uint64_t *ret_count);

#endif
