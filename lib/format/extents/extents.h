/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a stream of pages lies on the device: extents, and the chunks (one
 * page each) that they are stored in. Pure. doc/image-format.md, "Map" and
 * "Extent chunk".
 */
#ifndef S2DISK_FORMAT_EXTENTS_H
#define S2DISK_FORMAT_EXTENTS_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "format/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extent {
	uint64_t offset; /* bytes on the device, a multiple of the page size */
	uint64_t pages;	 /* not 0 */
};

/* The root of a chain of chunks: the "map" of messages and of the document. */
#define EXTENT_ROOT_SIZE 56

struct extent_root {
	uint64_t first_chunk; /* bytes on the device, 0: no pages */
	uint64_t chunks;
	uint64_t pages;
	unsigned char digest[SHA256_SIZE];
};

void extent_root_encode(const struct extent_root *root, unsigned char *at);

/* -EBADMSG when the numbers contradict each other or do not fit on a device of
 * device_bytes; name is the stream's, for the sentence. */
int extent_root_decode(const unsigned char *at, uint64_t device_bytes, size_t page_size,
		       const char *name, struct extent_root *ret, struct why *w);

struct chunk_header {
	uint32_t extents;
	uint64_t next;	     /* bytes on the device, 0: the last */
	uint64_t index;	     /* 0, 1, … */
	uint64_t first_page; /* number in the stream */
	unsigned char image_id[IMAGE_ID_SIZE];
};

/* Extents per chunk. */
size_t chunk_capacity(size_t page_size);

struct extent chunk_get_extent(const unsigned char *page, size_t index);
void chunk_put_extent(unsigned char *page, size_t index, struct extent extent);

/* Writes the header and the checksum of a page that has its extents in place and zeros in
 * its unused part. 0 or -ENOMEM. */
int chunk_seal(const struct chunk_header *header, unsigned char *page, size_t page_size);

/* Checks everything that a chunk says of itself against the expected values (index, first
 * page, image id) and the size of the device. name and the index appear in the sentence.
 * *ret_pages: pages in all its extents. */
int chunk_decode(const unsigned char *page, size_t page_size, uint64_t device_bytes,
		 const struct chunk_header *expected, const char *name, struct chunk_header *ret,
		 uint64_t *ret_pages, struct why *w);

#endif
