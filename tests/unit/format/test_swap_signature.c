/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap/swap_signature: the first page of a swap area. */
#include "fixtures/check_main.h"
#include "format/swap_signature.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define PAGE 4096

static const char uuid[] = "0123456789abcdef";

/* As mkswap writes it, but with a mark in the boot sector and before the end. */
static void make_swap(unsigned char *page, size_t size, uint32_t bad_pages)
{
	const uint32_t head[3] = { 1, 1023, bad_pages };

	memset(page, 0, size);
	memcpy(page, "boot", 4);
	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + 1036, uuid, 16);
	memcpy(page + 1052, "my-swap", 7);
	memcpy(page + size - 10, "SWAPSPACE2", 10);
}

/* An image's record in the last 512 bytes. */
static void put_image(unsigned char *page, size_t size, const char *original, const char *signature)
{
	memset(page + size - 512, 0xee, 512);
	memcpy(page + size - 20, original, 10);
	memcpy(page + size - 10, signature, 10);
}

static const struct {
	const char *bytes;
	enum swap_signature_kind kind;
} kinds[] = {
	{ "SWAPSPACE2", SWAP_IS_SWAP },		 { "SWAP-SPACE", SWAP_IS_SWAP },
	{ "S1SUSPEND\0", SWAP_IS_KERNEL_IMAGE }, { "ULSUSPEND\0", SWAP_IS_USER_IMAGE },
	{ "S2SUSPEND\0", SWAP_IS_NOTHING },	 { "ULSUSPEND2", SWAP_IS_NOTHING },
	{ "SWAPSPACE3", SWAP_IS_NOTHING },	 { "\0\0\0\0\0\0\0\0\0\0", SWAP_IS_NOTHING },
};

START_TEST(tells_kinds_apart)
{
	static const size_t sizes[] = { 10, 4096, 16384, 65536 };
	static unsigned char page[65536];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(page, 'x', sizeof(page));
		memcpy(page + sizes[i] - 10, kinds[_i].bytes, 10);
		ck_assert_int_eq(swap_signature_kind(page, sizes[i]), kinds[_i].kind);
	}
	ck_assert_int_eq(swap_signature_kind(page, 9), SWAP_IS_NOTHING);
	ck_assert_int_eq(swap_signature_kind(page, 0), SWAP_IS_NOTHING);
}
END_TEST

START_TEST(reads_a_header)
{
	unsigned char page[PAGE];
	struct swap_header header;

	make_swap(page, PAGE, 3);
	ck_assert_int_eq(swap_header_parse(page, PAGE, &header), 0);
	ck_assert_mem_eq(header.uuid, uuid, 16);
	ck_assert_str_eq(header.label, "my-swap");
	ck_assert_uint_eq(header.version, 1);
	ck_assert_uint_eq(header.last_page, 1023);
	ck_assert_uint_eq(header.bad_pages, 3);

	/* A label without a terminator, and one with escapes. */
	memcpy(page + 1052,
	       "0123456789\033\n\x80"
	       "def",
	       16);
	ck_assert_int_eq(swap_header_parse(page, PAGE, &header), 0);
	ck_assert_str_eq(header.label, "0123456789???def");
}
END_TEST

START_TEST(refuses_a_bad_header)
{
	static const struct {
		size_t at;
		uint32_t value;
	} changes[] = {
		{ 1024, 0 },   { 1024, 2 },   { 1024, 0x01000000 }, { 1028, 0 },
		{ 1032, 638 }, { 1032, 640 }, { 1032, UINT32_MAX },
	};
	struct swap_header header = { .last_page = 77 };
	unsigned char page[PAGE];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		make_swap(page, PAGE, 0);
		memcpy(page + changes[i].at, &changes[i].value, 4);
		ck_assert_int_eq(swap_header_parse(page, PAGE, &header), -EINVAL);
		ck_assert_uint_eq(header.last_page, 77);
	}
	make_swap(page, PAGE, 637);
	ck_assert_int_eq(swap_header_parse(page, PAGE, &header), 0);
	ck_assert_int_eq(swap_header_parse(page, 1555, &header), -EINVAL);
	ck_assert_int_eq(swap_header_parse(page, 0, &header), -EINVAL);
}
END_TEST

