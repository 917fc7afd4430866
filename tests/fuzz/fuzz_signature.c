/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signature record. Input: a byte of flags, content of the swap header (12 bytes),
 * then the record. */
#include "fuzz.h"

#include "base/bytes.h"
#include "format/signature_record.h"
#include "format/swap_signature.h"

#define PAGE 4096u
#define RECORD (PAGE - SIGNATURE_RECORD_SIZE)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_assert(crypto_init(NULL) == 0);
	return 0;
}

static void make_crc_valid(unsigned char *record)
{
	unsigned char all[SIGNATURE_RECORD_SIZE - 4];
	uint32_t crc;

	memcpy(all, record, 488);
	memcpy(all + 488, record + 492, 20);
	fuzz_assert(crypto_crc32(all, sizeof(all), &crc) == 0);
	put_le32(record + 488, crc);
}

/* Whatever was accepted can be written, and is then the same. */
static void check_accepted(const struct signature_record *record)
{
	unsigned char page[PAGE] = { 0 };
	struct signature_record again;

	fuzz_assert(record->header_offset != 0 && record->header_offset % PAGE == 0);
	fuzz_assert(record->page_size == PAGE && record->state == IMAGE_COMMITTED);
	put_le32(page + 1024, 1);
	put_le32(page + 1028, 1000);
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	fuzz_assert(signature_record_encode(record, page, PAGE, NULL) == 0);
	fuzz_assert(signature_record_decode(page, PAGE, &again, NULL) == 0);
	fuzz_assert(again.header_offset == record->header_offset);
	fuzz_assert(again.attempts == record->attempts && again.created == record->created);
	fuzz_assert(memcmp(again.image_id, record->image_id, IMAGE_ID_SIZE) == 0);
	fuzz_assert(memcmp(again.header_digest, record->header_digest, SHA256_SIZE) == 0);
}

/* Restoring swap leaves the rest of the page alone, and no record. */
static void check_restore(unsigned char *page)
{
	unsigned char before[PAGE];
	size_t until = 1536;

	memcpy(before, page, PAGE);
	if (swap_signature_restore(page, PAGE, SIGNATURE_RECORD_SIZE) < 0) {
		fuzz_assert(memcmp(page, before, PAGE) == 0);
		return;
	}
	fuzz_assert(swap_signature_kind(page, PAGE) == SWAP_IS_SWAP);
	fuzz_assert(memcmp(page, before, until) == 0);
	fuzz_assert(swap_signature_restore(page, PAGE, SIGNATURE_RECORD_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char page[PAGE] = { 0 };
	struct signature_record record, other = { .page_size = PAGE, .header_offset = PAGE };
	unsigned char before[PAGE];
	struct why w = { "" };

	if (size < 13)
		return 0;
	memcpy(page + 1024, data + 1, 12);
	memcpy(page + RECORD, data + 13, min_u64(size - 13, SIGNATURE_RECORD_SIZE));
	if (data[0] & 1)
		make_crc_valid(page + RECORD);
	if (data[0] & 2)
		memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	if (signature_record_decode(page, PAGE, &record, &w) == 0)
		check_accepted(&record);
	else
		fuzz_assert(w.text[0]);
	memcpy(before, page, PAGE);
	if (signature_record_encode(&other, page, PAGE, &w) < 0)
		fuzz_assert(memcmp(before, page, PAGE) == 0);
	else
		fuzz_assert(memcmp(before, page, RECORD) == 0);
	check_restore(page);
	return 0;
}
