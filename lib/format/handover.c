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
	AT_BOOTS_PLACE = 84,
	AT_BOOTS_LENGTH = 88,
	AT_QUARANTINE = 128,
	RANGE_SIZE = 16,
	AT_TEXT = 1728,
};
_Static_assert(AT_QUARANTINE + HANDOVER_RANGES_MAX * RANGE_SIZE == AT_TEXT, "ranges, then text");
_Static_assert(AT_RECORD_LENGTH == AT_RECORD_PLACE + 4 && AT_BOOTS_LENGTH == AT_BOOTS_PLACE + 4,
	       "a place, then a length");
_Static_assert(AT_TEXT + HANDOVER_TEXT_MAX <= PAGE_SIZE_MIN, "it is one page");

static const char handover_magic[8] = "s2diskHO";
static const char refused_magic[8] = "s2diskRF";

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

/* Free bytes of the page: from, and up to end. */
struct gap {
	size_t from, end;
};

/* After the ranges, and after the text. */
struct gaps {
	struct gap before, after;
};

static size_t room_of(const struct gap *gap)
{
	return gap->end - gap->from;
}

static struct gaps all_gaps(const struct handover *handover)
{
	return (struct gaps){
		.before = { AT_QUARANTINE + handover->quarantine_count * RANGE_SIZE, AT_TEXT },
		.after = { AT_TEXT + strlen(handover->text), PAGE_SIZE_MIN },
	};
}

static struct gap *larger_gap(struct gaps *gaps)
{
	return room_of(&gaps->after) >= room_of(&gaps->before) ? &gaps->after : &gaps->before;
}

/* Takes that many bytes out of a gap; returns their place, 0 if they do not fit. */
static size_t take_out(struct gap *gap, size_t length)
{
	size_t place = gap->from;

	if (length == 0 || length > room_of(gap))
		return 0;
	gap->from += length;
	return place;
}

/* First of all: a record can be written shorter, a boot is whole or not there. In the smaller gap
 * if they fit, so that the record has the larger one. */
static size_t place_boots(const struct handover *handover, struct gaps *gaps)
{
	struct gap *large = larger_gap(gaps);
	struct gap *small = large == &gaps->after ? &gaps->before : &gaps->after;
	size_t place = take_out(small, handover->boots_length);

	return place ? place : take_out(large, handover->boots_length);
}

size_t handover_boots_room(const struct handover *handover)
{
	struct gaps gaps = all_gaps(handover);

	return (size_t)min_u64(room_of(larger_gap(&gaps)), HANDOVER_BOOTS_MAX);
}

size_t handover_record_room(const struct handover *handover)
{
	struct gaps gaps = all_gaps(handover);

	place_boots(handover, &gaps);
	return (size_t)min_u64(room_of(larger_gap(&gaps)), HANDOVER_RECORD_MAX);
}

static void put(unsigned char *page, size_t at, const void *bytes, size_t length, size_t place)
{
	if (place == 0)
		return;
	put_le32(page + at, (uint32_t)place);
	put_le32(page + at + 4, (uint32_t)length);
	memcpy(page + place, bytes, length);
}

static void put_boots_and_record(const struct handover *handover, unsigned char *page)
{
	struct gaps gaps = all_gaps(handover);
	size_t length = strlen(handover->record);

	put(page, AT_BOOTS_PLACE, handover->boots, handover->boots_length,
	    place_boots(handover, &gaps));
	put(page, AT_RECORD_PLACE, handover->record, length, take_out(larger_gap(&gaps), length));
}

/* Bytes whose place and length stand there; NULL if there are none. What an older resume did
 * not leave, or a newer one placed elsewhere, is no reason to reject the rest. */
static const unsigned char *find_bytes(const unsigned char *page, size_t at, uint32_t most,
				       uint32_t *ret_length)
{
	uint32_t place = get_le32(page + at), length = get_le32(page + at + 4);

	if (length == 0 || length > most || place < AT_QUARANTINE || place > PAGE_SIZE_MIN - length)
		return NULL;
	*ret_length = length;
	return page + place;
}

static void take_record(const unsigned char *page, struct handover *ret)
{
	uint32_t length;
	const unsigned char *bytes =
		find_bytes(page, AT_RECORD_PLACE, HANDOVER_RECORD_MAX, &length);

	if (!bytes)
		return;
	memcpy(ret->record, bytes, length);
	text_make_printable(ret->record);
}

