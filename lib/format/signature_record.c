/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/signature_record.h"

#include "base/bytes.h"
#include "format/swap_signature.h"

#include <errno.h>
#include <inttypes.h>

enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_PAGE_SIZE = 12,
	AT_IMAGE_ID = 16,
	AT_HEADER = 32,
	AT_STATE = 40,
	AT_ATTEMPTS = 44,
	AT_CREATED = 48,
	AT_DIGEST = 56,
	AT_REFUSALS = 88,
	AT_VETOES = 92,
	AT_DAMAGES = 96,
	AT_MAP_REFUSALS = 100,
	AT_HANDOVER = 104,
	AT_CRC = 488,
	AT_ORIGINAL = 492,
	AT_SIGNATURE = 502,
};

_Static_assert(AT_DIGEST + SHA256_SIZE == AT_REFUSALS, "the digest ends where the rest begins");
_Static_assert(AT_SIGNATURE + SWAP_SIGNATURE_SIZE == SIGNATURE_RECORD_SIZE, "a sector");

static const char record_magic[8] = "s2diskSG";
#define RECORD_VERSION 1

static int record_crc(const unsigned char *record, uint32_t *ret)
{
	struct digest crc = { 0 };
	int r = digest_open(&crc, DIGEST_CRC32);

	if (r < 0)
		return r;
	digest_update(&crc, record, AT_CRC);
	digest_update(&crc, record + AT_ORIGINAL, SIGNATURE_RECORD_SIZE - AT_ORIGINAL);
	*ret = digest_final_crc32(&crc);
	digest_close(&crc);
	return 0;
}

bool signature_record_present(const unsigned char *page, size_t page_size)
{
	const unsigned char *record = page + page_size - SIGNATURE_RECORD_SIZE;

	return memcmp(record + AT_MAGIC, record_magic, sizeof(record_magic)) == 0;
}

int signature_record_decode(const unsigned char *page, size_t page_size,
			    struct signature_record *ret, struct why *w)
{
	const unsigned char *at = page + page_size - SIGNATURE_RECORD_SIZE;
	struct signature_record record;
	uint32_t crc;
	int r;

	if (!signature_record_present(page, page_size))
		return why_damaged(w, "the signature record is not one of s2disk's");
	r = record_crc(at, &crc);
	if (r < 0)
		return r;
	if (crc != get_le32(at + AT_CRC))
		return why_damaged(w, "the signature record is damaged (checksum %08x, not %08x)",
				   crc, get_le32(at + AT_CRC));
	if (get_le32(at + AT_VERSION) != RECORD_VERSION)
		return why_too_new(w, "the signature record has version %u, this program knows %u",
				   get_le32(at + AT_VERSION), RECORD_VERSION);

	record.page_size = get_le32(at + AT_PAGE_SIZE);
	memcpy(record.image_id, at + AT_IMAGE_ID, IMAGE_ID_SIZE);
	record.header_offset = get_le64(at + AT_HEADER);
	record.state = get_le32(at + AT_STATE);
	record.attempts = get_le32(at + AT_ATTEMPTS);
	record.created = get_le64(at + AT_CREATED);
	memcpy(record.header_digest, at + AT_DIGEST, SHA256_SIZE);
	record.refusals = get_le32(at + AT_REFUSALS);
	record.vetoes = get_le32(at + AT_VETOES);
	record.damages = get_le32(at + AT_DAMAGES);
	record.map_refusals = get_le32(at + AT_MAP_REFUSALS);
	record.handover = get_le64(at + AT_HANDOVER);

	if (record.page_size != page_size)
		return why_damaged(
			w, "the image was made with pages of %u bytes, this machine has %zu",
			record.page_size, page_size);
	if (record.header_offset == 0 || record.header_offset % page_size)
		return why_damaged(w, "the signature record says the header is at byte %" PRIu64,
				   record.header_offset);
	if (record.state != IMAGE_COMMITTED)
		return why_too_new(w, "the signature record has unknown state %u", record.state);
	*ret = record;
	return 0;
}

int signature_record_encode(const struct signature_record *record, unsigned char *page,
			    size_t page_size, struct why *w)
{
	unsigned char bytes[SIGNATURE_RECORD_SIZE] = { 0 };
	struct swap_header header;
	uint32_t crc;
	int r;

	if (swap_signature_kind(page, page_size) != SWAP_IS_SWAP ||
	    swap_header_parse(page, page_size, &header) < 0)
		return why(w, -EINVAL, "the first page of the area is not a swap header");
	if (SWAP_BAD_PAGES_AT + 4 * (uint64_t)header.bad_pages > page_size - SIGNATURE_RECORD_SIZE)
		return why(w, -EINVAL,
			   "the swap area has %u bad pages, which leaves no room for an image's "
			   "signature",
			   header.bad_pages);

	memcpy(bytes + AT_MAGIC, record_magic, sizeof(record_magic));
	put_le32(bytes + AT_VERSION, RECORD_VERSION);
	put_le32(bytes + AT_PAGE_SIZE, record->page_size);
	memcpy(bytes + AT_IMAGE_ID, record->image_id, IMAGE_ID_SIZE);
	put_le64(bytes + AT_HEADER, record->header_offset);
	put_le32(bytes + AT_STATE, record->state);
	put_le32(bytes + AT_ATTEMPTS, record->attempts);
	put_le64(bytes + AT_CREATED, record->created);
	memcpy(bytes + AT_DIGEST, record->header_digest, SHA256_SIZE);
	put_le32(bytes + AT_REFUSALS, record->refusals);
	put_le32(bytes + AT_VETOES, record->vetoes);
	put_le32(bytes + AT_DAMAGES, record->damages);
	put_le32(bytes + AT_MAP_REFUSALS, record->map_refusals);
	put_le64(bytes + AT_HANDOVER, record->handover);
	memcpy(bytes + AT_ORIGINAL, page + page_size - SWAP_SIGNATURE_SIZE, SWAP_SIGNATURE_SIZE);
	memcpy(bytes + AT_SIGNATURE, SWAP_SIGNATURE_USER, SWAP_SIGNATURE_SIZE);
	r = record_crc(bytes, &crc);
	if (r < 0)
		return r;
	put_le32(bytes + AT_CRC, crc);
	memcpy(page + page_size - SIGNATURE_RECORD_SIZE, bytes, sizeof(bytes));
	return 0;
}
