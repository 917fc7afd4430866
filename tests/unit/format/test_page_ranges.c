/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections of an image, pure: page ranges first, then the stream that contains
 * sections, and the block table. Bytes made by hand from doc/image-format.md. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "format/block_table.h"
#include "format/page_ranges.h"
#include "format/sections.h"

#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SPACE 4096u /* page frames of the simulated machines */
#define GUARD 16u

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Known encodings. */

static const struct {
	uint64_t pfns[8]; /* up to the END; bit 63: a page of zeros */
	uint64_t pages, ranges, zero_pages;
	unsigned int flags;
	size_t length;
	unsigned char bytes[32];
} known[] = {
#define END UINT64_MAX
#define ZERO (1ull << 63)
	{ { END }, 0, 0, 0, 0, 0, { 0 } },
	{ { 0, END }, 1, 1, 0, 0, 2, { 0, 0 } },
	{ { 1, END }, 1, 1, 0, 0, 2, { 1, 0 } },
	{ { 0, 1, 2, END }, 3, 1, 0, 0, 2, { 0, 2 } },
	{ { 5, 6, 7, 9, END }, 4, 2, 0, 0, 4, { 5, 2, 1, 0 } },
	{ { 5 | ZERO, 6, 200 | ZERO, END }, 3, 2, 2, 0, 5, { 5, 1, 0xc1, 1, 0 } },
	{ { 127, 255, END }, 2, 2, 0, 0, 4, { 127, 0, 127, 0 } },
	{ { 128, 257, END }, 2, 2, 0, 0, 6, { 0x80, 1, 0, 0x80, 1, 0 } },
	{ { (1ull << 63) - 2, END },
	  1,
	  1,
	  0,
	  0,
	  10,
	  { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0 } },
	/* The same frame twice: it is stored once. */
	{ { 5, 6, 6, END }, 2, 1, 0, 1, 2, { 5, 1 } },
};

static void add_all(struct range_collector *collector, const uint64_t *pfns)
{
	for (; *pfns != END; pfns++)
		range_collector_add(collector, *pfns & ~ZERO, *pfns & ZERO);
}

START_TEST(known_bytes)
{
	unsigned char buffer[256], expected[64] = { 0 };
	struct range_collector collector;
	struct page_ranges ranges;

	memset(buffer, 0xee, sizeof(buffer));
	range_collector_init(&collector, buffer, sizeof(buffer));
	add_all(&collector, known[_i].pfns);
	ck_assert_uint_eq(range_collector_finish(&collector), 32 + known[_i].length);
	put_le64(expected, known[_i].pages);
	put_le64(expected + 8, known[_i].ranges);
	put_le64(expected + 16, known[_i].zero_pages);
	put_le32(expected + 24, known[_i].flags);
	memcpy(expected + 32, known[_i].bytes, known[_i].length);
	ck_assert(memcmp(buffer, expected, 32 + known[_i].length) == 0);
	ck_assert_int_eq(page_ranges_open(&ranges, expected, 32 + known[_i].length, NULL), 0);
	ck_assert_uint_eq(ranges.pages, known[_i].pages);
	ck_assert_uint_eq(ranges.ranges, known[_i].ranges);
	ck_assert_uint_eq(ranges.zero_pages, known[_i].zero_pages);
	ck_assert_int_eq(ranges.coarse, known[_i].flags);
}
END_TEST

/* A machine: which page frames are in the image, and in which order they come. */
struct machine {
	bool in[SPACE];
	uint64_t pfns[SPACE];
	size_t count, zeros, ranges;
};

static void make_machine(struct machine *m, uint64_t *random)
{
	uint64_t share = 1 + next_random(random) % 15;

	memset(m, 0, sizeof(*m));
	for (uint64_t pfn = 0; pfn < SPACE; pfn++) {
		bool before = pfn > 0 && m->in[pfn - 1];
		uint64_t dice = next_random(random) >> 33;

		/* Runs: usually the same as the previous one. */
		m->in[pfn] = dice % 8 ? before : dice / 8 % 16 < share;
		m->ranges += m->in[pfn] && !before;
		if (m->in[pfn])
			m->pfns[m->count++] = pfn;
	}
}

