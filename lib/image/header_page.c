/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/header_page.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

enum {
	AT_MAGIC = 0,
	AT_HEADER_SIZE = 8,
	AT_PAGE_SIZE = 12,
	AT_COMPATIBLE = 16,
	AT_INCOMPATIBLE = 24,
	AT_IMAGE_ID = 32,
	AT_CREATED = 48,
	AT_BLOCK_SIZE = 56,
	AT_CHECK = 60,
	AT_STREAM_SIZE = 64,
	AT_BLOCKS = 72,
	AT_IMAGE_PAGES = 80,
	AT_METADATA_PAGES = 88,
	AT_HANDOVER = 96,
	AT_WRITE_USEC = 104,
	AT_SECTIONS_SIZE = 112,
	AT_SECTIONS_DIGEST = 120,
	AT_BODY = 152,
	AT_SECTIONS = 208,
	AT_RESERVED = 264,
	HEADER_SIZE = 1024,
};

_Static_assert(AT_SECTIONS_DIGEST + SHA256_SIZE == AT_BODY, "body map");
_Static_assert(AT_BODY + MAP_DISK_SIZE == AT_SECTIONS, "sections map");
_Static_assert(AT_SECTIONS + MAP_DISK_SIZE == AT_RESERVED, "room for sealing");

static const char header_magic[8] = "s2diskIM";

void header_page_encode(const struct image_header *header, unsigned char *page, size_t page_size)
{
	memset(page, 0, page_size);
	memcpy(page + AT_MAGIC, header_magic, sizeof(header_magic));
	put_le32(page + AT_HEADER_SIZE, HEADER_SIZE);
	put_le32(page + AT_PAGE_SIZE, header->page_size);
	put_le64(page + AT_COMPATIBLE, header->compatible);
	put_le64(page + AT_INCOMPATIBLE, header->incompatible);
	memcpy(page + AT_IMAGE_ID, header->image_id, IMAGE_ID_SIZE);
	put_le64(page + AT_CREATED, header->created);
	put_le32(page + AT_BLOCK_SIZE, header->block_size);
	put_le32(page + AT_CHECK, header->check);
	put_le64(page + AT_STREAM_SIZE, header->stream_size);
	put_le64(page + AT_BLOCKS, header->blocks);
	put_le64(page + AT_IMAGE_PAGES, header->image_pages);
	put_le64(page + AT_METADATA_PAGES, header->metadata_pages);
	put_le64(page + AT_HANDOVER, header->handover);
	put_le64(page + AT_WRITE_USEC, header->write_usec);
	put_le64(page + AT_SECTIONS_SIZE, header->sections_size);
	memcpy(page + AT_SECTIONS_DIGEST, header->sections_digest, SHA256_SIZE);
	map_encode(&header->body, page + AT_BODY);
	map_encode(&header->sections, page + AT_SECTIONS);
}

static void get_numbers(const unsigned char *page, struct image_header *header)
{
	header->page_size = get_le32(page + AT_PAGE_SIZE);
	header->compatible = get_le64(page + AT_COMPATIBLE);
	header->incompatible = get_le64(page + AT_INCOMPATIBLE);
	memcpy(header->image_id, page + AT_IMAGE_ID, IMAGE_ID_SIZE);
	header->created = get_le64(page + AT_CREATED);
	header->block_size = get_le32(page + AT_BLOCK_SIZE);
	header->check = get_le32(page + AT_CHECK);
	header->stream_size = get_le64(page + AT_STREAM_SIZE);
	header->blocks = get_le64(page + AT_BLOCKS);
	header->image_pages = get_le64(page + AT_IMAGE_PAGES);
	header->metadata_pages = get_le64(page + AT_METADATA_PAGES);
	header->handover = get_le64(page + AT_HANDOVER);
	header->write_usec = get_le64(page + AT_WRITE_USEC);
	header->sections_size = get_le64(page + AT_SECTIONS_SIZE);
	memcpy(header->sections_digest, page + AT_SECTIONS_DIGEST, SHA256_SIZE);
}

