/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/handover.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	AT_MAGIC = 0,
	AT_CRC = 8,
	AT_TEXT_LENGTH = 12,
	AT_IMAGE_ID = 16,
	AT_WRITE_USEC = 32,
	AT_STREAM = 40,
	AT_STORED = 48,
	AT_LOAD_USEC = 56,
	AT_ATTEMPTS = 64,
	AT_QUARANTINE_COUNT = 72,
	AT_RECORD_PLACE = 76,
	AT_RECORD_LENGTH = 80,
	AT_QUARANTINE = 128,
	RANGE_SIZE = 16,
	AT_TEXT = 1728,
};
_Static_assert(AT_QUARANTINE + HANDOVER_RANGES_MAX * RANGE_SIZE == AT_TEXT, "ranges, then text");
_Static_assert(AT_TEXT + HANDOVER_TEXT_MAX <= PAGE_SIZE_MIN, "it is one page");

static const char handover_magic[8] = "s2diskHO";

void handover_add_line(struct handover *handover, const char *format, ...)
{
	size_t used = strlen(handover->text), room = sizeof(handover->text) - used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(handover->text + used, room, format, args);
	va_end(args);
	if (length < 0 || (size_t)length + 1 >= room) {
		handover->text[used] = '\0';
		return;
	}
	handover->text[used + (size_t)length] = '\n';
	handover->text[used + (size_t)length + 1] = '\0';
}

/* The larger of the gaps after the ranges and after the text. */
static size_t record_place(const struct handover *handover, size_t *ret_room)
{
	size_t after_ranges = AT_QUARANTINE + handover->quarantine_count * RANGE_SIZE;
	size_t after_text = AT_TEXT + strlen(handover->text);
	size_t before = AT_TEXT - after_ranges, after = PAGE_SIZE_MIN - after_text;

	*ret_room = before > after ? before : after;
	return after >= before ? after_text : after_ranges;
}

size_t handover_record_room(const struct handover *handover)
{
	size_t room;

	record_place(handover, &room);
	return (size_t)min_u64(room, HANDOVER_RECORD_MAX);
}

static void put_record(const struct handover *handover, unsigned char *page)
{
	size_t length = strlen(handover->record), room;
	size_t place = record_place(handover, &room);

	if (length == 0 || length > room)
		return;
	put_le32(page + AT_RECORD_PLACE, (uint32_t)place);
	put_le32(page + AT_RECORD_LENGTH, (uint32_t)length);
	memcpy(page + place, handover->record, length);
}

/* A record that an older resume did not leave, or a newer one placed elsewhere, is no
 * reason to reject the rest. */
static void take_record(const unsigned char *page, struct handover *ret)
{
	uint32_t place = get_le32(page + AT_RECORD_PLACE);
	uint32_t length = get_le32(page + AT_RECORD_LENGTH);

	if (length > HANDOVER_RECORD_MAX || place < AT_QUARANTINE || place > PAGE_SIZE_MIN - length)
		return;
	memcpy(ret->record, page + place, length);
	text_make_printable(ret->record);
}

void handover_encode(const struct handover *handover, struct digest *crc, unsigned char *page,
		     size_t page_size)
{
	size_t length = strlen(handover->text);

	memset(page, 0, page_size);
	memcpy(page + AT_MAGIC, handover_magic, sizeof(handover_magic));
	put_le32(page + AT_TEXT_LENGTH, (uint32_t)length);
	memcpy(page + AT_IMAGE_ID, handover->image_id, IMAGE_ID_SIZE);
	put_le64(page + AT_WRITE_USEC, handover->write_usec);
	put_le64(page + AT_STREAM, handover->stream_bytes);
	put_le64(page + AT_STORED, handover->stored_bytes);
	put_le64(page + AT_LOAD_USEC, handover->load_usec);
	put_le64(page + AT_ATTEMPTS, handover->attempts);
	put_le32(page + AT_QUARANTINE_COUNT, handover->quarantine_count);
	for (size_t i = 0; i < handover->quarantine_count; i++) {
		unsigned char *at = page + AT_QUARANTINE + i * RANGE_SIZE;

		put_le64(at, handover->quarantine[i].first);
		put_le64(at + 8, handover->quarantine[i].count);
	}
	memcpy(page + AT_TEXT, handover->text, length);
	put_record(handover, page);
	digest_update(crc, page, page_size);
	put_le32(page + AT_CRC, digest_final_crc32(crc));
}

int handover_decode(const unsigned char *page, size_t page_size,
		    const unsigned char image_id[IMAGE_ID_SIZE], struct handover *ret,
		    struct why *w)
{
	uint32_t length = get_le32(page + AT_TEXT_LENGTH);
	uint32_t ranges = get_le32(page + AT_QUARANTINE_COUNT);
	struct handover handover;
	uint64_t pages = 0;
	uint32_t crc;
	int r;

	if (memcmp(page + AT_MAGIC, handover_magic, sizeof(handover_magic)) != 0 ||
	    memcmp(page + AT_IMAGE_ID, image_id, IMAGE_ID_SIZE) != 0)
		return why(w, -ENODATA, "resume left no hand-over page");
	r = crypto_crc32_around(page, page_size, AT_CRC, &crc);
	if (r == 0 && crc != get_le32(page + AT_CRC))
		r = -EBADMSG;
	if (r < 0)
		return why(w, r, "the hand-over page is damaged");
	if (length > HANDOVER_TEXT_MAX || ranges > HANDOVER_RANGES_MAX)
		return why(w, -EBADMSG, "the hand-over page says %u bytes of text, %u ranges",
			   length, ranges);
	handover = (struct handover){
		.write_usec = get_le64(page + AT_WRITE_USEC),
		.stream_bytes = get_le64(page + AT_STREAM),
		.stored_bytes = get_le64(page + AT_STORED),
		.load_usec = get_le64(page + AT_LOAD_USEC),
		.attempts = get_le64(page + AT_ATTEMPTS),
		.quarantine_count = ranges,
	};
	for (size_t i = 0; i < ranges; i++) {
		const unsigned char *at = page + AT_QUARANTINE + i * RANGE_SIZE;
		uint64_t first = get_le64(at), count = get_le64(at + 8), end;

		if (count == 0 || count > HANDOVER_PAGES_MAX - pages ||
		    !checked_add(first, count, &end) || end > UINT64_MAX / page_size)
			return why(w, -EBADMSG,
				   "the hand-over page says %" PRIu64
				   " pages from frame 0x%" PRIx64,
				   count, first);
		handover.quarantine[i] = (struct handover_range){ first, count };
		pages += count;
	}
	memcpy(handover.image_id, image_id, IMAGE_ID_SIZE);
	memcpy(handover.text, page + AT_TEXT, length);
	text_make_printable(handover.text);
	take_record(page, &handover);
	*ret = handover;
	return 0;
}