/* Collects, and marks what the section contains. */
static void collect(const struct machine *m, unsigned char *buffer, size_t size, bool *said,
		    struct page_ranges *ret)
{
	struct range_collector collector;
	struct page_ranges walk;
	struct why w = { "" };
	uint64_t first, count;
	size_t length;

	memset(buffer, 0xee, size + GUARD);
	range_collector_init(&collector, buffer, size);
	for (size_t i = 0; i < m->count; i++)
		range_collector_add(&collector, m->pfns[i], i % 7 == 3);
	length = range_collector_finish(&collector);
	ck_assert_uint_le(length, size);
	for (size_t i = 0; i < GUARD; i++)
		if (buffer[size + i] != 0xee) /* each ck_assert is a write to a file */
			ck_abort_msg("written %zu bytes past the end", i);
	ck_assert_msg(page_ranges_open(ret, buffer, length, &w) == 0, "%s", w.text);
	memset(said, 0, SPACE * sizeof(*said));
	for (walk = *ret; page_ranges_next(&walk, &first, &count);)
		for (uint64_t pfn = first; pfn < first + count; pfn++) {
			if (pfn >= SPACE)
				ck_abort_msg("page frame %" PRIu64, pfn);
			said[pfn] = true;
		}
	ck_assert_uint_eq(ret->zero_pages, (m->count + 3) / 7);
}

START_TEST(round_trips)
{
	static unsigned char buffer[32 + 20 * SPACE + GUARD];
	static struct machine m;
	static bool said[SPACE];
	uint64_t random = 0x9e3779b97f4a7c15 + (uint64_t)_i;
	struct page_ranges ranges;

	for (int i = 0; i < 50; i++) {
		make_machine(&m, &random);
		collect(&m, buffer, sizeof(buffer) - GUARD, said, &ranges);
		ck_assert(!ranges.coarse);
		ck_assert_uint_eq(ranges.pages, m.count);
		ck_assert_uint_eq(ranges.ranges, m.ranges);
		ck_assert(memcmp(said, m.in, sizeof(m.in)) == 0);
	}
}
END_TEST

static void check_covered(const struct machine *m, const bool *said)
{
	for (size_t i = 0; i < m->count; i++)
		if (!said[m->pfns[i]])
			ck_abort_msg("page frame %" PRIu64 ", number %zu of %zu, is missing",
				     m->pfns[i], i, m->count);
}

START_TEST(small_buffers_never_lose_a_page)
{
	static unsigned char buffer[1024 + GUARD];
	static struct machine m;
	static bool said[SPACE];
	uint64_t random = 88172645463325252;
	unsigned int coarse = 0;
	struct page_ranges ranges;

	for (size_t size = PAGE_RANGES_HEADER + 40; size <= 1024; size++) {
		make_machine(&m, &random);
		collect(&m, buffer, size, said, &ranges);
		check_covered(&m, said);
		coarse += ranges.coarse;
		if (!ranges.coarse)
			ck_assert_uint_eq(ranges.pages, m.count);
	}
	ck_assert_uint_gt(coarse, 100);
}
END_TEST

/* What no kernel does: coarse from there on, but never fewer. */
static const uint64_t orders[][8] = {
	{ 10, 20, 15, END },			      /* between the last two ranges */
	{ 10, 20, 25, 22, END }, { 10, 5, END },      /* below the first */
	{ 10, 0, 30, END },	 { 10, 20, 11, END }, /* right after the previous range */
	{ 10, 20, 5, END },			      /* below ranges that are already encoded */
	{ 10, 20, 30, 15, END }, { 100, 200, 300, 0, 400, END },
};

