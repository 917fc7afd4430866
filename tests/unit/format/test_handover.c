/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/handover: the page against doc/image-format.md, and its text. */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "fixtures/check_main.h"
#include "format/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 4096u

static const unsigned char id[16] = "0123456789abcdef";
static struct digest checksum;

static void seal(unsigned char *page)
{
	uint32_t crc;

	put_le32(page + 8, 0);
	ck_assert_int_eq(crypto_crc32(page, PAGE, &crc), 0);
	put_le32(page + 8, crc);
}

static void make_page(unsigned char *page, const char *text)
{
	memset(page, 0, PAGE);
	memcpy(page, "s2diskHO", 8);
	put_le32(page + 12, (uint32_t)strlen(text));
	memcpy(page + 16, id, 16);
	put_le64(page + 32, 1111111);
	put_le64(page + 40, 2222222222222);
	put_le64(page + 48, 333333333333);
	put_le64(page + 56, 4444444);
	put_le64(page + 64, 5);
	put_le32(page + 72, 2);
	put_le64(page + 128, 0x1e000);
	put_le64(page + 136, 32);
	put_le64(page + 144, 0x20000);
	put_le64(page + 152, 1);
	memcpy(page + 1728, text, strlen(text));
	seal(page);
}

static struct handover made(void)
{
	struct handover handover = {
		.write_usec = 1111111,
		.stream_bytes = 2222222222222,
		.stored_bytes = 333333333333,
		.load_usec = 4444444,
		.attempts = 5,
		.quarantine_count = 2,
		.quarantine = { { 0x1e000, 32 }, { 0x20000, 1 } },
	};

	memcpy(handover.image_id, id, 16);
	return handover;
}

START_TEST(bytes)
{
	unsigned char page[PAGE], expected[PAGE];
	struct handover handover = made(), decoded;

	handover_add_line(&handover, "number %d", 1);
	handover_add_line(&handover, "größer");
	make_page(expected, "number 1\ngrößer\n");
	memset(page, 0xee, PAGE);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert(memcmp(page, expected, PAGE) == 0);
	memset(&decoded, 0x5a, sizeof(decoded));
	ck_assert_int_eq(handover_decode(expected, PAGE, id, &decoded, NULL), 0);
	ck_assert(memcmp(decoded.image_id, id, 16) == 0);
	ck_assert_uint_eq(decoded.write_usec, 1111111);
	ck_assert_uint_eq(decoded.stream_bytes, 2222222222222);
	ck_assert_uint_eq(decoded.stored_bytes, 333333333333);
	ck_assert_uint_eq(decoded.load_usec, 4444444);
	ck_assert_uint_eq(decoded.attempts, 5);
	ck_assert_uint_eq(decoded.quarantine_count, 2);
	ck_assert_uint_eq(decoded.quarantine[0].first, 0x1e000);
	ck_assert_uint_eq(decoded.quarantine[0].count, 32);
	ck_assert_uint_eq(decoded.quarantine[1].first, 0x20000);
	ck_assert_uint_eq(decoded.quarantine[1].count, 1);
	ck_assert_str_eq(decoded.text, "number 1\ngrößer\n");
}
END_TEST

START_TEST(large_page)
{
	static unsigned char page[65536];
	struct handover handover = made(), decoded;

	handover_add_line(&handover, "x");
	handover_encode(&handover, &checksum, page, sizeof(page));
	ck_assert_int_eq(handover_decode(page, sizeof(page), id, &decoded, NULL), 0);
	page[65535] = 1;
	ck_assert_int_eq(handover_decode(page, sizeof(page), id, &decoded, NULL), -EBADMSG);
}
END_TEST

