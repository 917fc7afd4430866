/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's snapshot without some of its page frames: a page source between the kernel's and the
 * writer. To its reader the stream looks complete.
 *
 * It drops the numbers of these frames from the metadata and closes the gaps,
 * skips their data pages (a frame of zeros has none), and lowers the counts in
 * the header page to match. The kernel that loads the stream has no checksum over them:
 * load_header(), unpack_orig_pfns() and prepare_image() (kernel/power/snapshot.c) trust the counts
 * and the numbers. The counts come first in the stream, so all metadata is read and kept before
 * anything is handed out: 8 bytes for each page of the
 * snapshot. */
#ifndef S2DISK_IMAGE_PAGE_FILTER_H
#define S2DISK_IMAGE_PAGE_FILTER_H

#include "base/why.h"
#include "format/page_stream.h"
#include "kernel/image_info.h"
#include "platform/memory/frames.h"

#include <stddef.h>
#include <stdint.h>

struct page_filter {
	struct page_source source;
	size_t page_size;
	const struct frame_range *frames; /* sorted: what is left out */
	size_t frame_count;
	unsigned char *header;	/* as it is handed out */
	unsigned char *skipped; /* a data page that is left out */
	unsigned char *entries; /* of the metadata, as the kernel gave them, without end marks */
	uint64_t entry_count;
	uint64_t packed; /* entries that were handed out or left out */
	uint64_t placed; /* entries whose data pages were */
	uint64_t given;	 /* pages handed out */

	/* After page_filter_begin: */
	struct image_info info; /* of the stream that is handed out */
	uint64_t left_out;	/* frames */
	uint64_t left_out_zero; /* of them, without a data page */
};

/* Bytes of memory for a snapshot of that many page frames. */
size_t page_filter_memory(uint64_t frames, size_t page_size);

/* Reads header page and metadata of a stream of size bytes. memory, aligned to
 * 8 bytes, and frames stay the caller's and must outlive the filter. 0, -EBADMSG
 * for a stream that contradicts itself, -EFBIG when the metadata does not fit
 * into the memory, -ENODATA when nothing would be left, errors of the source. */
int page_filter_begin(struct page_filter *filter, const struct page_source *source, uint64_t size,
		      size_t page_size, const struct frame_list *frames, void *memory,
		      size_t memory_size, struct why *w);

/* The stream that is left, filter->info.size bytes of it; to be read in whole
 * pages. */
struct page_source page_filter_source(struct page_filter *filter);

#endif
