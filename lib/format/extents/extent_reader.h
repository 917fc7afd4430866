/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads where a stream of pages lies, one chunk at a time. The first pass
 * (extent_reader_check) compares the chain of chunks with the digest in the header, so the
 * second pass only reads what has been verified.
 */
#ifndef S2DISK_FORMAT_EXTENT_READER_H
#define S2DISK_FORMAT_EXTENT_READER_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "format/extents/extents.h"

struct extent_reader {
	int fd;
	size_t page_size;
	uint64_t device_bytes;
	const char *name; /* "body", "sections": for messages */
	struct extent_root root;
	unsigned char image_id[IMAGE_ID_SIZE];
	unsigned char *page; /* the chunk being read */
	struct digest *digest;

	struct chunk_header header;
	uint64_t next_chunk; /* bytes on the device */
	uint64_t chunks_read;
	uint64_t pages_told; /* of the stream, by all chunks read so far */
	uint32_t next_extent;
	struct extent rest; /* of the extent that is being handed out */
};

/* page is a page of aligned memory, digest an open SHA-256; both stay the
 * caller's. Reads nothing yet. */
void extent_reader_begin(struct extent_reader *reader, int fd, size_t page_size,
			 uint64_t device_bytes, const char *name, const struct extent_root *root,
			 const unsigned char image_id[IMAGE_ID_SIZE], void *page,
			 struct digest *digest);

/* The next pages of the stream that are contiguous on the device, at most max_pages.
 * -ENODATA at the end; -EBADMSG or an I/O error with the place. */
int extent_reader_next(struct extent_reader *reader, uint64_t max_pages, struct extent *ret,
		       struct why *w);

/* Reads all of it: every chunk intact, the page count equal to the root's, the digest
 * right. Then starts again from the beginning. */
int extent_reader_check(struct extent_reader *reader, struct why *w);

#endif
