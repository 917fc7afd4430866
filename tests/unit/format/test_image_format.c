/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header page and the extent chunks on disk, against bytes made by hand from
 * doc/image-format.md: the offsets below are from its tables, not from the code. */
#include "fixtures/check_main.h"
#include "format/extents/extents.h"
#include "format/header_page.h"
#include "format_fixture.h"

#define DEVICE (256 * (uint64_t)PAGE)

/* The header page: 40 pages in three blocks, the last of half a size. */

static void make_map(unsigned char *at, uint64_t first, uint64_t chunks, uint64_t pages)
{
	le(at, 8, first);
	le(at + 8, 8, chunks);
	le(at + 16, 8, pages);
	memset(at + 24, 0xd3, 32);
}

static void make_header(unsigned char *page)
{
	memset(page, 0, PAGE);
	memcpy(page, "s2diskIM", 8);
	le(page + 8, 4, 1024);
	le(page + 12, 4, PAGE);
	memcpy(page + 32, id, 16);
	le(page + 48, 8, 1700000000);
	le(page + 56, 4, 65536);
	le(page + 60, 4, 1);
	le(page + 64, 8, 40 * PAGE);
	le(page + 72, 8, 3);
	le(page + 80, 8, 38);
	le(page + 88, 8, 1);
	le(page + 96, 8, 9 * PAGE);
	le(page + 104, 8, 1234567);
	le(page + 112, 8, 5000);
	memset(page + 120, 0xd2, 32);
	make_map(page + 152, 2 * PAGE, 1, 20);
	make_map(page + 208, 5 * PAGE, 1, 2);
}

static struct image_header header_of(void)
{
	struct image_header header = {
		.page_size = PAGE,
		.created = 1700000000,
		.block_size = 65536,
		.check = BLOCK_CHECK_CRC32,
		.stream_size = 40 * PAGE,
		.blocks = 3,
		.image_pages = 38,
		.metadata_pages = 1,
		.handover = 9 * PAGE,
		.write_usec = 1234567,
		.sections_size = 5000,
		.body = { .first_chunk = 2 * PAGE, .chunks = 1, .pages = 20 },
		.sections = { .first_chunk = 5 * PAGE, .chunks = 1, .pages = 2 },
	};

	memcpy(header.image_id, id, 16);
	memset(header.sections_digest, 0xd2, 32);
	memset(header.body.digest, 0xd3, 32);
	memset(header.sections.digest, 0xd3, 32);
	return header;
}

START_TEST(header_bytes)
{
	unsigned char page[PAGE], expected[PAGE], again[PAGE];
	struct image_header header = header_of(), decoded;

	memset(page, 0xee, PAGE);
	header_page_encode(&header, page, PAGE);
	make_header(expected);
	ck_assert(memcmp(page, expected, PAGE) == 0);
	ck_assert_int_eq(header_page_decode(expected, PAGE, DEVICE, &decoded, NULL), 0);
	header_page_encode(&decoded, again, PAGE);
	ck_assert(memcmp(again, expected, PAGE) == 0);
	ck_assert_uint_eq(decoded.stream_size, 40 * PAGE);
	ck_assert_uint_eq(decoded.write_usec, 1234567);
	ck_assert_uint_eq(header_block_raw_size(&decoded, 0), 65536);
	ck_assert_uint_eq(header_block_raw_size(&decoded, 2), 32768);
}
END_TEST

