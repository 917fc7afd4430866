/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hand-over page, with a valid checksum, and what boots left in it. */
#include "fuzz.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "format/handover.h"
#include "history/maps/boots_seen.h"

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

/* What is accepted can be written and read again. */
static void fuzz_boots(const unsigned char *bytes, size_t length)
{
	unsigned char again[HANDOVER_BOOTS_MAX];
	struct boots_seen seen, second;
	struct why w = { "" };
	size_t again_length;

	if (boots_seen_decode(bytes, length, &seen, &w) < 0) {
		fuzz_assert(w.text[0]);
		return;
	}
	for (size_t i = 0; i < seen.items.count; i++)
		fuzz_assert(memory_map_valid(&seen.items.items[i].memory.map));
	fuzz_assert(boots_seen_encode(&seen, again, sizeof(again), &again_length) == 0);
	fuzz_assert(boots_seen_decode(again, again_length, &second, &w) == 0);
	fuzz_assert(second.items.count <= seen.items.count);
	boots_seen_free(&seen);
	boots_seen_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char id[IMAGE_ID_SIZE] = "an image's id..";
	unsigned char page[PAGE] = { 0 }, again[PAGE];
	struct handover handover, second;
	struct why w = { "" };
	uint32_t crc;

	memcpy(page, data, min_u64(size, PAGE));
	memcpy(page, page[0] == 'R' ? "s2diskRF" : "s2diskHO", 8);
	memcpy(page + 16, id, sizeof(id));
	put_le32(page + 8, 0);
	fuzz_assert(crypto_crc32(page, PAGE, &crc) == 0);
	put_le32(page + 8, crc);
	if (handover_decode_left(page, PAGE, id, &handover, &w) < 0) {
		fuzz_assert(w.text[0]);
		return 0;
	}
	fuzz_assert(strlen(handover.text) <= HANDOVER_TEXT_MAX);
	for (const char *c = handover.text; *c; c++)
		fuzz_assert((unsigned char)*c >= ' ' || *c == '\n');
	fuzz_assert(strlen(handover.record) <= HANDOVER_RECORD_MAX);
	for (const char *c = handover.record; *c; c++)
		fuzz_assert((unsigned char)*c >= ' ' || *c == '\n');
	fuzz_boots(handover.boots, handover.boots_length);
	/* These may not fit in their original place. */
	if (handover.boots_length > handover_boots_room(&handover))
		handover.boots_length = 0;
	if (strlen(handover.record) > handover_record_room(&handover))
		handover.record[0] = '\0';
	/* What was read can be written and read again. */
	handover_encode(&handover, &checksum, again, PAGE);
	fuzz_assert(handover_decode_left(again, PAGE, id, &second, &w) == 0);
	fuzz_assert((handover_decode(again, PAGE, id, &second, &w) < 0) == handover.refused);
	fuzz_assert(strcmp(handover.text, second.text) == 0);
	fuzz_assert(strcmp(handover.record, second.record) == 0);
	/* Including the bytes past the end. */
	memcpy(second.text, handover.text, sizeof(second.text));
	memcpy(second.record, handover.record, sizeof(second.record));
	fuzz_assert(memcmp(handover.boots, second.boots, handover.boots_length) == 0);
	memcpy(second.boots, handover.boots, sizeof(second.boots));
	fuzz_assert(memcmp(&handover, &second, sizeof(second)) == 0);
	handover_add_line(&handover, "%s", second.text);
	fuzz_assert(strlen(handover.text) <= HANDOVER_TEXT_MAX);
	return 0;
}