static void take_boots(const unsigned char *page, struct handover *ret)
{
	uint32_t length;
	const unsigned char *bytes = find_bytes(page, AT_BOOTS_PLACE, HANDOVER_BOOTS_MAX, &length);

	if (!bytes)
		return;
	memcpy(ret->boots, bytes, length);
	ret->boots_length = length;
}

void handover_encode(const struct handover *handover, struct digest *crc, unsigned char *page,
		     size_t page_size)
{
	const char *magic = handover->refused ? refused_magic : handover_magic;
	size_t length = strlen(handover->text);

	memset(page, 0, page_size);
	memcpy(page + AT_MAGIC, magic, sizeof(handover_magic));
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
	put_boots_and_record(handover, page);
	digest_update(crc, page, page_size);
	put_le32(page + AT_CRC, digest_final_crc32(crc));
}

static int take_ranges(const unsigned char *page, size_t page_size, struct handover *ret,
		       struct why *w)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < ret->quarantine_count; i++) {
		const unsigned char *at = page + AT_QUARANTINE + i * RANGE_SIZE;
		uint64_t first = get_le64(at), count = get_le64(at + 8), end;

		if (count == 0 || count > HANDOVER_PAGES_MAX - pages ||
		    !checked_add(first, count, &end) || end > UINT64_MAX / page_size)
			return why(w, -EBADMSG,
				   "the hand-over page says %" PRIu64
				   " pages from frame 0x%" PRIx64,
				   count, first);
		ret->quarantine[i] = (struct handover_range){ first, count };
		pages += count;
	}
	return 0;
}

static int check_page(const unsigned char *page, size_t page_size,
		      const unsigned char image_id[IMAGE_ID_SIZE], const char *magic, struct why *w)
{
	uint32_t length = get_le32(page + AT_TEXT_LENGTH);
	uint32_t ranges = get_le32(page + AT_QUARANTINE_COUNT);
	uint32_t crc;
	int r;

	if (memcmp(page + AT_MAGIC, magic, sizeof(handover_magic)) != 0 ||
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
	return 0;
}

static int decode(const unsigned char *page, size_t page_size,
		  const unsigned char image_id[IMAGE_ID_SIZE], const char *magic,
		  struct handover *ret, struct why *w)
{
	struct handover handover;
	int r = check_page(page, page_size, image_id, magic, w);

	if (r < 0)
		return r;
	handover = (struct handover){
		.write_usec = get_le64(page + AT_WRITE_USEC),
		.stream_bytes = get_le64(page + AT_STREAM),
		.stored_bytes = get_le64(page + AT_STORED),
		.load_usec = get_le64(page + AT_LOAD_USEC),
		.attempts = get_le64(page + AT_ATTEMPTS),
		.quarantine_count = get_le32(page + AT_QUARANTINE_COUNT),
		.refused = magic == refused_magic,
	};
	r = take_ranges(page, page_size, &handover, w);
	if (r < 0)
		return r;
	memcpy(handover.image_id, image_id, IMAGE_ID_SIZE);
	memcpy(handover.text, page + AT_TEXT, get_le32(page + AT_TEXT_LENGTH));
	text_make_printable(handover.text);
	take_record(page, &handover);
	take_boots(page, &handover);
	*ret = handover;
	return 0;
}

int handover_decode(const unsigned char *page, size_t page_size,
		    const unsigned char image_id[IMAGE_ID_SIZE], struct handover *ret,
		    struct why *w)
{
	return decode(page, page_size, image_id, handover_magic, ret, w);
}

int handover_decode_left(const unsigned char *page, size_t page_size,
			 const unsigned char image_id[IMAGE_ID_SIZE], struct handover *ret,
			 struct why *w)
{
	bool refused = memcmp(page + AT_MAGIC, refused_magic, sizeof(refused_magic)) == 0;

	return decode(page, page_size, image_id, refused ? refused_magic : handover_magic, ret, w);
}

bool handover_place_is_ours(const unsigned char *page, size_t page_size,
			    const unsigned char image_id[IMAGE_ID_SIZE])
{
	bool written = memcmp(page + AT_MAGIC, handover_magic, sizeof(handover_magic)) == 0 ||
		       memcmp(page + AT_MAGIC, refused_magic, sizeof(refused_magic)) == 0;

	return (written && memcmp(page + AT_IMAGE_ID, image_id, IMAGE_ID_SIZE) == 0) ||
	       bytes_all_zero(page, page_size);
}