/* A line is complete or missing. */
START_TEST(text_that_does_not_fit)
{
	struct handover handover = made();
	unsigned char page[PAGE];
	struct handover decoded;

	for (unsigned int i = 0; i < 22; i++)
		handover_add_line(&handover, "%099u", i);
	handover_add_line(&handover, "%090u", 22u);
	ck_assert_uint_eq(strlen(handover.text), 2200 + 91);
	handover_add_line(&handover, "123456789");
	ck_assert_uint_eq(strlen(handover.text), 2200 + 91);
	handover_add_line(&handover, "12345678");
	ck_assert_uint_eq(strlen(handover.text), HANDOVER_TEXT_MAX);
	handover_add_line(&handover, "%s", "");
	ck_assert_uint_eq(strlen(handover.text), HANDOVER_TEXT_MAX);
	ck_assert_str_eq(handover.text + HANDOVER_TEXT_MAX - 9, "12345678\n");
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.text, handover.text);
	/* One line longer than the whole text. */
	handover = made();
	handover_add_line(&handover, "%0*d", HANDOVER_TEXT_MAX, 0);
	ck_assert_str_eq(handover.text, "");
	handover_add_line(&handover, "%0*d", HANDOVER_TEXT_MAX - 1, 0);
	ck_assert_uint_eq(strlen(handover.text), HANDOVER_TEXT_MAX);
}
END_TEST

START_TEST(nothing_handed_over)
{
	static const unsigned char other[16] = "0123456789abcdeg";
	unsigned char page[PAGE] = { 0 };
	struct handover decoded;
	struct why w = { "" };

	memset(&decoded, 0x5a, sizeof(decoded));
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -ENODATA);
	ck_assert_ptr_nonnull(strstr(w.text, "left no hand-over"));
	memset(page, 0xff, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -ENODATA);
	make_page(page, "text\n");
	ck_assert_int_eq(handover_decode(page, PAGE, other, &decoded, &w), -ENODATA);
	ck_assert_uint_eq(*(unsigned char *)&decoded, 0x5a);
}
END_TEST

START_TEST(damage)
{
	unsigned char page[PAGE];
	struct handover decoded;
	struct why w = { "" };

	make_page(page, "text\n");
	for (unsigned int at = 0; at < PAGE; at++) {
		bool another = at < 8 || (at >= 16 && at < 32);

		page[at] ^= 0x80;
		ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w),
				 another ? -ENODATA : -EBADMSG);
		page[at] ^= 0x80;
	}
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), 0);
}
END_TEST

START_TEST(length_of_the_text)
{
	static const uint32_t too_long[] = { 2301, 2368, 2369, 0x10000000, UINT32_MAX };
	unsigned char page[PAGE];
	struct handover decoded;
	struct why w = { "" };

	for (size_t i = 0; i < ARRAY_SIZE(too_long); i++) {
		char number[16];

		make_page(page, "text\n");
		put_le32(page + 12, too_long[i]);
		seal(page);
		ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -EBADMSG);
		snprintf(number, sizeof(number), " %u bytes", too_long[i]);
		ck_assert_msg(strstr(w.text, number) != NULL, "%s", w.text);
	}
	make_page(page, "");
	memset(page + 1728, 'x', PAGE - 1728);
	put_le32(page + 12, HANDOVER_TEXT_MAX);
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), 0);
	ck_assert_uint_eq(strlen(decoded.text), HANDOVER_TEXT_MAX);
}
END_TEST

START_TEST(quarantine)
{
	static const uint32_t too_many[] = { 101, 0x10000000, UINT32_MAX };
	unsigned char page[PAGE];
	struct handover decoded;
	struct why w = { "" };

	make_page(page, "text\n");
	for (uint32_t i = 0; i < 100; i++) {
		put_le64(page + 128 + 16 * (size_t)i, i * 1000);
		put_le64(page + 136 + 16 * (size_t)i, i % 10 + 1);
	}
	put_le32(page + 72, 100);
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), 0);
	ck_assert_uint_eq(decoded.quarantine_count, 100);
	ck_assert_uint_eq(decoded.quarantine[99].first, 99000);
	ck_assert_uint_eq(decoded.quarantine[99].count, 10);
	ck_assert_str_eq(decoded.text, "text\n");
	/* More pages in all than any boot waits for. */
	put_le64(page + 136, 1024);
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -EBADMSG);
	put_le64(page + 136, 1);
	for (size_t i = 0; i < ARRAY_SIZE(too_many); i++) {
		char number[24];

		put_le32(page + 72, too_many[i]);
		seal(page);
		ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -EBADMSG);
		snprintf(number, sizeof(number), "%u ranges", too_many[i]);
		ck_assert_msg(strstr(w.text, number) != NULL, "%s", w.text);
	}
}
END_TEST

