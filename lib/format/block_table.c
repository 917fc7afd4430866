/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/block_table.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

enum {
	AT_STORED_SIZE = 0,
	AT_CODEC = 4,
	AT_CHECK = 8,
};
_Static_assert(AT_CHECK + BLOCK_CHECK_SIZE == BLOCK_ENTRY_SIZE, "an entry on disk");

void block_entry_encode(const struct block_entry *entry, unsigned char *at)
{
	memset(at, 0, BLOCK_ENTRY_SIZE);
	put_le32(at + AT_STORED_SIZE, entry->stored_size);
	at[AT_CODEC] = (unsigned char)entry->codec;
	memcpy(at + AT_CHECK, entry->check, BLOCK_CHECK_SIZE);
}

struct block_entry block_table_entry(const unsigned char *table, uint64_t index)
{
	const unsigned char *at = table + index * BLOCK_ENTRY_SIZE;
	struct block_entry entry = {
		.stored_size = get_le32(at + AT_STORED_SIZE),
		.codec = at[AT_CODEC],
	};

	memcpy(entry.check, at + AT_CHECK, BLOCK_CHECK_SIZE);
	return entry;
}

static int check_entry(const unsigned char *table, uint64_t index,
		       const struct image_header *header, struct why *w)
{
	struct block_entry entry = block_table_entry(table, index);
	uint32_t raw = header_block_raw_size(header, index);

	if (entry.codec != CODEC_RAW && entry.codec != CODEC_LZ4)
		return why_too_new(w, "block %" PRIu64 " is compressed with unknown codec %u",
				   index, (unsigned int)entry.codec);
	if (entry.stored_size == 0 || entry.stored_size > raw ||
	    (entry.codec == CODEC_RAW && entry.stored_size != raw))
		return why_damaged(w,
				   "the block table says block %" PRIu64
				   " has %u bytes stored, %u raw",
				   index, entry.stored_size, raw);
	return 0;
}

int block_table_check(const unsigned char *table, size_t size, const struct image_header *header,
		      struct why *w)
{
	uint64_t pages = 0;

	if (size / BLOCK_ENTRY_SIZE != header->blocks || size % BLOCK_ENTRY_SIZE)
		return why_damaged(w,
				   "the block table has %zu bytes, %" PRIu64
				   " blocks need %" PRIu64,
				   size, header->blocks, header->blocks * BLOCK_ENTRY_SIZE);
	for (uint64_t i = 0; i < header->blocks; i++) {
		int r = check_entry(table, i, header, w);

		if (r < 0)
			return r;
		pages += stored_pages(block_table_entry(table, i).stored_size, header->page_size);
	}
	if (pages != header->body.pages)
		return why_damaged(w, "the blocks take %" PRIu64 " pages, the body has %" PRIu64,
				   pages, header->body.pages);
	return 0;
}
