/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signature record on disk, against bytes made by hand from doc/image-format.md: the
 * offsets below are from its tables, not from the code. */
#include "fixtures/check_main.h"
#include "format/signature_record.h"
#include "format/swap_signature.h"
#include "format_fixture.h"

#define RECORD (PAGE - 512)

static void make_swap_page(unsigned char *page, size_t size, uint32_t bad_pages)
{
	for (size_t i = 0; i < size; i++)
		page[i] = i < 1024 ? (unsigned char)i : 0;
	put_le32(page + 1024, 1);
	put_le32(page + 1028, 1000);
	put_le32(page + 1032, bad_pages);
	memcpy(page + 1036, "uuid of the area", 16);
	memcpy(page + 1052, "label", 5);
	for (uint32_t i = 0; i < bad_pages && 1536 + 4 * i < size - 10; i++)
		put_le32(page + 1536 + 4 * (size_t)i, i + 7);
	memcpy(page + size - 10, "SWAPSPACE2", 10);
}

static void seal_record(unsigned char *at)
{
	le(at + 488, 4, crc_more(crc_more(0, at, 488), at + 492, 20));
}

static void make_record(unsigned char *at, uint32_t page_size)
{
	memset(at, 0, 512);
	memcpy(at + 0, "s2diskSG", 8);
	le(at + 8, 4, 1);
	le(at + 12, 4, page_size);
	memcpy(at + 16, id, 16);
	le(at + 32, 8, 0x123450000);
	le(at + 40, 4, 1);
	le(at + 44, 4, 3);
	le(at + 48, 8, 1700000000);
	memset(at + 56, 0xd1, 32);
	le(at + 88, 4, 2);
	le(at + 92, 4, 9);
	le(at + 96, 4, 3);
	le(at + 100, 4, 14);
	le(at + 104, 8, 0x987654000);
	memcpy(at + 492, "SWAPSPACE2", 10);
	memcpy(at + 502, "ULSUSPEND\0", 10);
	seal_record(at);
}

static struct signature_record record_of(uint32_t page_size)
{
	struct signature_record record = {
		.page_size = page_size,
		.header_offset = 0x123450000,
		.state = IMAGE_COMMITTED,
		.attempts = 3,
		.created = 1700000000,
		.refusals = 2,
		.vetoes = 9,
		.damages = 3,
		.map_refusals = 14,
		.handover = 0x987654000,
	};

	memcpy(record.image_id, id, 16);
	memset(record.header_digest, 0xd1, 32);
	return record;
}

static const uint32_t page_sizes[] = { 4096, 16384, 65536 };

START_TEST(record_bytes)
{
	static unsigned char page[65536], expected[65536];
	uint32_t size = page_sizes[_i];
	struct signature_record record = record_of(size), decoded;

	make_swap_page(page, size, 3);
	memcpy(expected, page, size);
	ck_assert(!signature_record_present(page, size));
	make_record(expected + size - 512, size);
	ck_assert_int_eq(signature_record_encode(&record, page, size, NULL), 0);
	ck_assert(memcmp(page, expected, size) == 0);
	ck_assert(signature_record_present(page, size));

	memset(&decoded, 0, sizeof(decoded));
	ck_assert_int_eq(signature_record_decode(expected, size, &decoded, NULL), 0);
	ck_assert_uint_eq(decoded.page_size, size);
	ck_assert(memcmp(decoded.image_id, id, 16) == 0);
	ck_assert_uint_eq(decoded.header_offset, 0x123450000);
	ck_assert_uint_eq(decoded.state, 1);
	ck_assert_uint_eq(decoded.attempts, 3);
	ck_assert_uint_eq(decoded.created, 1700000000);
	ck_assert_uint_eq(decoded.refusals, 2);
	ck_assert_uint_eq(decoded.vetoes, 9);
	ck_assert_uint_eq(decoded.damages, 3);
	ck_assert_uint_eq(decoded.map_refusals, 14);
	ck_assert_uint_eq(decoded.handover, 0x987654000);
	ck_assert_uint_eq(signature_record_refusals(&decoded), 16);
	ck_assert(memcmp(decoded.header_digest, record.header_digest, 32) == 0);
	/* "zeroes the record's first 502 bytes and writes the original signature" */
	make_swap_page(expected, size, 3);
	ck_assert_int_eq(swap_signature_restore(page, size, SIGNATURE_RECORD_SIZE), 0);
	ck_assert(memcmp(page, expected, size) == 0);
}
END_TEST