/* The loop over a range's page frames relies on its end. */
START_TEST(quarantine_that_is_none)
{
	static const struct handover_range ranges[] = {
		{ 5, 0 },
		{ 1, UINT64_MAX },
		{ UINT64_MAX, 1 },
		{ 1ull << 63, 1ull << 63 },
	};
	unsigned char page[PAGE];
	struct handover decoded;
	struct why w = { "" };

	make_page(page, "text\n");
	put_le64(page + 144, ranges[_i].first);
	put_le64(page + 152, ranges[_i].count);
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -EBADMSG);
}
END_TEST

/* It is printed to a log and to a terminal. */
START_TEST(text_becomes_printable)
{
	static const struct {
		const char *text, *printable;
	} texts[] = {
		{ "a\033[2Jb\n", "a?[2Jb\n" },
		{ "tab\there\r\n", "tab?here?\n" },
		{ "\xc2\x9b"
		  "31m\n",
		  "??31m\n" },
		{ "\xff\xfe\xc3\n", "???\n" },
	};
	unsigned char page[PAGE];
	struct handover decoded;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		make_page(page, texts[i].text);
		ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
		ck_assert_str_eq(decoded.text, texts[i].printable);
	}
	/* A zero byte ends it. */
	make_page(page, "abc\ndef\n");
	page[1728 + 3] = 0;
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.text, "abc");
}
END_TEST

#define ROOM_BEHIND (PAGE - 1728)

/* In the larger of the gaps that ranges and text leave. */
START_TEST(record)
{
	unsigned char page[PAGE];
	struct handover handover = made(), decoded;

	ck_assert_uint_eq(handover_record_room(&handover), HANDOVER_RECORD_MAX);
	snprintf(handover.record, sizeof(handover.record), "s2disk boot record 1\nrun 5\n");
	handover_add_line(&handover, "text");
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_uint_eq(get_le32(page + 76), 1728 + 5);
	ck_assert_uint_eq(get_le32(page + 80), 27);
	ck_assert(memcmp(page + 1728, "text\ns2disk boot", 16) == 0);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.record, handover.record);
	ck_assert_str_eq(decoded.text, "text\n");
	/* Much text, two ranges. */
	handover_add_line(&handover, "%01000u", 1u);
	ck_assert_uint_eq(handover_record_room(&handover), 1568);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_uint_eq(get_le32(page + 76), 160);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.record, handover.record);
	ck_assert_str_eq(decoded.text, handover.text);
	ck_assert_uint_eq(decoded.quarantine[1].first, 0x20000);
	/* Everything else takes precedence. */
	handover.quarantine_count = HANDOVER_RANGES_MAX;
	for (size_t i = 2; i < HANDOVER_RANGES_MAX; i++)
		handover.quarantine[i] = (struct handover_range){ i, 1 };
	handover_add_line(&handover, "%0*u", (int)(HANDOVER_TEXT_MAX - strlen(handover.text) - 1),
			  2u);
	ck_assert_uint_eq(handover_record_room(&handover), ROOM_BEHIND - HANDOVER_TEXT_MAX);
	snprintf(handover.record, sizeof(handover.record), "%0*u",
		 (int)(ROOM_BEHIND - HANDOVER_TEXT_MAX), 3u);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.record, handover.record);
	snprintf(handover.record, sizeof(handover.record), "%0*u",
		 (int)(ROOM_BEHIND - HANDOVER_TEXT_MAX + 1), 3u);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.record, "");
	ck_assert_str_eq(decoded.text, handover.text);
	ck_assert_uint_eq(decoded.quarantine_count, HANDOVER_RANGES_MAX);
}
END_TEST