START_TEST(restores_what_mkswap_made)
{
	static const char *const images[] = { SWAP_SIGNATURE_KERNEL, SWAP_SIGNATURE_USER };
	static const size_t wipes[] = { 512, 20, PAGE - 1536 };
	unsigned char page[PAGE], before[PAGE];

	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		make_swap(before, PAGE, 0);
		memcpy(page, before, PAGE);
		put_image(page, PAGE, "SWAPSPACE2", images[i]);
		ck_assert_int_eq(swap_signature_restore(page, PAGE, 512), 0);
		ck_assert_mem_eq(page, before, PAGE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++) {
		make_swap(page, PAGE, 0);
		memset(page + 1536, 0xee, PAGE - 1536);
		memcpy(page + PAGE - 20, "SWAPSPACE2ULSUSPEND", 20);
		ck_assert_int_eq(swap_signature_restore(page, PAGE, wipes[i]), 0);
		ck_assert_mem_eq(page + PAGE - 10, "SWAPSPACE2", 10);
		ck_assert(bytes_all_zero(page + PAGE - wipes[i], wipes[i] - 10));
		for (size_t at = 1536; at < PAGE - wipes[i]; at++)
			ck_assert_uint_eq(page[at], 0xee);
		ck_assert_mem_eq(page + 1036, uuid, 16);
	}
}
END_TEST

START_TEST(chooses_the_signature)
{
	unsigned char page[PAGE], before[PAGE];

	/* No original signature, but a swap header. */
	make_swap(page, PAGE, 0);
	put_image(page, PAGE, "0123456789", SWAP_SIGNATURE_USER);
	ck_assert_int_eq(swap_signature_restore(page, PAGE, 512), 0);
	ck_assert_mem_eq(page + PAGE - 10, "SWAPSPACE2", 10);

	/* An original signature, and no header. */
	memset(page, 0, PAGE);
	put_image(page, PAGE, "SWAP-SPACE", SWAP_SIGNATURE_USER);
	ck_assert_int_eq(swap_signature_restore(page, PAGE, 512), 0);
	ck_assert_mem_eq(page + PAGE - 10, "SWAP-SPACE", 10);

	/* Already swap: the current signature counts, not the original one. */
	make_swap(page, PAGE, 0);
	put_image(page, PAGE, "SWAP-SPACE", SWAP_SIGNATURE_SWAP);
	ck_assert_int_eq(swap_signature_restore(page, PAGE, 512), 0);
	ck_assert_mem_eq(page + PAGE - 10, "SWAPSPACE2", 10);

	/* Neither: not changed. */
	memset(page, 0, PAGE);
	put_image(page, PAGE, SWAP_SIGNATURE_USER, SWAP_SIGNATURE_USER);
	memcpy(before, page, PAGE);
	ck_assert_int_eq(swap_signature_restore(page, PAGE, 512), -EINVAL);
	ck_assert_mem_eq(page, before, PAGE);
}
END_TEST

START_TEST(keeps_bad_pages)
{
	unsigned char page[PAGE];

	/* 600 of them reach 336 bytes into the record. */
	make_swap(page, PAGE, 600);
	memset(page + 1536, 0xbb, 600 * 4);
	memset(page + 1536 + 600 * 4, 0xee, PAGE - 1536 - 600 * 4);
	memcpy(page + PAGE - 20, "SWAPSPACE2ULSUSPEND", 20);
	ck_assert_int_eq(swap_signature_restore(page, PAGE, 512), 0);
	for (size_t at = 1536; at < 1536 + 600 * 4; at++)
		ck_assert_uint_eq(page[at], 0xbb);
	ck_assert(bytes_all_zero(page + 1536 + 600 * 4, PAGE - 10 - (1536 + 600 * 4)));
	ck_assert_mem_eq(page + PAGE - 10, "SWAPSPACE2", 10);
}
END_TEST

START_TEST(refuses_bad_lengths)
{
	static const struct {
		size_t size, wipe;
	} bad[] = {
		{ PAGE, 0 },	{ PAGE, 19 },	    { PAGE, PAGE - 1535 },
		{ PAGE, PAGE }, { PAGE, PAGE + 1 }, { PAGE, SIZE_MAX },
		{ 1555, 20 },	{ 20, 20 },	    { 0, 20 },
	};
	unsigned char page[PAGE], before[PAGE];

	make_swap(page, PAGE, 0);
	put_image(page, PAGE, "SWAPSPACE2", SWAP_SIGNATURE_USER);
	memcpy(before, page, PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(swap_signature_restore(page, bad[i].size, bad[i].wipe), -EINVAL);
		ck_assert_mem_eq(page, before, PAGE);
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "swap_signature");

	tcase_add_loop_test(tcase, tells_kinds_apart, 0, (int)ARRAY_SIZE(kinds));
	tcase_add_test(tcase, reads_a_header);
	tcase_add_test(tcase, refuses_a_bad_header);
	tcase_add_test(tcase, restores_what_mkswap_made);
	tcase_add_test(tcase, chooses_the_signature);
	tcase_add_test(tcase, keeps_bad_pages);
	tcase_add_test(tcase, refuses_bad_lengths);
}
