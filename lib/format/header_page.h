/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image's header page. Pure. doc/image-format.md, "Header page". */
#ifndef S2DISK_FORMAT_HEADER_PAGE_H
#define S2DISK_FORMAT_HEADER_PAGE_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "format/extents/extents.h"
#include "format/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The part of the page that is sealed in a sealed image, the place of its tag, and the
 * place of the key slots. */
#define HEADER_SEALED_AT 56u
#define HEADER_SEALED_SIZE 208u
#define HEADER_TAG_AT 272u
#define HEADER_SLOTS_AT 1024u

/* What can be read of a header without a key. */
struct header_front {
	unsigned char image_id[IMAGE_ID_SIZE];
	uint64_t created; /* seconds since 1970 */
	bool sealed;
	enum aead_kind cipher;	 /* of a sealed image */
	uint32_t slots;		 /* 1 to KEY_SLOTS_MAX */
	const unsigned char *at; /* this many times KEY_SLOT_SIZE bytes, in the page */
};

struct image_header {
	uint32_t page_size;
	uint64_t compatible;
	uint64_t incompatible;
	unsigned char image_id[IMAGE_ID_SIZE];
	uint64_t created; /* seconds since 1970 */
	uint32_t block_size;
	uint32_t check; /* enum block_check */
	uint64_t stream_size;
	uint64_t blocks;
	uint64_t image_pages;
	uint64_t metadata_pages;
	uint64_t handover; /* bytes on the device, 0: none */
	uint64_t write_usec;
	uint64_t sections_size;
	unsigned char sections_digest[SHA256_SIZE];
	struct extent_root body;
	struct extent_root sections;
	/* Of a sealed image (incompatible has FEATURE_SEALED). */
	enum aead_kind cipher;
	uint32_t slots;
};

/* Fills a page, except for the slots of a sealed image, which are zeroed. */
void header_page_encode(const struct image_header *header, unsigned char *page, size_t page_size);

/* Reads what is not sealed. -EBADMSG, -ENOTSUP as below. */
int header_page_front(const unsigned char *page, size_t page_size, struct header_front *ret,
		      struct why *w);

/* A page that is not sealed, or has been opened. 0, or -EBADMSG (damaged), -ENOTSUP (a
 * newer format) with the reason. Afterwards every number is within bounds, also relative
 * to each other and to the device's size. */
int header_page_decode(const unsigned char *page, size_t page_size, uint64_t device_bytes,
		       struct image_header *ret, struct why *w);

static inline bool header_sealed(const struct image_header *header)
{
	return header->incompatible & FEATURE_SEALED;
}

/* A power of two within the bounds of the format. */
bool block_size_valid(uint32_t size);

/* Raw bytes of a block: the block size, or the remainder for the last. */
uint32_t header_block_raw_size(const struct image_header *header, uint64_t block);

#endif
