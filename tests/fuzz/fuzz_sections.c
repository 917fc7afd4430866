/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single structures of an image. Input: a selector byte, eight bytes of a number (the
 * size of the device), then the structure. */
#include "fuzz.h"

#include "base/bytes.h"
#include "format/block_table.h"
#include "format/extents/extents.h"
#include "format/header_page.h"
#include "format/page_ranges.h"
#include "format/sections.h"
#include "kernel/image_info.h"

#define PAGE 4096u

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_assert(crypto_init(NULL) == 0);
	return 0;
}

static void check_root(const struct extent_root *root, uint64_t device_bytes)
{
	fuzz_assert(root->pages <= device_bytes / PAGE && root->chunks <= root->pages);
	fuzz_assert((root->first_chunk == 0) == (root->pages == 0));
}

/* Everything that later code relies on. */
static void fuzz_header(const unsigned char *page, uint64_t device_bytes, struct why *w)
{
	struct image_header header;
	unsigned char again[PAGE];
	uint64_t raw;

	if (header_page_decode(page, PAGE, device_bytes, &header, w) < 0) {
		fuzz_assert(w->text[0]);
		return;
	}
	fuzz_assert(is_power_of_two(header.block_size) && header.block_size >= BLOCK_SIZE_MIN &&
		    header.block_size <= BLOCK_SIZE_MAX);
	fuzz_assert(header.blocks > 0 && header.blocks <= device_bytes / PAGE);
	raw = (header.blocks - 1) * header.block_size +
	      header_block_raw_size(&header, header.blocks - 1);
	fuzz_assert(raw == header.stream_size && raw >= 3 * PAGE);
	fuzz_assert(header.handover <= device_bytes - PAGE);
	fuzz_assert(header.sections_size > 0 && header.sections_size <= SECTIONS_SIZE_MAX);
	fuzz_assert(header.sections.pages * PAGE - header.sections_size < PAGE);
	fuzz_assert(header.body.pages >= header.blocks);
	check_root(&header.body, device_bytes);
	check_root(&header.sections, device_bytes);
	header_page_encode(&header, again, PAGE);
	fuzz_assert(memcmp(again, page, 264) == 0);
}

static void fuzz_chunk(unsigned char *page, uint64_t device_bytes, struct why *w)
{
	struct chunk_header expected = { 0 }, header;
	uint64_t pages, sum = 0;
	uint32_t crc;

	/* Valid enough to be examined. */
	memcpy(page, "s2diskEX", 8);
	memset(page + 24, 0, 40);
	put_le32(page + 12, 0);
	fuzz_assert(crypto_crc32(page, PAGE, &crc) == 0);
	put_le32(page + 12, crc);
	if (chunk_decode(page, PAGE, device_bytes, &expected, "body", &header, &pages, w) < 0) {
		fuzz_assert(w->text[0]);
		return;
	}
	fuzz_assert(header.extents > 0 && header.extents <= chunk_capacity(PAGE));
	for (size_t i = 0; i < header.extents; i++) {
		struct extent extent = chunk_get_extent(page, i);

		fuzz_assert(extent.offset % PAGE == 0 && extent.offset < device_bytes);
		fuzz_assert(extent.pages > 0 &&
			    extent.pages <= (device_bytes - extent.offset) / PAGE);
		sum += extent.pages;
	}
	fuzz_assert(sum == pages);
}

static void fuzz_stream(const unsigned char *bytes, size_t size, struct why *w)
{
	struct sections s;

	if (sections_parse(bytes, size, &s, w) < 0) {
		fuzz_assert(w->text[0]);
		return;
	}
	for (size_t i = 0; i < sizeof(s) / sizeof(s.writer); i++) {
		const struct section *section = (const struct section *)&s + i;

		if (!section->data)
			continue;
		fuzz_assert(section->data >= bytes + SECTION_HEADER_SIZE);
		fuzz_assert(section->size <= size - (size_t)(section->data - bytes));
	}
}

static void fuzz_ranges(const unsigned char *bytes, size_t size, struct why *w)
{
	struct page_ranges ranges;
	uint64_t first, count, end = 0, sum = 0, n = 0;

	if (page_ranges_open(&ranges, bytes, size, w) < 0) {
		fuzz_assert(w->text[0]);
		return;
	}
	while (page_ranges_next(&ranges, &first, &count)) {
		fuzz_assert(count > 0 && first >= end && (n == 0 || first > end));
		end = first + count;
		fuzz_assert(end > first);
		sum += count;
		n++;
	}
	fuzz_assert(n == ranges.ranges && sum == ranges.pages);
}

static void fuzz_table(const unsigned char *bytes, size_t size, uint64_t number, struct why *w)
{
	struct image_header header = { .page_size = PAGE, .block_size = 65536 };
	uint64_t pages = 0;

	header.stream_size = ((number & 0xff) + 3) * PAGE;
	header.blocks = div_round_up(header.stream_size, header.block_size);
	header.body.pages = number >> 8 & 0xff;
	if (block_table_check(bytes, size, &header, w) < 0) {
		fuzz_assert(w->text[0]);
		return;
	}
	for (uint64_t i = 0; i < header.blocks; i++) {
		struct block_entry entry = block_table_entry(bytes, i);

		fuzz_assert(entry.stored_size > 0 &&
			    entry.stored_size <= header_block_raw_size(&header, i));
		pages += stored_pages(entry.stored_size, PAGE);
	}
	fuzz_assert(pages == header.body.pages);
}

static void fuzz_info(const unsigned char *page, struct why *w)
{
	struct image_info info;

	if (image_info_parse(page, PAGE, &info, w) < 0) {
		fuzz_assert(w->text[0]);
		return;
	}
	fuzz_assert(info.metadata_pages > 0);
	fuzz_assert(1 + info.metadata_pages + info.image_pages == info.pages);
	fuzz_assert(info.pages * PAGE == info.size);
	fuzz_assert(image_metadata_walk(page, PAGE, NULL, NULL) <= PAGE / 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char page[PAGE] = { 0 }, *bytes;
	struct why w = { "" };
	uint64_t number;

	if (size < 9)
		return 0;
	number = get_le64(data + 1);
	size -= 9;
	memcpy(page, data + 9, min_u64(size, PAGE));
	/* A buffer of the exact size, to catch reads past the end. */
	bytes = malloc(size ? size : 1);
	fuzz_assert(bytes);
	memcpy(bytes, data + 9, size);
	switch (data[0] % 6) {
	case 0:
		fuzz_header(page, number, &w);
		break;
	case 1:
		fuzz_chunk(page, number, &w);
		break;
	case 2:
		fuzz_stream(bytes, size, &w);
		break;
	case 3:
		fuzz_ranges(bytes, size, &w);
		break;
	case 4:
		fuzz_table(bytes, size, number, &w);
		break;
	case 5:
		fuzz_info(page, &w);
		break;
	}
	free(bytes);
	return 0;
}