static const struct fault header_faults[] = {
	{ 0, 1, 'S', -EBADMSG, "header page is missing" },
	{ 8, 4, 1023, -EBADMSG, "says 1023 bytes" },
	{ 8, 4, 1025, -ENOTSUP, "1025 bytes, this version knows 1024" },
	{ 12, 4, 0, -EBADMSG, "pages of 0" },
	{ 12, 4, 8192, -EBADMSG, "pages of 8192" },
	{ 16, 8, UINT64_MAX, 0, NULL }, /* compatible features */
	{ 24, 8, 2, -ENOTSUP, "(0x2)" },
	{ 24, 8, 1, -ENOTSUP, "unknown cipher 0" }, /* sealed */
	{ 24, 8, 1ull << 63, -ENOTSUP, "(0x8000000000000000)" },
	{ 32, 8, UINT64_MAX, 0, NULL },
	{ 48, 8, UINT64_MAX, 0, NULL },
	{ 56, 4, 0, -EBADMSG, "blocks of 0 bytes" },
	{ 56, 4, 32768, -EBADMSG, "blocks of 32768 bytes" },
	{ 56, 4, 65537, -EBADMSG, "blocks of 65537 bytes" },
	{ 56, 4, 8388608, -EBADMSG, "blocks of 8388608 bytes" },
	{ 56, 4, 131072, -EBADMSG, "3 blocks" },
	{ 60, 4, 0, -ENOTSUP, "unknown kind 0" },
	{ 60, 4, 2, -ENOTSUP, "unknown kind 2" },
	{ 64, 8, 0, -EBADMSG, "says a snapshot of 0 bytes" },
	{ 64, 8, 2 * PAGE, -EBADMSG, "says a snapshot of 8192 bytes" },
	{ 64, 8, 40 * PAGE + 1, -EBADMSG, "says a snapshot of 163841 bytes" },
	{ 64, 8, 41 * PAGE, -EBADMSG, "38 data and 1 metadata" },
	{ 64, 8, UINT64_MAX - 4095, -EBADMSG, "snapshot of 18446744073709547520 bytes" },
	{ 72, 8, 0, -EBADMSG, "0 blocks" },
	{ 72, 8, 4, -EBADMSG, "4 blocks" },
	{ 72, 8, UINT64_MAX, -EBADMSG, "18446744073709551615 blocks" },
	{ 80, 8, 39, -EBADMSG, "39 data" },
	{ 80, 8, UINT64_MAX, -EBADMSG, "18446744073709551615 data" },
	{ 88, 8, 0, -EBADMSG, "0 metadata pages" },
	{ 88, 8, UINT64_MAX, -EBADMSG, "18446744073709551615 metadata pages" },
	{ 96, 8, 0, 0, NULL },
	{ 96, 8, DEVICE - PAGE, 0, NULL },
	{ 96, 8, 1, -EBADMSG, "hand-over page is at byte 1" },
	{ 96, 8, DEVICE, -ENXIO, "hand-over page is at byte 1048576" },
	{ 96, 8, UINT64_MAX - 4095, -ENXIO, "hand-over page is at byte 18446744073709547520" },
	{ 112, 8, 0, -EBADMSG, "0 bytes of sections" },
	{ 112, 8, 4096, -EBADMSG, "4096 bytes of sections" },
	{ 112, 8, 4097, 0, NULL },
	{ 112, 8, 8192, 0, NULL },
	{ 112, 8, 8193, -EBADMSG, "8193 bytes of sections" },
	{ 112, 8, UINT64_MAX, -EBADMSG, "18446744073709551615 bytes of sections" },
	{ 152, 8, 0, -EBADMSG, "body map begins at byte 0" },
	{ 152, 8, 4097, -EBADMSG, "body map begins at byte 4097" },
	{ 160, 8, 0, -EBADMSG, "body map says 0 chunks" },
	{ 160, 8, 20, 0, NULL },
	{ 160, 8, 21, -EBADMSG, "body map says 21 chunks" },
	{ 160, 8, UINT64_MAX, -EBADMSG, "body map says 18446744073709551615 chunks" },
	{ 168, 8, 0, -EBADMSG, "body map says 1 chunks for 0 pages" },
	{ 168, 8, 2, -EBADMSG, "2 pages for 3 blocks" },
	{ 168, 8, 3, 0, NULL },
	{ 168, 8, 256, 0, NULL },
	{ 168, 8, 257, -ENXIO, "body map says 257 pages" },
	{ 168, 8, UINT64_MAX, -ENXIO, "body map says 18446744073709551615 pages" },
	{ 216, 8, 0, -EBADMSG, "sections map says 0 chunks" },
	{ 224, 8, 1, -EBADMSG, "bytes of sections on 1 pages" },
	{ 224, 8, 3, -EBADMSG, "bytes of sections on 3 pages" },
	{ 224, 8, UINT64_MAX, -ENXIO, "sections map says 18446744073709551615 pages" },
	{ 264, 8, UINT64_MAX, 0, NULL },
};

START_TEST(header_field)
{
	const struct fault *fault = &header_faults[_i];
	struct why w = { "" };
	struct image_header header;
	unsigned char page[PAGE];

	memset(&header, 0x5a, sizeof(header));
	make_header(page);
	le(page + fault->at, fault->width, fault->value);
	check_refused(fault, header_page_decode(page, PAGE, DEVICE, &header, &w), &w);
	if (fault->error)
		check_untouched(&header, sizeof(header));
}
END_TEST