/* Is this a header that we know how to read? */
static int check_kind(const unsigned char *page, size_t page_size,
		      const struct image_header *header, struct why *w)
{
	if (memcmp(page + AT_MAGIC, header_magic, sizeof(header_magic)) != 0)
		return why(w, -EBADMSG, "the header page is not there");
	if (get_le32(page + AT_HEADER_SIZE) != HEADER_SIZE || header->page_size != page_size)
		return why(w, -EBADMSG, "the header says %u bytes in pages of %u",
			   get_le32(page + AT_HEADER_SIZE), header->page_size);
	if (header->incompatible)
		return why(w, -ENOTSUP,
			   "the image uses features (0x%" PRIx64
			   ") that this version does not know; it needs a newer s2disk",
			   header->incompatible);
	if (header->check != BLOCK_CHECK_CRC32)
		return why(w, -ENOTSUP, "the image's blocks have checks of the unknown kind %u",
			   header->check);
	return 0;
}

static int check_sizes(const struct image_header *header, uint64_t device_bytes, struct why *w)
{
	uint64_t pages;

	if (!is_power_of_two(header->block_size) || header->block_size < BLOCK_SIZE_MIN ||
	    header->block_size > BLOCK_SIZE_MAX || header->block_size < header->page_size)
		return why(w, -EBADMSG, "the header says blocks of %u bytes", header->block_size);
	if (header->stream_size % header->page_size || header->stream_size / header->page_size < 3)
		return why(w, -EBADMSG, "the header says a snapshot of %" PRIu64 " bytes",
			   header->stream_size);
	if (header->blocks != div_round_up(header->stream_size, header->block_size))
		return why(w, -EBADMSG,
			   "the header says %" PRIu64 " blocks for a snapshot of %" PRIu64 " bytes",
			   header->blocks, header->stream_size);
	/* Every block takes a page of the device at least. */
	if (header->blocks > device_bytes / header->page_size)
		return why(w, -EBADMSG,
			   "the header says %" PRIu64 " blocks on a device of %" PRIu64 " bytes",
			   header->blocks, device_bytes);
	if (!checked_add(header->image_pages, header->metadata_pages, &pages) ||
	    !checked_add(pages, 1, &pages) || pages != header->stream_size / header->page_size)
		return why(w, -EBADMSG,
			   "the header says %" PRIu64 " data and %" PRIu64
			   " metadata pages in a snapshot of %" PRIu64 " bytes",
			   header->image_pages, header->metadata_pages, header->stream_size);
	if (header->handover % header->page_size ||
	    header->handover > device_bytes - header->page_size)
		return why(w, -EBADMSG, "the header says the hand-over page is at byte %" PRIu64,
			   header->handover);
	return 0;
}

static int check_maps(const struct image_header *header, struct why *w)
{
	if (header->body.pages < header->blocks)
		return why(w, -EBADMSG, "the header says %" PRIu64 " pages for %" PRIu64 " blocks",
			   header->body.pages, header->blocks);
	if (header->sections_size == 0 || header->sections_size > SECTIONS_SIZE_MAX ||
	    header->sections.pages != div_round_up(header->sections_size, header->page_size))
		return why(w, -EBADMSG,
			   "the header says %" PRIu64 " bytes of sections on %" PRIu64 " pages",
			   header->sections_size, header->sections.pages);
	return 0;
}

int header_page_decode(const unsigned char *page, size_t page_size, uint64_t device_bytes,
		       struct image_header *ret, struct why *w)
{
	struct image_header header = { 0 };
	int r;

	if (device_bytes < page_size)
		return why(w, -EBADMSG, "the device has only %" PRIu64 " bytes", device_bytes);
	get_numbers(page, &header);
	r = check_kind(page, page_size, &header, w);
	if (r == 0)
		r = check_sizes(&header, device_bytes, w);
	if (r == 0)
		r = map_decode(page + AT_BODY, device_bytes, page_size, "body", &header.body, w);
	if (r == 0)
		r = map_decode(page + AT_SECTIONS, device_bytes, page_size, "sections",
			       &header.sections, w);
	if (r == 0)
		r = check_maps(&header, w);
	if (r == 0)
		*ret = header;
	return r;
}

uint32_t header_block_raw_size(const struct image_header *header, uint64_t block)
{
	uint64_t left = header->stream_size - block * header->block_size;

	return (uint32_t)min_u64(left, header->block_size);
}