START_TEST(not_ascending)
{
	struct machine m = { 0 };
	unsigned char buffer[256 + GUARD];
	struct page_ranges ranges;
	bool said[SPACE];

	for (const uint64_t *pfn = orders[_i]; *pfn != END; pfn++)
		m.pfns[m.count++] = *pfn;
	collect(&m, buffer, 256, said, &ranges);
	ck_assert(ranges.coarse);
	check_covered(&m, said);
}
END_TEST

/* Hostile sections. */

static size_t make_section(unsigned char *at, uint64_t pages, uint64_t ranges, const void *bytes,
			   size_t length)
{
	memset(at, 0, 32);
	put_le64(at, pages);
	put_le64(at + 8, ranges);
	memcpy(at + 32, bytes, length);
	return 32 + length;
}

#define FF9 "\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
	uint64_t pages, ranges;
	const char *bytes;
	size_t length;
	int error;
} hostile[] = {
	{ 2, 2, BYTES("\x05\x00\x01\x00"), 0 },
	{ 2, 2, BYTES("\x05\x00\x00\x00"), -EBADMSG },	   /* they touch */
	{ 2, 2, BYTES("\x05\x00\x80\x00\x00"), -EBADMSG }, /* the same in a longer encoding */
	{ 1, 2, BYTES("\x05\x00\x01\x00"), -EBADMSG },	   /* the sum */
	{ 3, 2, BYTES("\x05\x00\x01\x00"), -EBADMSG },
	{ UINT64_MAX, 2, BYTES("\x05\x00\x01\x00"), -EBADMSG },
	{ 1, 1, BYTES("\x05\x00\x01\x00"), -EBADMSG }, /* trailing bytes */
	{ 0, 0, BYTES("\x00"), -EBADMSG },
	{ 2, 3, BYTES("\x05\x00\x01\x00"), -EBADMSG }, /* too few */
	{ 2, UINT64_MAX, BYTES("\x05\x00\x01\x00"), -EBADMSG },
	{ 1, 1, BYTES(FF9 "\x01\x00"), -EBADMSG }, /* first + 1 overflows */
	{ 1, 1,
	  BYTES("\xfe"
		"\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
	  0 },
	{ 1, 1, BYTES(FF9 "\x02\x00"), -EBADMSG },     /* 65 bits */
	{ 1, 1, BYTES(FF9 "\x81\x00\x00"), -EBADMSG }, /* 11 bytes */
	{ 0, 1, BYTES("\x00" FF9 "\x01"), -EBADMSG },  /* the length is 2^64 */
	{ UINT64_MAX, 1,
	  BYTES("\x00\xfe"
		"\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	  0 },
	{ UINT64_MAX, 1,
	  BYTES("\x01\xfe"
		"\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	  -EBADMSG },
	{ 2, 2, BYTES("\x05\x00" FF9 "\x01\x00"), -EBADMSG }, /* the gap wraps */
	{ 1, 1, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), -EBADMSG },
};

START_TEST(hostile_section)
{
	unsigned char bytes[128];
	struct page_ranges ranges;
	struct why w = { "" };
	size_t length = make_section(bytes, hostile[_i].pages, hostile[_i].ranges,
				     hostile[_i].bytes, hostile[_i].length);
	int r;

	memset(&ranges, 0x5a, sizeof(ranges));
	r = page_ranges_open(&ranges, bytes, length, &w);
	ck_assert_int_eq(r, hostile[_i].error);
	if (r < 0) {
		ck_assert_ptr_nonnull(strstr(w.text, "page range"));
		ck_assert_uint_eq(((unsigned char *)&ranges)[0], 0x5a);
	}
}
END_TEST

START_TEST(truncated_section)
{
	static const char numbers[] = "\x05\x00\x81\x01\xff\x7f\x01\x80\x80\x04";
	unsigned char bytes[64], *copy;
	struct page_ranges ranges;
	size_t length = make_section(bytes, 1 + 16384 + 65537, 3, numbers, sizeof(numbers) - 1);

	ck_assert_int_eq(page_ranges_open(&ranges, bytes, length, NULL), 0);
	for (size_t cut = 0; cut < length; cut++) {
		copy = malloc(cut ? cut : 1); /* so that a sanitizer knows its end */
		memcpy(copy, bytes, cut);
		ck_assert_int_eq(page_ranges_open(&ranges, copy, cut, NULL), -EBADMSG);
		free(copy);
	}
}
END_TEST

/* image_reader uses the difference of the two. */
START_TEST(more_zero_pages_than_pages)
{
	unsigned char bytes[64];
	struct page_ranges ranges;
	size_t length = make_section(bytes, 2, 2, "\x05\x00\x01\x00", 4);

	put_le64(bytes + 16, 2);
	ck_assert_int_eq(page_ranges_open(&ranges, bytes, length, NULL), 0);
	put_le64(bytes + 16, 3);
	ck_assert_int_eq(page_ranges_open(&ranges, bytes, length, NULL), -EBADMSG);
}
END_TEST

/* The stream of sections. */

static size_t put_section(unsigned char *at, uint32_t type, uint32_t flags, const char *text)
{
	size_t length = strlen(text), padded = (length + 7) & ~(size_t)7;

	memset(at, 0, 16 + padded);
	put_le32(at, type);
	put_le32(at + 4, flags);
	put_le64(at + 8, length);
	memcpy(at + 16, text, length);
	return 16 + padded;
}

/* All types in arbitrary order; 99 is unknown and may be skipped. */
static size_t make_stream(unsigned char *at)
{
	size_t n = put_section(at, 3, 1, "block table");

	n += put_section(at + n, 99, 0, "whatever");
	n += put_section(at + n, 1, 1, "kernel");
	n += put_section(at + n, 5, 0, "");
	n += put_section(at + n, 4, 0, "the platform");
	return n + put_section(at + n, 2, 1, "ranges!!");
}

START_TEST(sections_bytes)
{
	unsigned char stream[256], header[16];
	struct sections s;
	size_t length = make_stream(stream);

	ck_assert_int_eq(sections_parse(stream, length, &s, NULL), 0);
	ck_assert_uint_eq(s.block_table.size, 11);
	ck_assert_ptr_eq(s.block_table.data, stream + 16);
	ck_assert_uint_eq(s.kernel_header.size, 6);
	ck_assert_ptr_eq(s.kernel_header.data, stream + 32 + 24 + 16);
	ck_assert_uint_eq(s.platform.size, 12);
	ck_assert(memcmp(s.platform.data, "the platform", 12) == 0);
	ck_assert_ptr_nonnull(s.writer.data);
	ck_assert_uint_eq(s.writer.size, 0);
	ck_assert_uint_eq(s.page_ranges.size, 8);
	section_header_encode(header, SECTION_BLOCK_TABLE, SECTION_CRITICAL, 11);
	ck_assert(memcmp(header, stream, 16) == 0);
	ck_assert_uint_eq(section_footprint(0), 16);
	ck_assert_uint_eq(section_footprint(1), 24);
	ck_assert_uint_eq(section_footprint(8), 24);
}
END_TEST

START_TEST(sections_truncated)
{
	unsigned char stream[256], *copy;
	size_t length = make_stream(stream);
	struct sections s;
	struct why w = { "" };

	for (size_t cut = 0; cut < length; cut++) {
		copy = malloc(cut ? cut : 1);
		memcpy(copy, stream, cut);
		ck_assert_int_eq(sections_parse(copy, cut, &s, &w), -EBADMSG);
		free(copy);
	}
	ck_assert_ptr_nonnull(strstr(w.text, "type 2 says 8 bytes, only 7 are left"));
}
END_TEST

static const struct {
	unsigned int at, width;
	uint64_t value;
	int error;
	const char *sentence;
} section_faults[] = {
	{ 0, 4, 7, -ENOTSUP, "section of type 7" }, /* critical and unknown */
	{ 0, 4, 4, -EBADMSG, "type 4 occurs twice" },
	{ 0, 4, 1, -EBADMSG, "type 1 occurs twice" },
	{ 4, 4, 0, 0, NULL },
	{ 4, 4, UINT32_MAX, 0, NULL },
	{ 8, 8, UINT64_MAX, -EBADMSG, "type 3 says 18446744073709551615 bytes" },
	{ 8, 8, UINT64_MAX - 7, -EBADMSG, "type 3 says 18446744073709551608 bytes" },
	{ 32, 4, 0, 0, NULL },
	{ 32, 4, 3, -EBADMSG, "type 3 occurs twice" },
	{ 36, 4, 1, -ENOTSUP, "section of type 99" },
	{ 36, 4, 2, 0, NULL }, /* only bit 0 is defined */
	{ 56, 4, 77, -ENOTSUP, "section of type 77" },
};

START_TEST(section_field)
{
	unsigned char stream[256];
	struct sections s;
	struct why w = { "" };
	size_t length = make_stream(stream);
	int r;

	if (section_faults[_i].width == 4)
		put_le32(stream + section_faults[_i].at, (uint32_t)section_faults[_i].value);
	else
		put_le64(stream + section_faults[_i].at, section_faults[_i].value);
	r = sections_parse(stream, length, &s, &w);
	ck_assert_msg(r == section_faults[_i].error, "%d: %s", r, w.text);
	if (r < 0)
		ck_assert_msg(strstr(w.text, section_faults[_i].sentence) != NULL, "%s", w.text);
}
END_TEST

START_TEST(sections_missing)
{
	static const char *const names[] = { "kernel header", "page ranges", "block table" };
	struct why w = { "" };
	struct sections s;

	for (uint32_t left_out = 1; left_out <= 3; left_out++) {
		unsigned char stream[256];
		size_t n = 0;

		for (uint32_t type = 1; type <= 5; type++)
			if (type != left_out)
				n += put_section(stream + n, type, type <= 3, "content");
		ck_assert_int_eq(sections_parse(stream, n, &s, &w), -EBADMSG);
		ck_assert_ptr_nonnull(strstr(w.text, names[left_out - 1]));
	}
}
END_TEST

/* The block table: three blocks, 65536, 65536 and 32768 bytes, on 20 pages. */

static const struct image_header header = {
	.page_size = 4096,
	.block_size = 65536,
	.stream_size = 163840,
	.blocks = 3,
	.body = { .pages = 20 },
};

static void make_table(unsigned char *at)
{
	static const unsigned char bytes[72] = {
		0x00, 0x00, 0x01, 0x00, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0,
		0,    0,    0,	  0,	0, 0, 0, 0, 0x01, 0x20, 0x00, 0x00, 1, 0, 0, 0,
		0x55, 0x66, 0x77, 0x88, 0, 0, 0, 0, 0,	  0,	0,    0,    0, 0, 0, 0,
		0x01, 0x00, 0x00, 0x00, 1, 0, 0, 0, 0xaa, 0xbb, 0xcc, 0xdd, 0, 0, 0, 0,
	};

	memcpy(at, bytes, sizeof(bytes));
}

START_TEST(table_bytes)
{
	static const struct block_entry entries[] = {
		{ 65536, CODEC_RAW, { 0x11, 0x22, 0x33, 0x44 } },
		{ 8193, CODEC_LZ4, { 0x55, 0x66, 0x77, 0x88 } },
		{ 1, CODEC_LZ4, { 0xaa, 0xbb, 0xcc, 0xdd } },
	};
	unsigned char table[72], expected[72];

	make_table(expected);
	memset(table, 0xee, sizeof(table));
	for (size_t i = 0; i < 3; i++) {
		struct block_entry entry = block_table_entry(expected, i);

		block_entry_encode(&entries[i], table + 24 * i);
		ck_assert_uint_eq(entry.stored_size, entries[i].stored_size);
		ck_assert_uint_eq(entry.codec, entries[i].codec);
		ck_assert(memcmp(entry.check, entries[i].check, 16) == 0);
	}
	ck_assert(memcmp(table, expected, 72) == 0);
	ck_assert_int_eq(block_table_check(expected, 72, &header, NULL), 0);
}
END_TEST

static const struct {
	unsigned int at, width;
	uint32_t value;
	int error;
	const char *sentence;
} table_faults[] = {
	{ 0, 4, 0, -EBADMSG, "block 0 has 0 bytes stored" },
	{ 0, 4, 65535, -EBADMSG, "block 0 has 65535 bytes stored" }, /* raw, so all of it */
	{ 0, 4, 65537, -EBADMSG, "block 0 has 65537 bytes stored" },
	{ 0, 4, UINT32_MAX, -EBADMSG, "block 0 has 4294967295 bytes stored" },
	{ 4, 1, 1, 0, NULL },
	{ 4, 1, 2, -ENOTSUP, "block 0 is compressed with unknown codec 2" },
	{ 4, 1, 255, -ENOTSUP, "unknown codec 255" },
	{ 5, 1, 255, 0, NULL },
	{ 20, 4, UINT32_MAX, 0, NULL },
	{ 24, 4, 12288, 0, NULL },
	{ 24, 4, 12289, -EBADMSG, "take 21 pages, the body has 20" },
	{ 24, 4, 8192, -EBADMSG, "take 19 pages, the body has 20" },
	{ 24, 4, 65536, -EBADMSG, "take 33 pages" },
	{ 48, 4, 32768, -EBADMSG, "take 27 pages" },
	{ 48, 4, 32769, -EBADMSG, "block 2 has 32769 bytes stored, 32768 raw" },
	{ 52, 1, 0, -EBADMSG, "block 2 has 1 bytes stored" },
};

START_TEST(table_field)
{
	unsigned char table[72];
	struct why w = { "" };
	int r;

	make_table(table);
	if (table_faults[_i].width == 4)
		put_le32(table + table_faults[_i].at, table_faults[_i].value);
	else
		table[table_faults[_i].at] = (unsigned char)table_faults[_i].value;
	r = block_table_check(table, 72, &header, &w);
	ck_assert_msg(r == table_faults[_i].error, "%d: %s", r, w.text);
	if (r < 0)
		ck_assert_msg(strstr(w.text, table_faults[_i].sentence) != NULL, "%s", w.text);
}
END_TEST

START_TEST(table_length)
{
	unsigned char table[96] = { 0 };
	struct why w = { "" };

	make_table(table);
	for (size_t length = 0; length <= sizeof(table); length++) {
		int r = block_table_check(table, length, &header, &w);

		ck_assert_int_eq(r, length == 72 ? 0 : -EBADMSG);
	}
	ck_assert_ptr_nonnull(strstr(w.text, "96 bytes, 3 blocks need 72"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "page_ranges");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, known_bytes, 0, (int)ARRAY_SIZE(known));
	tcase_add_loop_test(tcase, round_trips, 0, 8);
	tcase_add_test(tcase, small_buffers_never_lose_a_page);
	tcase_add_loop_test(tcase, not_ascending, 0, (int)ARRAY_SIZE(orders));
	tcase_add_loop_test(tcase, hostile_section, 0, (int)ARRAY_SIZE(hostile));
	tcase_add_test(tcase, truncated_section);
	tcase_add_test(tcase, more_zero_pages_than_pages);
	tcase_add_test(tcase, sections_bytes);
	tcase_add_test(tcase, sections_truncated);
	tcase_add_loop_test(tcase, section_field, 0, (int)ARRAY_SIZE(section_faults));
	tcase_add_test(tcase, sections_missing);
	tcase_add_test(tcase, table_bytes);
	tcase_add_loop_test(tcase, table_field, 0, (int)ARRAY_SIZE(table_faults));
	tcase_add_test(tcase, table_length);
}