START_TEST(header_sums_do_not_wrap)
{
	struct image_header header;
	unsigned char page[PAGE];

	/* 40 pages, modulo 2^64. */
	make_header(page);
	le(page + 80, 8, UINT64_MAX);
	le(page + 88, 8, 40);
	ck_assert_int_eq(header_page_decode(page, PAGE, DEVICE, &header, NULL), -EBADMSG);
	le(page + 80, 8, UINT64_MAX - 4);
	le(page + 88, 8, 4);
	ck_assert_int_eq(header_page_decode(page, PAGE, DEVICE, &header, NULL), -EBADMSG);
	/* The blocks of such a stream, with a device too small for them. */
	make_header(page);
	le(page + 64, 8, UINT64_MAX - 4095);
	le(page + 72, 8, 1ull << 48);
	le(page + 80, 8, (1ull << 52) - 3);
	ck_assert_int_eq(header_page_decode(page, PAGE, DEVICE, &header, NULL), -ENXIO);
}
END_TEST

START_TEST(header_and_device)
{
	struct image_header header;
	struct why w = { "" };
	unsigned char page[PAGE];

	make_header(page);
	ck_assert_int_eq(header_page_decode(page, PAGE, 0, &header, &w), -EBADMSG);
	ck_assert_int_eq(header_page_decode(page, PAGE, PAGE - 1, &header, &w), -EBADMSG);
	ck_assert_int_eq(header_page_decode(page, PAGE, 2 * PAGE, &header, &w), -ENXIO);
	ck_assert_ptr_nonnull(strstr(w.text, "3 blocks, the device has only 8192 bytes now"));
	ck_assert_int_eq(header_page_decode(page, PAGE, 19 * PAGE, &header, &w), -ENXIO);
	ck_assert_int_eq(w.class, WHY_FOREIGN);
	ck_assert_int_eq(header_page_decode(page, PAGE, 20 * PAGE, &header, &w), 0);
	ck_assert_int_eq(header_page_decode(page, PAGE, UINT64_MAX, &header, &w), 0);
	/* The largest sections that are read. */
	le(page + 112, 8, 256ull << 20);
	le(page + 224, 8, 65536);
	ck_assert_int_eq(header_page_decode(page, PAGE, 1ull << 40, &header, &w), 0);
	le(page + 112, 8, (256ull << 20) + 1);
	le(page + 224, 8, 65537);
	ck_assert_int_eq(header_page_decode(page, PAGE, 1ull << 40, &header, &w), -EBADMSG);
}
END_TEST

/* Extent chunks. */

static void seal_chunk(unsigned char *page)
{
	le(page + 12, 4, 0);
	le(page + 12, 4, crc_more(0, page, PAGE));
}

static void make_chunk(unsigned char *page)
{
	memset(page, 0, PAGE);
	memcpy(page, "s2diskEX", 8);
	le(page + 8, 4, 2);
	le(page + 16, 8, 7 * PAGE);
	le(page + 24, 8, 5);
	le(page + 32, 8, 1260);
	memcpy(page + 48, id, 16);
	le(page + 64, 8, 100 * PAGE);
	le(page + 72, 8, 30);
	le(page + 80, 8, 255 * PAGE);
	le(page + 88, 8, 1);
	seal_chunk(page);
}

static struct chunk_header chunk_of(void)
{
	struct chunk_header header = {
		.extents = 2, .next = 7 * PAGE, .index = 5, .first_page = 1260
	};

	memcpy(header.image_id, id, 16);
	return header;
}

START_TEST(chunk_bytes)
{
	struct chunk_header header = chunk_of(), decoded;
	unsigned char page[PAGE] = { 0 }, expected[PAGE];
	uint64_t pages = 0;

	make_chunk(expected);
	chunk_put_extent(page, 0, (struct extent){ 100 * PAGE, 30 });
	chunk_put_extent(page, 1, (struct extent){ 255 * PAGE, 1 });
	ck_assert_int_eq(chunk_seal(&header, page, PAGE), 0);
	ck_assert(memcmp(page, expected, PAGE) == 0);
	header.extents = 99; /* not one of the expected values of a chunk */
	header.next = 99;
	ck_assert_int_eq(
		chunk_decode(expected, PAGE, DEVICE, &header, "body", &decoded, &pages, NULL), 0);
	ck_assert_uint_eq(decoded.extents, 2);
	ck_assert_uint_eq(decoded.next, 7 * PAGE);
	ck_assert_uint_eq(decoded.index, 5);
	ck_assert_uint_eq(decoded.first_page, 1260);
	ck_assert_uint_eq(pages, 31);
	ck_assert_uint_eq(chunk_get_extent(expected, 1).offset, 255 * PAGE);
	ck_assert_uint_eq(chunk_capacity(4096), 252);
	ck_assert_uint_eq(chunk_capacity(65536), 4092);
}
END_TEST

