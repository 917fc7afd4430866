/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records where a stream of pages was written: one extent chunk at a time. */
#ifndef S2DISK_FORMAT_EXTENT_WRITER_H
#define S2DISK_FORMAT_EXTENT_WRITER_H

#include "crypto/crypto.h"
#include "format/extents/extents.h"
#include "format/page_stream.h"

struct extent_writer {
	int fd;
	size_t page_size;
	const struct page_allocator *allocator;
	unsigned char *page; /* the chunk being filled */
	uint64_t chunk_offset;
	struct chunk_header header;
	struct extent last; /* not in the chunk yet */
	struct digest *digest;
	struct extent_root root;
};

/* page is a page of aligned memory, digest an open SHA-256 for exclusive use; both stay
 * the caller's. Allocates the first chunk's page. */
int extent_writer_begin(struct extent_writer *writer, int fd, size_t page_size,
			const struct page_allocator *allocator, void *page, struct digest *digest,
			const unsigned char image_id[IMAGE_ID_SIZE]);

/* Adds the stream's next page, at that offset of the device. Writes a chunk when one is
 * full. 0 or a negative errno (-ENOSPC from the allocator). */
int extent_writer_add(struct extent_writer *writer, uint64_t offset);

/* Writes the last chunk. */
int extent_writer_finish(struct extent_writer *writer, struct extent_root *ret);

#endif
