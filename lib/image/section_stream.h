/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the sections of an image, one after the other, onto pages of swap. In a
 * sealed image each bufferful is sealed and followed by its tag. */
#ifndef S2DISK_IMAGE_SECTION_STREAM_H
#define S2DISK_IMAGE_SECTION_STREAM_H

#include "crypto/crypto.h"
#include "format/extents/extent_writer.h"
#include "format/page_stream.h"
#include "seal/seal.h"
#include "format/sections.h"

#include <stddef.h>
#include <stdint.h>

struct section_stream {
	int fd;
	size_t page_size;
	const struct page_allocator *allocator;
	unsigned char *buffer; /* aligned; whole pages are written from here */
	size_t size, used;
	size_t room;	   /* of the buffer, without that of a tag */
	uint64_t length;   /* of the stream so far, bytes, tags included */
	uint64_t pieces;   /* bufferfuls written */
	struct seal *seal; /* NULL: a plain image */
	struct extent_writer extents;
	struct digest *digest;
};

/* buffer (size bytes, whole pages), chunk_page and the two open SHA-256s stay
 * the caller's; so does seal, which is NULL for a plain image. */
int section_stream_begin(struct section_stream *stream, int fd, size_t page_size,
			 const struct page_allocator *allocator, void *buffer, size_t size,
			 void *chunk_page, struct digest *extent_digest, struct digest *digest,
			 const unsigned char image_id[IMAGE_ID_SIZE], struct seal *seal);

/* A whole section. 0 or a negative errno. */
int section_stream_add(struct section_stream *stream, enum section_type type, uint32_t flags,
		       const void *data, size_t length);

/* Writes what is left and the extents. */
int section_stream_finish(struct section_stream *stream, struct extent_root *ret_root,
			  uint64_t *ret_length, unsigned char ret_digest[SHA256_SIZE]);

#endif
