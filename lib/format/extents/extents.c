/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/extents/extents.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

enum {
	ROOT_FIRST = 0,
	ROOT_CHUNKS = 8,
	ROOT_PAGES = 16,
	ROOT_DIGEST = 24,
};
_Static_assert(ROOT_DIGEST + SHA256_SIZE == EXTENT_ROOT_SIZE, "the root on disk");

enum {
	CHUNK_MAGIC = 0,
	CHUNK_EXTENTS = 8,
	CHUNK_CRC = 12,
	CHUNK_NEXT = 16,
	CHUNK_INDEX = 24,
	CHUNK_FIRST_PAGE = 32,
	CHUNK_IMAGE_ID = 48,
	CHUNK_TABLE = 64,
	EXTENT_SIZE = 16,
};
_Static_assert(CHUNK_IMAGE_ID + IMAGE_ID_SIZE == CHUNK_TABLE, "the table follows the id");

static const char chunk_magic[8] = "s2diskEX";

void extent_root_encode(const struct extent_root *root, unsigned char *at)
{
	put_le64(at + ROOT_FIRST, root->first_chunk);
	put_le64(at + ROOT_CHUNKS, root->chunks);
	put_le64(at + ROOT_PAGES, root->pages);
	memcpy(at + ROOT_DIGEST, root->digest, SHA256_SIZE);
}

int extent_root_decode(const unsigned char *at, uint64_t device_bytes, size_t page_size,
		       const char *name, struct extent_root *ret, struct why *w)
{
	struct extent_root root = {
		.first_chunk = get_le64(at + ROOT_FIRST),
		.chunks = get_le64(at + ROOT_CHUNKS),
		.pages = get_le64(at + ROOT_PAGES),
	};

	memcpy(root.digest, at + ROOT_DIGEST, SHA256_SIZE);
	if (root.pages > device_bytes / page_size)
		return why_class(w, WHY_FOREIGN, -ENXIO,
				 "the %s map says %" PRIu64 " pages, the device has only %" PRIu64
				 " now",
				 name, root.pages, device_bytes / page_size);
	if (root.chunks > root.pages || (root.chunks == 0) != (root.pages == 0))
		return why_damaged(w, "the %s map says %" PRIu64 " chunks for %" PRIu64 " pages",
				   name, root.chunks, root.pages);
	if ((root.first_chunk == 0) != (root.chunks == 0) || root.first_chunk % page_size)
		return why_damaged(w, "the %s map begins at byte %" PRIu64, name, root.first_chunk);
	*ret = root;
	return 0;
}

size_t chunk_capacity(size_t page_size)
{
	return (page_size - CHUNK_TABLE) / EXTENT_SIZE;
}

struct extent chunk_get_extent(const unsigned char *page, size_t index)
{
	const unsigned char *at = page + CHUNK_TABLE + index * EXTENT_SIZE;

	return (struct extent){ .offset = get_le64(at), .pages = get_le64(at + 8) };
}

void chunk_put_extent(unsigned char *page, size_t index, struct extent extent)
{
	unsigned char *at = page + CHUNK_TABLE + index * EXTENT_SIZE;

	put_le64(at, extent.offset);
	put_le64(at + 8, extent.pages);
}

int chunk_seal(const struct chunk_header *header, unsigned char *page, size_t page_size)
{
	uint32_t crc;
	int r;

	memset(page, 0, CHUNK_TABLE);
	memcpy(page + CHUNK_MAGIC, chunk_magic, sizeof(chunk_magic));
	put_le32(page + CHUNK_EXTENTS, header->extents);
	put_le64(page + CHUNK_NEXT, header->next);
	put_le64(page + CHUNK_INDEX, header->index);
	put_le64(page + CHUNK_FIRST_PAGE, header->first_page);
	memcpy(page + CHUNK_IMAGE_ID, header->image_id, IMAGE_ID_SIZE);
	r = crypto_crc32_around(page, page_size, CHUNK_CRC, &crc);
	if (r < 0)
		return r;
	put_le32(page + CHUNK_CRC, crc);
	return 0;
}

/* The extents themselves: aligned, within the device, not empty. */
static int check_extents(const unsigned char *page, size_t page_size, uint64_t device_bytes,
			 const char *name, const struct chunk_header *header, uint64_t *ret_pages,
			 struct why *w)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < header->extents; i++) {
		struct extent extent = chunk_get_extent(page, i);
		uint64_t length, end;

		if (extent.pages == 0 || extent.offset % page_size ||
		    !checked_mul(extent.pages, page_size, &length) ||
		    !checked_add(extent.offset, length, &end))
			return why_damaged(w,
					   "extent %zu of chunk %" PRIu64 " of the %s map (%" PRIu64
					   " pages at byte %" PRIu64 ") is not on the device",
					   i, header->index, name, extent.pages, extent.offset);
		if (end > device_bytes)
			return why_class(w, WHY_FOREIGN, -ENXIO,
					 "extent %zu of chunk %" PRIu64 " of the %s map (%" PRIu64
					 " pages at byte %" PRIu64
					 ") is beyond the device, which has only %" PRIu64
					 " bytes now",
					 i, header->index, name, extent.pages, extent.offset,
					 device_bytes);
		pages += extent.pages;
	}
	*ret_pages = pages;
	return 0;
}

int chunk_decode(const unsigned char *page, size_t page_size, uint64_t device_bytes,
		 const struct chunk_header *expected, const char *name, struct chunk_header *ret,
		 uint64_t *ret_pages, struct why *w)
{
	struct chunk_header header = {
		.extents = get_le32(page + CHUNK_EXTENTS),
		.next = get_le64(page + CHUNK_NEXT),
		.index = get_le64(page + CHUNK_INDEX),
		.first_page = get_le64(page + CHUNK_FIRST_PAGE),
	};
	uint32_t crc;
	int r;

	memcpy(header.image_id, page + CHUNK_IMAGE_ID, IMAGE_ID_SIZE);
	if (memcmp(page + CHUNK_MAGIC, chunk_magic, sizeof(chunk_magic)) != 0)
		return why_damaged(w, "extent chunk %" PRIu64 " of the %s map is missing",
				   expected->index, name);
	r = crypto_crc32_around(page, page_size, CHUNK_CRC, &crc);
	if (r < 0)
		return r;
	if (crc != get_le32(page + CHUNK_CRC))
		return why_damaged(w, "extent chunk %" PRIu64 " of the %s map is damaged",
				   expected->index, name);
	if (memcmp(header.image_id, expected->image_id, IMAGE_ID_SIZE) != 0 ||
	    header.index != expected->index || header.first_page != expected->first_page)
		return why_damaged(w,
				   "extent chunk %" PRIu64 " of the %s map belongs somewhere else",
				   expected->index, name);
	if (header.extents == 0 || header.extents > chunk_capacity(page_size) ||
	    header.next % page_size)
		return why_damaged(w,
				   "extent chunk %" PRIu64
				   " of the %s map says %u extents, next at %" PRIu64,
				   expected->index, name, header.extents, header.next);
	r = check_extents(page, page_size, device_bytes, name, &header, ret_pages, w);
	if (r < 0)
		return r;
	*ret = header;
	return 0;
}
