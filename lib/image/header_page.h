/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image's header page. Pure. doc/image-format.md, "Header page". */
#ifndef S2DISK_IMAGE_HEADER_PAGE_H
#define S2DISK_IMAGE_HEADER_PAGE_H

#include "base/crypto.h"
#include "base/why.h"
#include "image/extents.h"
#include "image/format.h"

#include <stddef.h>
#include <stdint.h>

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
	struct map body;
	struct map sections;
};

/* Fills a zeroed page. */
void header_page_encode(const struct image_header *header, unsigned char *page, size_t page_size);

/* 0, or -EBADMSG (damaged), -ENOTSUP (a newer format) with the reason. Every
 * number is bounded afterwards, by each other and by the device's size. */
int header_page_decode(const unsigned char *page, size_t page_size, uint64_t device_bytes,
		       struct image_header *ret, struct why *w);

/* Raw bytes of a block: the block size, or what is left for the last. */
uint32_t header_block_raw_size(const struct image_header *header, uint64_t block);

#endif
