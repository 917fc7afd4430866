/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/header_page.h"

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
	AT_CIPHER = 264,
	AT_SLOTS = 268,
	AT_RESERVED = 288,
	HEADER_SIZE = 1024, /* followed by the slots */
};

_Static_assert(AT_SECTIONS_DIGEST + SHA256_SIZE == AT_BODY, "body extents");
_Static_assert(AT_BODY + EXTENT_ROOT_SIZE == AT_SECTIONS, "sections extents");
_Static_assert(AT_SECTIONS + EXTENT_ROOT_SIZE == AT_CIPHER, "what sealing needs");
_Static_assert(AT_BLOCK_SIZE == HEADER_SEALED_AT, "what asking for the key needs is not sealed");
_Static_assert(HEADER_SEALED_AT + HEADER_SEALED_SIZE == AT_CIPHER, "all the rest is");
_Static_assert(HEADER_TAG_AT + AEAD_TAG_SIZE == AT_RESERVED, "the tag");
_Static_assert(HEADER_SLOTS_AT + KEY_SLOTS_MAX * KEY_SLOT_SIZE <= PAGE_SIZE_MIN, "fits a page");

static const char header_magic[8] = "s2diskIM";

static uint32_t header_size(uint32_t slots)
{
	return HEADER_SIZE + slots * KEY_SLOT_SIZE;
}