static const struct fault record_faults[] = {
	{ 0, 1, 'S', -EBADMSG, "not one of s2disk's" },
	{ 8, 4, 0, -ENOTSUP, "version 0" },
	{ 8, 4, 2, -ENOTSUP, "version 2" },
	{ 8, 4, UINT32_MAX, -ENOTSUP, "version 4294967295" },
	{ 12, 4, 8192, -EBADMSG, "pages of 8192 bytes" },
	{ 16, 8, 0, 0, NULL },
	{ 32, 8, 0, -EBADMSG, "header is at byte 0" },
	{ 32, 8, 4095, -EBADMSG, "header is at byte 4095" },
	{ 32, 8, UINT64_MAX, -EBADMSG, "header is at byte 18446744073709551615" },
	{ 32, 8, 4096, 0, NULL },
	{ 32, 8, UINT64_MAX - 4095, 0, NULL },
	{ 40, 4, 0, -ENOTSUP, "state 0" },
	{ 40, 4, UINT32_MAX, -ENOTSUP, "state 4294967295" },
	{ 44, 4, UINT32_MAX, 0, NULL },
	{ 48, 8, UINT64_MAX, 0, NULL },
	{ 88, 8, UINT64_MAX, 0, NULL }, /* refusals, vetoes */
	{ 96, 8, UINT64_MAX, 0, NULL }, /* damages, map refusals */
	{ 487, 1, 255, 0, NULL },
};

START_TEST(record_field)
{
	const struct fault *fault = &record_faults[_i];
	struct why w = { "" };
	struct signature_record record;
	unsigned char page[PAGE];

	memset(&record, 0x5a, sizeof(record));
	make_swap_page(page, PAGE, 0);
	make_record(page + RECORD, PAGE);
	le(page + RECORD + fault->at, fault->width, fault->value);
	seal_record(page + RECORD);
	check_refused(fault, signature_record_decode(page, PAGE, &record, &w), &w);
	if (fault->error)
		check_untouched(&record, sizeof(record));
}
END_TEST

START_TEST(record_checksum_covers_all)
{
	unsigned char page[PAGE];
	struct signature_record record;

	make_swap_page(page, PAGE, 0);
	make_record(page + RECORD, PAGE);
	for (unsigned int at = RECORD; at < PAGE; at++) {
		page[at] ^= 0x10;
		ck_assert_int_eq(signature_record_decode(page, PAGE, &record, NULL), -EBADMSG);
		page[at] ^= 0x10;
	}
	ck_assert_int_eq(signature_record_decode(page, PAGE, &record, NULL), 0);
}
END_TEST

START_TEST(record_and_bad_pages)
{
	struct signature_record record = record_of(PAGE);
	unsigned char page[PAGE], before[PAGE];
	struct why w = { "" };

	make_swap_page(page, PAGE, 512);
	memcpy(before, page, PAGE);
	ck_assert_int_eq(signature_record_encode(&record, page, PAGE, NULL), 0);
	ck_assert(memcmp(page, before, RECORD) == 0);
	/* A swap header has room for 637. */
	for (uint32_t bad = 513; bad < 638; bad++) {
		make_swap_page(page, PAGE, bad);
		memcpy(before, page, PAGE);
		ck_assert_int_eq(signature_record_encode(&record, page, PAGE, &w), -EINVAL);
		ck_assert_ptr_nonnull(strstr(w.text, "bad pages"));
		ck_assert(memcmp(page, before, PAGE) == 0);
	}
	/* So large that four times the number overflows to a small one. */
	put_le32(page + 1032, 0x40000001);
	ck_assert_int_eq(signature_record_encode(&record, page, PAGE, &w), -EINVAL);
}
END_TEST

START_TEST(record_needs_a_swap_header)
{
	static const char *const signatures[] = { "S1SUSPEND", "ULSUSPEND", "swapspace2", "" };
	struct signature_record record = record_of(PAGE);
	unsigned char page[PAGE], before[PAGE];

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		make_swap_page(page, PAGE, 0);
		memset(page + PAGE - 10, 0, 10);
		memcpy(page + PAGE - 10, signatures[i], strlen(signatures[i]));
		memcpy(before, page, PAGE);
		ck_assert_int_eq(signature_record_encode(&record, page, PAGE, NULL), -EINVAL);
		ck_assert(memcmp(page, before, PAGE) == 0);
	}
	/* The old signature is kept as the original one. */
	memcpy(page + PAGE - 10, "SWAP-SPACE", 10);
	ck_assert_int_eq(signature_record_encode(&record, page, PAGE, NULL), 0);
	ck_assert(memcmp(page + RECORD + 492, "SWAP-SPACE", 10) == 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "signature_record");

	if (crypto_init(NULL) < 0)
		exit(EXIT_FAILURE);
	tcase_add_loop_test(tcase, record_bytes, 0, (int)ARRAY_SIZE(page_sizes));
	tcase_add_loop_test(tcase, record_field, 0, (int)ARRAY_SIZE(record_faults));
	tcase_add_test(tcase, record_checksum_covers_all);
	tcase_add_test(tcase, record_and_bad_pages);
	tcase_add_test(tcase, record_needs_a_swap_header);
}
