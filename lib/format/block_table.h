/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block table: how each block is stored. Pure. doc/image-format.md. */
#ifndef S2DISK_FORMAT_BLOCK_TABLE_H
#define S2DISK_FORMAT_BLOCK_TABLE_H

#include "base/why.h"
#include "format/codec.h"
#include "format/header_page.h"

#include <stddef.h>
#include <stdint.h>

#define BLOCK_ENTRY_SIZE 24
#define BLOCK_CHECK_SIZE 16

struct block_entry {
	uint32_t stored_size; /* bytes */
	enum codec codec;
	unsigned char check[BLOCK_CHECK_SIZE];
};

void block_entry_encode(const struct block_entry *entry, unsigned char *at);

/* Entry number index of a table that block_table_check accepted. */
struct block_entry block_table_entry(const unsigned char *table, uint64_t index);

/* Pages of the body that this many stored bytes take. */
static inline uint64_t stored_pages(uint64_t stored_size, size_t page_size)
{
	return (stored_size + page_size - 1) / page_size;
}

/* Checks every entry against the header: sizes, codecs, and that the blocks fill exactly
 * the pages of the body. -EBADMSG with the block's number; -ENOTSUP for an unknown codec. */
int block_table_check(const unsigned char *table, size_t size, const struct image_header *header,
		      struct why *w);

#endif