void header_page_encode(const struct image_header *header, unsigned char *page, size_t page_size)
{
	memset(page, 0, page_size);
	memcpy(page + AT_MAGIC, header_magic, sizeof(header_magic));
	put_le32(page + AT_HEADER_SIZE, header_size(header->slots));
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
	extent_root_encode(&header->body, page + AT_BODY);
	extent_root_encode(&header->sections, page + AT_SECTIONS);
	if (header_sealed(header)) {
		put_le32(page + AT_CIPHER, header->cipher);
		put_le32(page + AT_SLOTS, header->slots);
	}
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

static int check_front(const unsigned char *page, struct header_front *front, struct why *w)
{
	uint32_t cipher = get_le32(page + AT_CIPHER), slots = get_le32(page + AT_SLOTS);

	if (cipher < AEAD_AES256_OCB || cipher > AEAD_CHACHA20_POLY1305)
		return why_too_new(w, "the image is sealed with unknown cipher %u", cipher);
	if (slots == 0 || slots > KEY_SLOTS_MAX)
		return why_damaged(w, "the header says %u key slots", slots);
	front->cipher = (enum aead_kind)cipher;
	front->slots = slots;
	front->at = page + HEADER_SLOTS_AT;
	return 0;
}

int header_page_front(const unsigned char *page, size_t page_size, struct header_front *ret,
		      struct why *w)
{
	uint64_t incompatible = get_le64(page + AT_INCOMPATIBLE);
	struct header_front front = {
		.created = get_le64(page + AT_CREATED),
		.sealed = incompatible & FEATURE_SEALED,
	};
	int r = 0;

	if (memcmp(page + AT_MAGIC, header_magic, sizeof(header_magic)) != 0)
		return why_damaged(w, "the header page is missing");
	if (get_le32(page + AT_PAGE_SIZE) == page_size && incompatible & ~FEATURE_SEALED)
		return why_too_new(w,
				   "the image uses features (0x%" PRIx64
				   ") that this version does not know; it needs a newer s2disk",
				   incompatible & ~FEATURE_SEALED);
	if (front.sealed)
		r = check_front(page, &front, w);
	if (r < 0)
		return r;
	if (get_le32(page + AT_PAGE_SIZE) == page_size &&
	    get_le32(page + AT_HEADER_SIZE) > header_size(front.slots))
		return why_too_new(
			w,
			"the header has %u bytes, this version knows %u; it needs a newer "
			"s2disk",
			get_le32(page + AT_HEADER_SIZE), header_size(front.slots));
	if (get_le32(page + AT_HEADER_SIZE) != header_size(front.slots) ||
	    get_le32(page + AT_PAGE_SIZE) != page_size)
		return why_damaged(w, "the header says %u bytes in pages of %u",
				   get_le32(page + AT_HEADER_SIZE), get_le32(page + AT_PAGE_SIZE));
	memcpy(front.image_id, page + AT_IMAGE_ID, IMAGE_ID_SIZE);
	*ret = front;
	return 0;
}

/* Is this a header version that this program reads? */
static int check_kind(const unsigned char *page, size_t page_size, struct image_header *header,
		      struct why *w)
{
	struct header_front front;
	int r = header_page_front(page, page_size, &front, w);

	if (r < 0)
		return r;
	if (header->check != (front.sealed ? BLOCK_CHECK_SEAL : BLOCK_CHECK_CRC32))
		return why_too_new(w, "the image's blocks have checks of unknown kind %u",
				   header->check);
	header->cipher = front.cipher;
	header->slots = front.slots;
	return 0;
}

bool block_size_valid(uint32_t size)
{
	return is_power_of_two(size) && size >= BLOCK_SIZE_MIN && size <= BLOCK_SIZE_MAX;
}

static int check_sizes(const struct image_header *header, uint64_t device_bytes, struct why *w)
{
	uint64_t pages;

	if (!block_size_valid(header->block_size) || header->block_size < header->page_size)
		return why_damaged(w, "the header says blocks of %u bytes", header->block_size);
	if (header->stream_size % header->page_size || header->stream_size / header->page_size < 3)
		return why_damaged(w, "the header says a snapshot of %" PRIu64 " bytes",
				   header->stream_size);
	if (header->blocks != div_round_up(header->stream_size, header->block_size))
		return why_damaged(w,
				   "the header says %" PRIu64 " blocks for a snapshot of %" PRIu64
				   " bytes",
				   header->blocks, header->stream_size);
	/* Every block takes at least one page of the device. */
	if (header->blocks > device_bytes / header->page_size)
		return why_class(w, WHY_FOREIGN, -ENXIO,
				 "the header says %" PRIu64 " blocks, the device has only %" PRIu64
				 " bytes now",
				 header->blocks, device_bytes);
	if (!checked_add(header->image_pages, header->metadata_pages, &pages) ||
	    !checked_add(pages, 1, &pages) || pages != header->stream_size / header->page_size)
		return why_damaged(w,
				   "the header says %" PRIu64 " data and %" PRIu64
				   " metadata pages in a snapshot of %" PRIu64 " bytes",
				   header->image_pages, header->metadata_pages,
				   header->stream_size);
	if (header->handover % header->page_size)
		return why_damaged(w, "the header says the hand-over page is at byte %" PRIu64,
				   header->handover);
	if (header->handover > device_bytes - header->page_size)
		return why_class(w, WHY_FOREIGN, -ENXIO,
				 "the header says the hand-over page is at byte %" PRIu64
				 ", the device has only %" PRIu64 " bytes now",
				 header->handover, device_bytes);
	return 0;
}

static int check_roots(const struct image_header *header, struct why *w)
{
	if (header->body.pages < header->blocks)
		return why_damaged(w, "the header says %" PRIu64 " pages for %" PRIu64 " blocks",
				   header->body.pages, header->blocks);
	if (header->sections_size == 0 || header->sections_size > SECTIONS_SIZE_MAX ||
	    header->sections.pages != div_round_up(header->sections_size, header->page_size))
		return why_damaged(w,
				   "the header says %" PRIu64 " bytes of sections on %" PRIu64
				   " pages",
				   header->sections_size, header->sections.pages);
	return 0;
}

int header_page_decode(const unsigned char *page, size_t page_size, uint64_t device_bytes,
		       struct image_header *ret, struct why *w)
{
	struct image_header header = { 0 };
	int r;

	if (device_bytes < page_size)
		return why_damaged(w, "the device has only %" PRIu64 " bytes", device_bytes);
	get_numbers(page, &header);
	r = check_kind(page, page_size, &header, w);
	if (r == 0)
		r = check_sizes(&header, device_bytes, w);
	if (r == 0)
		r = extent_root_decode(page + AT_BODY, device_bytes, page_size, "body",
				       &header.body, w);
	if (r == 0)
		r = extent_root_decode(page + AT_SECTIONS, device_bytes, page_size, "sections",
				       &header.sections, w);
	if (r == 0)
		r = check_roots(&header, w);
	if (r == 0)
		*ret = header;
	return r;
}

uint32_t header_block_raw_size(const struct image_header *header, uint64_t block)
{
	uint64_t left = header->stream_size - block * header->block_size;

	return (uint32_t)min_u64(left, header->block_size);
}
