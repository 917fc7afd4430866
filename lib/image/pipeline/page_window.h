/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocates pages of swap ahead and hands them out in disk order.
 *
 * Since Linux 6.15 an area in use gives pages in turn from all of its clusters
 * (cluster_alloc_swap_entry() in mm/swapfile.c takes the first cluster of a list
 * and puts it at the list's end), so pages asked for one after the other lie
 * far apart. If so, many are taken at once and sorted; if pages come in disk order anyway, only few
 * are taken ahead, at no cost. Pages that were taken but not handed out are freed with those of the
 * image (by SNAPSHOT_FREE_SWAP_PAGES, or by the restored kernel, which regards them as
 * free). */
#ifndef S2DISK_IMAGE_PAGE_WINDOW_H
#define S2DISK_IMAGE_PAGE_WINDOW_H

#include "format/page_stream.h"

/* How many pages are taken ahead: at most, and at first. */
#define PAGE_WINDOW_MAX (128u << 10)
#define PAGE_WINDOW_FIRST 64u

struct page_window {
	struct page_allocator source;
	size_t page_size;
	uint64_t *pages; /* byte offsets; the caller's memory, for max of them */
	size_t max;
	size_t size;	    /* how many to take next time */
	size_t count, next; /* taken; handed out of these */
	uint64_t left;	    /* about how many will still be needed */
};

/* An allocator that hands out source's pages, sorted as far as max allows (1: unsorted). wanted:
 * about how many pages will be needed; not many more are taken. When source fails, pages already
 * taken are handed out first, then source is tried again. */
struct page_allocator page_window_begin(struct page_window *window,
					const struct page_allocator *source, size_t page_size,
					uint64_t wanted);

#endif