/* Then there is none; the rest of the page is still valid. */
START_TEST(record_that_is_none)
{
	static const struct {
		uint32_t place, length;
		bool taken;
	} records[] = {
		{ 2048, 2048, true },	     { 128, 1, true },
		{ 127, 1, false },	     { 0, 5, false },
		{ 2049, 2048, false },	     { 128, 2049, false },
		{ UINT32_MAX, 2, false },    { 4096, 1, false },
		{ 4095, 1, true },	     { 128, UINT32_MAX, false },
		{ 0xfffff800, 2048, false },
	};
	unsigned char page[PAGE];
	struct handover decoded;

	make_page(page, "text\n");
	memset(page + 2000, 'r', PAGE - 2000);
	put_le32(page + 76, records[_i].place);
	put_le32(page + 80, records[_i].length);
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.text, "text\n");
	ck_assert_uint_eq(decoded.quarantine_count, 2);
	if (!records[_i].taken)
		ck_assert_str_eq(decoded.record, "");
	else if (records[_i].place > 2000)
		ck_assert_uint_eq(strlen(decoded.record), records[_i].length);
}
END_TEST

static void set_boots(struct handover *handover, uint32_t length)
{
	handover->boots_length = length;
	memset(handover->boots, 'b', length);
}

/* In the smaller of the gaps if they fit, and before the record. */
START_TEST(boots)
{
	unsigned char page[PAGE];
	struct handover handover = made(), decoded;

	ck_assert_uint_eq(handover_boots_room(&handover), HANDOVER_BOOTS_MAX);
	set_boots(&handover, 5);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_uint_eq(get_le32(page + 84), 160);
	ck_assert_uint_eq(get_le32(page + 88), 5);
	ck_assert_mem_eq(page + 160, "bbbbb\0", 6);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_uint_eq(decoded.boots_length, 5);
	ck_assert_mem_eq(decoded.boots, "bbbbb", 5);
	ck_assert(!decoded.refused);
	/* The longest record takes nothing from them, nor they from it while both have a gap. */
	ck_assert_uint_eq(handover_record_room(&handover), HANDOVER_RECORD_MAX);
	snprintf(handover.record, sizeof(handover.record), "%0*u", HANDOVER_RECORD_MAX, 1u);
	ck_assert_uint_eq(handover_boots_room(&handover), HANDOVER_BOOTS_MAX);
	set_boots(&handover, 1728 - 160);
	ck_assert_uint_eq(handover_record_room(&handover), HANDOVER_RECORD_MAX);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_uint_eq(get_le32(page + 84), 160);
	ck_assert_uint_eq(get_le32(page + 76), 1728);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_uint_eq(decoded.boots_length, 1728 - 160);
	ck_assert_mem_eq(decoded.boots, handover.boots, 1728 - 160);
	ck_assert_str_eq(decoded.record, handover.record);
	ck_assert_uint_eq(decoded.quarantine[1].first, 0x20000);
	/* More of them leave it the other gap. */
	set_boots(&handover, 1728 - 159);
	ck_assert_uint_eq(handover_record_room(&handover), 1728 - 160);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_uint_eq(decoded.boots_length, 1728 - 159);
	ck_assert_str_eq(decoded.record, "");
	handover.record[1728 - 160] = '\0';
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_uint_eq(decoded.boots_length, 1728 - 159);
	ck_assert_str_eq(decoded.record, handover.record);
	/* Text and ranges come before both. */
	handover_add_line(&handover, "%0*u", HANDOVER_TEXT_MAX - 1, 1u);
	ck_assert_uint_eq(handover_boots_room(&handover), 1728 - 160);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_uint_eq(decoded.boots_length, 0);
	ck_assert_str_eq(decoded.text, handover.text);
	ck_assert_str_eq(decoded.record, handover.record);
}
END_TEST

START_TEST(boots_that_are_none)
{
	static const struct {
		uint32_t place, length;
	} wrongs[] = { { 127, 1 },	  { 0, 5 },    { 2049, 2048 },	   { 128, 2049 },
		       { UINT32_MAX, 2 }, { 4096, 1 }, { 128, UINT32_MAX } };
	unsigned char page[PAGE];
	struct handover decoded;

	make_page(page, "text\n");
	put_le32(page + 84, wrongs[_i].place);
	put_le32(page + 88, wrongs[_i].length);
	seal(page);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, NULL), 0);
	ck_assert_str_eq(decoded.text, "text\n");
	ck_assert_uint_eq(decoded.boots_length, 0);
}
END_TEST