static const struct fault chunk_faults[] = {
	{ 0, 1, 'S', -EBADMSG, "chunk 5 of the body map is missing" },
	{ 8, 4, 0, -EBADMSG, "says 0 extents" },
	{ 8, 4, 3, -EBADMSG, "extent 2 of chunk 5" },
	{ 8, 4, 253, -EBADMSG, "says 253 extents" },
	{ 8, 4, UINT32_MAX, -EBADMSG, "says 4294967295 extents" },
	{ 16, 8, 0, 0, NULL },
	{ 16, 8, 1, -EBADMSG, "next at 1" },
	{ 16, 8, UINT64_MAX, -EBADMSG, "next at 18446744073709551615" },
	{ 24, 8, 4, -EBADMSG, "belongs somewhere else" },
	{ 32, 8, 1259, -EBADMSG, "belongs somewhere else" },
	{ 40, 8, UINT64_MAX, 0, NULL },
	{ 48, 1, 'x', -EBADMSG, "belongs somewhere else" },
	{ 64, 8, 100 * PAGE + 512, -EBADMSG, "extent 0 of chunk 5" },
	{ 64, 8, UINT64_MAX - 4095, -EBADMSG, "extent 0 of chunk 5" },
	{ 72, 8, 0, -EBADMSG, "(0 pages at byte 409600)" },
	{ 72, 8, 156, 0, NULL },
	{ 72, 8, 157, -ENXIO, "(157 pages at byte 409600)" },
	{ 72, 8, 1ull << 52, -EBADMSG, "extent 0 of chunk 5" },
	{ 72, 8, (1ull << 52) - 100, -EBADMSG, "extent 0 of chunk 5" },
	{ 72, 8, UINT64_MAX, -EBADMSG, "extent 0 of chunk 5" },
	{ 80, 8, DEVICE, -ENXIO, "extent 1 of chunk 5" },
	{ 88, 8, 2, -ENXIO, "extent 1 of chunk 5" },
};

START_TEST(chunk_field)
{
	const struct fault *fault = &chunk_faults[_i];
	struct chunk_header expected = chunk_of(), header;
	struct why w = { "" };
	unsigned char page[PAGE];
	uint64_t pages;

	memset(&header, 0x5a, sizeof(header));
	make_chunk(page);
	le(page + fault->at, fault->width, fault->value);
	seal_chunk(page);
	check_refused(fault,
		      chunk_decode(page, PAGE, DEVICE, &expected, "body", &header, &pages, &w), &w);
	if (fault->error)
		check_untouched(&header, sizeof(header));
}
END_TEST

START_TEST(chunk_checksum_covers_all)
{
	struct chunk_header expected = chunk_of(), header;
	unsigned char page[PAGE];
	uint64_t pages;

	make_chunk(page);
	for (unsigned int at = 0; at < PAGE; at++) {
		page[at] ^= 1;
		ck_assert_int_eq(chunk_decode(page, PAGE, DEVICE, &expected, "", &header, &pages,
					      NULL),
				 -EBADMSG);
		page[at] ^= 1;
	}
	/* A full one. */
	for (size_t i = 0; i < 252; i++)
		chunk_put_extent(page, i, (struct extent){ i * PAGE, 256 - i });
	le(page + 8, 4, 252);
	seal_chunk(page);
	ck_assert_int_eq(chunk_decode(page, PAGE, DEVICE, &expected, "", &header, &pages, NULL), 0);
	ck_assert_uint_eq(pages, 252 * 256 - 252 * 251 / 2);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "image_format");

	if (crypto_init(NULL) < 0)
		exit(EXIT_FAILURE);
	tcase_add_test(tcase, header_bytes);
	tcase_add_loop_test(tcase, header_field, 0, (int)ARRAY_SIZE(header_faults));
	tcase_add_test(tcase, header_sums_do_not_wrap);
	tcase_add_test(tcase, header_and_device);
	tcase_add_test(tcase, chunk_bytes);
	tcase_add_loop_test(tcase, chunk_field, 0, (int)ARRAY_SIZE(chunk_faults));
	tcase_add_test(tcase, chunk_checksum_covers_all);
}
