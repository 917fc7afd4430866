/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of swap, taken ahead and handed out in the order of the disk.
 *
 * Since Linux 6.15 an area in use gives pages in turn from all of its clusters
 * (cluster_alloc_swap_entry() in mm/swapfile.c takes the first cluster of a list
 * and puts it at the list's end), so pages asked for one after the other lie
 * far apart. Where that is seen, many are taken at once and sorted; where pages
 * come as they lie on the disk, few are taken ahead, at no cost.
 *
 * Pages that were taken and not handed out are freed by whoever frees the
 * image's (SNAPSHOT_FREE_SWAP_PAGES, or the restored kernel, to which they are
 * free).
 */
#ifndef S2DISK_IMAGE_PAGE_WINDOW_H
#define S2DISK_IMAGE_PAGE_WINDOW_H

#include "format/page_stream.h"

/* What can be taken ahead at most, and what is at first. */
#define PAGE_WINDOW_MAX (128u << 10)
#define PAGE_WINDOW_FIRST 64u

struct page_window {
	struct page_allocator source;
	size_t page_size;
	uint64_t *pages; /* byte offsets; the caller's memory, for max of them */
	size_t max;
	size_t size;	    /* how many to take next time */
	size_t count, next; /* taken; handed out of these */
	uint64_t left;	    /* about so many will still be wanted */
};

/* An allocator that gives source's pages, sorted as far as max allows (1: as they
 * come). wanted: pages that will be needed, about; not many more are taken. When
 * source fails, what was taken is handed out first, and source is asked again. */
struct page_allocator page_window_begin(struct page_window *window,
					const struct page_allocator *source, size_t page_size,
					uint64_t wanted);

#endif