/* Never taken for that of a boot that restored the image. */
START_TEST(page_of_a_refusal)
{
	static const unsigned char other[16] = "0123456789abcdeg";
	unsigned char page[PAGE];
	struct handover handover = { .refused = true }, decoded;
	struct why w = { "" };

	memcpy(handover.image_id, id, 16);
	set_boots(&handover, 40);
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_mem_eq(page, "s2diskRF", 8);
	ck_assert_int_eq(handover_decode(page, PAGE, id, &decoded, &w), -ENODATA);
	ck_assert_ptr_nonnull(strstr(w.text, "left no hand-over"));
	ck_assert_int_eq(handover_decode_left(page, PAGE, id, &decoded, &w), 0);
	ck_assert(decoded.refused);
	ck_assert_uint_eq(decoded.boots_length, 40);
	ck_assert_mem_eq(decoded.boots, handover.boots, 40);
	ck_assert_int_eq(handover_decode_left(page, PAGE, other, &decoded, &w), -ENODATA);
	/* A write that was torn: whatever part of the page is old. */
	for (size_t cut = 0; cut <= 1024; cut += 512) {
		unsigned char torn[PAGE];

		memset(torn, 'o', PAGE);
		memcpy(torn, page, cut);
		ck_assert_int_lt(handover_decode_left(torn, PAGE, id, &decoded, &w), 0);
	}
	page[200] ^= 1;
	ck_assert_int_eq(handover_decode_left(page, PAGE, id, &decoded, &w), -EBADMSG);
	/* That of a boot that tried. */
	handover.refused = false;
	handover_encode(&handover, &checksum, page, PAGE);
	ck_assert_int_eq(handover_decode_left(page, PAGE, id, &decoded, &w), 0);
	ck_assert(!decoded.refused);
	memset(page, 0, PAGE);
	ck_assert_int_eq(handover_decode_left(page, PAGE, id, &decoded, &w), -ENODATA);
}
END_TEST

/* All zeros, or either magic with the image's id. */
START_TEST(whose_place)
{
	unsigned char page[PAGE] = { 0 };

	ck_assert(handover_place_is_ours(page, PAGE, id));
	page[PAGE - 1] = 1;
	ck_assert(!handover_place_is_ours(page, PAGE, id));
	make_page(page, "text\n");
	page[PAGE - 1] ^= 1;
	ck_assert(handover_place_is_ours(page, PAGE, id));
	memcpy(page, "s2diskRF", 8);
	ck_assert(handover_place_is_ours(page, PAGE, id));
	page[16] ^= 1;
	ck_assert(!handover_place_is_ours(page, PAGE, id));
	page[16] ^= 1;
	page[7] ^= 1;
	ck_assert(!handover_place_is_ours(page, PAGE, id));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "handover");

	if (crypto_init(NULL) < 0 || digest_open(&checksum, DIGEST_CRC32) < 0)
		exit(EXIT_FAILURE);
	tcase_add_test(tcase, whose_place);
	tcase_add_test(tcase, bytes);
	tcase_add_test(tcase, large_page);
	tcase_add_test(tcase, text_that_does_not_fit);
	tcase_add_test(tcase, nothing_handed_over);
	tcase_add_test(tcase, damage);
	tcase_add_test(tcase, length_of_the_text);
	tcase_add_test(tcase, quarantine);
	tcase_add_loop_test(tcase, quarantine_that_is_none, 0, 4);
	tcase_add_test(tcase, text_becomes_printable);
	tcase_add_test(tcase, record);
	tcase_add_loop_test(tcase, record_that_is_none, 0, 11);
	tcase_add_test(tcase, boots);
	tcase_add_loop_test(tcase, boots_that_are_none, 0, 7);
	tcase_add_test(tcase, page_of_a_refusal);
}
