/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/image_info: the kernel's own header page and its metadata. Offsets are those of
 * struct swsusp_info on 64-bit machines. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "kernel/image_info.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE 4096u

static void make_page(unsigned char *page, uint64_t image_pages, uint64_t pages, uint64_t size)
{
	memset(page, 0, PAGE);
	put_le64(page + 24, IMAGE_X86_MAGIC_CRC32);
	put_le32(page + 32, 0x6135c2f7);
	put_le64(page + 400, 131072);
	put_le32(page + 408, 8);
	put_le64(page + 416, image_pages);
	put_le64(page + 424, pages);
	put_le64(page + 432, size);
}

START_TEST(fields)
{
	unsigned char page[PAGE];
	struct image_info info;

	make_page(page, 1024, 1027, 1027 * PAGE);
	ck_assert_int_eq(image_info_parse(page, PAGE, &info, NULL), 0);
	ck_assert_uint_eq(info.num_physpages, 131072);
	ck_assert_uint_eq(info.cpus, 8);
	ck_assert_uint_eq(info.image_pages, 1024);
	ck_assert_uint_eq(info.pages, 1027);
	ck_assert_uint_eq(info.size, 1027 * PAGE);
	ck_assert_uint_eq(info.metadata_pages, 2);
}
END_TEST

static const struct {
	uint64_t image_pages, pages, size;
	int error;
	const char *sentence;
} numbers[] = {
	{ 1, 3, 3 * PAGE, 0, NULL },
	{ 0, 3, 3 * PAGE, 0, NULL }, /* all of them zero pages */
	{ 512, 514, 514 * PAGE, 0, NULL },
	/* With zero pages there is more metadata than the data needs. */
	{ 10, 100, 100 * PAGE, 0, NULL },
	{ 513, 515, 515 * PAGE, -EBADMSG, "1 metadata pages cannot describe 513" },
	{ 0, 0, 0, -EBADMSG, "0 data pages of 0" },
	{ 0, 2, 2 * PAGE, -EBADMSG, "0 data pages of 2" },
	{ 2, 3, 3 * PAGE, -EBADMSG, "2 data pages of 3" },
	{ 3, 3, 3 * PAGE, -EBADMSG, "3 data pages of 3" },
	{ UINT64_MAX, 3, 3 * PAGE, -EBADMSG, "18446744073709551615 data pages" },
	{ 1, 3, 3 * PAGE + 1, -EBADMSG, "3 pages but 12289 bytes" },
	{ 1, 3, 0, -EBADMSG, "3 pages but 0 bytes" },
	/* 2^52 + 3 pages are 3 pages of bytes, modulo 2^64. */
	{ 1, (1ull << 52) + 3, 3 * PAGE, -EBADMSG, "4503599627370499 pages" },
	{ 1, UINT64_MAX, UINT64_MAX - 4095, -EBADMSG, "18446744073709551615 pages" },
	{ (1ull << 52) - 3, (1ull << 52) - 1, UINT64_MAX - 4095, -EBADMSG, "cannot describe" },
	{ (1ull << 43), (1ull << 52) - 1, UINT64_MAX - 4095, 0, NULL },
};

START_TEST(contradictions)
{
	unsigned char page[PAGE];
	struct image_info info;
	struct why w = { "" };
	int r;

	make_page(page, numbers[_i].image_pages, numbers[_i].pages, numbers[_i].size);
	memset(&info, 0x5a, sizeof(info));
	r = image_info_parse(page, PAGE, &info, &w);
	ck_assert_msg(r == numbers[_i].error, "%d: %s", r, w.text);
	if (r < 0) {
		ck_assert_msg(strstr(w.text, numbers[_i].sentence) != NULL, "%s", w.text);
		ck_assert_uint_eq(*(unsigned char *)&info, 0x5a);
	} else {
		ck_assert_uint_eq(info.image_pages + info.metadata_pages + 1, info.pages);
	}
}
END_TEST

START_TEST(short_page)
{
	unsigned char page[PAGE], *copy = malloc(439);
	struct image_info info;
	struct why w = { "" };

	make_page(page, 1, 3, 3 * 440);
	memcpy(copy, page, 439);
	ck_assert_int_eq(image_info_parse(copy, 439, &info, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "only 439 bytes"));
	ck_assert_int_eq(image_info_parse(page, 440, &info, &w), 0);
	free(copy);
}
END_TEST

struct seen {
	uint64_t pfns[512];
	bool zeros[512];
	size_t count;
};

static void see(void *context, uint64_t pfn, bool zero)
{
	struct seen *seen = context;

	ck_assert_uint_lt(seen->count, 512);
	seen->pfns[seen->count] = pfn;
	seen->zeros[seen->count++] = zero;
}

START_TEST(metadata)
{
	unsigned char page[PAGE];
	struct seen seen = { .count = 0 };

	memset(page, 0xff, PAGE);
	ck_assert_uint_eq(image_metadata_walk(page, PAGE, see, &seen), 0);
	put_le64(page, 0);
	put_le64(page + 8, 7 | 1ull << 63);
	put_le64(page + 16, UINT64_MAX - 1);
	put_le64(page + 32, 9); /* after the end */
	ck_assert_uint_eq(image_metadata_walk(page, PAGE, see, &seen), 3);
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_uint_eq(seen.pfns[0], 0);
	ck_assert(!seen.zeros[0]);
	ck_assert_uint_eq(seen.pfns[1], 7);
	ck_assert(seen.zeros[1]);
	ck_assert_uint_eq(seen.pfns[2], (1ull << 63) - 2);
	ck_assert(seen.zeros[2]);
	/* A full page has no end mark. */
	for (unsigned int i = 0; i < 512; i++)
		put_le64(page + 8 * (size_t)i, i);
	seen.count = 0;
	ck_assert_uint_eq(image_metadata_walk(page, PAGE, see, &seen), 512);
	ck_assert_uint_eq(seen.pfns[511], 511);
	ck_assert_uint_eq(image_metadata_walk(page, PAGE, NULL, NULL), 512);
	ck_assert_uint_eq(image_metadata_walk(page, 15, NULL, NULL), 1);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "image_info");

	tcase_add_test(tcase, fields);
	tcase_add_loop_test(tcase, contradictions, 0, (int)ARRAY_SIZE(numbers));
	tcase_add_test(tcase, short_page);
	tcase_add_test(tcase, metadata);
}
