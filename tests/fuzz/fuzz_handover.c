/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hand-over page, with a valid checksum. */
#include "fuzz.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "format/handover.h"

#define PAGE 4096u

static struct digest checksum;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_assert(crypto_init(NULL) == 0);
	fuzz_assert(digest_open(&checksum, DIGEST_CRC32) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char id[IMAGE_ID_SIZE] = "an image's id..";
	unsigned char page[PAGE] = { 0 }, again[PAGE];
	struct handover handover, second;
	struct why w = { "" };
	uint32_t crc;

	memcpy(page, data, min_u64(size, PAGE));
	memcpy(page, "s2diskHO", 8);
	memcpy(page + 16, id, sizeof(id));
	put_le32(page + 8, 0);
	fuzz_assert(crypto_crc32(page, PAGE, &crc) == 0);
	put_le32(page + 8, crc);
	if (handover_decode(page, PAGE, id, &handover, &w) < 0) {
		fuzz_assert(w.text[0]);
		return 0;
	}
	fuzz_assert(strlen(handover.text) <= HANDOVER_TEXT_MAX);
	for (const char *c = handover.text; *c; c++)
		fuzz_assert((unsigned char)*c >= ' ' || *c == '\n');
	fuzz_assert(strlen(handover.record) <= HANDOVER_RECORD_MAX);
	for (const char *c = handover.record; *c; c++)
		fuzz_assert((unsigned char)*c >= ' ' || *c == '\n');
	/* The record may not fit in its original place. */
	if (strlen(handover.record) > handover_record_room(&handover))
		handover.record[0] = '\0';
	/* What was read can be written and read again. */
	handover_encode(&handover, &checksum, again, PAGE);
	fuzz_assert(handover_decode(again, PAGE, id, &second, &w) == 0);
	fuzz_assert(strcmp(handover.text, second.text) == 0);
	fuzz_assert(strcmp(handover.record, second.record) == 0);
	/* Including the bytes past the end. */
	memcpy(second.text, handover.text, sizeof(second.text));
	memcpy(second.record, handover.record, sizeof(second.record));
	fuzz_assert(memcmp(&handover, &second, sizeof(second)) == 0);
	handover_add_line(&handover, "%s", second.text);
	fuzz_assert(strlen(handover.text) <= HANDOVER_TEXT_MAX);
	return 0;
}
