/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk's part in leaving offlined frames out; the kernel's lists are made up. */
#include "fixtures/check_main.h"
#include "fixtures/said.h"
#include "s2disk/prepare/left_out.h"

#include "base/bytes.h"
#include "s2disk/aftermath/last.h"
#include "platform/memory/offlined.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct frame_range made[100];
static size_t made_count, confirmed;
static int find_result;
static struct platform platform;
static struct left_out left_out;
static struct last last;
static struct why w;

int __wrap_offlined_find(const char *root, const struct ram *ram, struct frame_list *ret,
			 int *ret_flags, struct why *why_not);
void __wrap_offlined_confirm(const char *root, int flags, struct frame_list *frames);

int __wrap_offlined_find(const char *root, const struct ram *ram, struct frame_list *ret,
			 int *ret_flags, struct why *why_not)
{
	ck_assert_str_eq(root, "");
	ck_assert_ptr_eq(ram, &platform.ram);
	*ret_flags = -1;
	if (find_result < 0)
		return why(why_not, find_result, "they cannot be known");
	if (made_count == 0)
		return 0;
	ret->items = malloc(sizeof(made));
	ck_assert_ptr_nonnull(ret->items);
	memcpy(ret->items, made, sizeof(made));
	ret->count = made_count;
	*ret_flags = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

void __wrap_offlined_confirm(const char *root, int flags, struct frame_list *frames)
{
	ck_assert_str_eq(root, "");
	(void)flags;
	frames->count = min_u64(frames->count, confirmed);
}

static void setup(void)
{
	said_clear();
	platform.ram.pages.present = 4096;
	confirmed = ARRAY_SIZE(made);
}

static void teardown(void)
{
	left_out_end(&left_out);
	platform_free(&platform);
}

static void check_left_out(uint64_t pages, const char *places)
{
	left_out_confirm(&left_out, &last);
	ck_assert_uint_eq(last.left_out_pages, pages);
	ck_assert_str_eq(last.left_out, places);
}

START_TEST(none)
{
	struct page_source source = { 0 };
	uint64_t size = 12345;

	ck_assert_int_eq(left_out_prepare(&left_out, &platform, &w), 0);
	ck_assert(platform.ram.poisoned.known);
	check_left_out(0, "");
	ck_assert_ptr_null(left_out.memory.base);
	ck_assert_int_eq(left_out_begin(&left_out, &source, &size, &w), 0);
	ck_assert_uint_eq(size, 12345);
	ck_assert_ptr_null(source.read);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(some)
{
	size_t page = page_size();

	made[0] = (struct frame_range){ 0x10, 1 };
	made[1] = (struct frame_range){ 0x20, 4 };
	made[2] = (struct frame_range){ 0x30, 1 };
	made_count = 3;
	confirmed = 2; /* the last is in use again */
	ck_assert_int_eq(left_out_prepare(&left_out, &platform, &w), 0);
	ck_assert_uint_ge(left_out.memory.size, page_filter_memory(2048, page));
	if (page == 4096)
		check_left_out(5, "0x10000, 0x20000-0x23fff");
	else
		left_out_confirm(&left_out, &last);
	ck_assert_uint_eq(platform.ram.poisoned.count, 2);
	ck_assert_ptr_nonnull(strstr(said, "5 offlined page frames are left out"));
}
END_TEST

/* All are counted; as many addresses are listed as fit. */
START_TEST(many)
{
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		made[i] = (struct frame_range){ 0xfffff00000000ull + 4 * i, 2 };
	made_count = ARRAY_SIZE(made);
	ck_assert_int_eq(left_out_prepare(&left_out, &platform, &w), 0);
	left_out_confirm(&left_out, &last);
	ck_assert_uint_eq(last.left_out_pages, 2 * ARRAY_SIZE(made));
	ck_assert_uint_lt(strlen(last.left_out), sizeof(last.left_out) - 1);
	ck_assert_str_eq(last.left_out + strlen(last.left_out) - 5, ", ...");
}
END_TEST

/* It does not keep the machine from hibernating. */
START_TEST(unknown)
{
	find_result = -EBUSY;
	ck_assert_int_eq(left_out_prepare(&left_out, &platform, &w), 0);
	ck_assert(!platform.ram.poisoned.known);
	ck_assert_str_eq(said, "offlined page frames stay in the image: they cannot be known\n");
	check_left_out(0, "");
	find_result = -ENOMEM;
	ck_assert_int_eq(left_out_prepare(&left_out, &platform, &w), -ENOMEM);
}
END_TEST

struct memory_stream {
	const unsigned char *bytes;
	size_t at;
};

static ssize_t read_memory(void *context, void *buffer, size_t length)
{
	struct memory_stream *stream = context;

	memcpy(buffer, stream->bytes + stream->at, length);
	stream->at += length;
	return (ssize_t)length;
}

/* Two data pages, one of them of an offlined frame; a second attempt starts over. */
START_TEST(attempts)
{
	size_t page = page_size();
	unsigned char *bytes = calloc(4, page), *buffer = malloc(4 * page);

	ck_assert(bytes && buffer);
	made[0] = (struct frame_range){ 0x10, 1 };
	made_count = 1;
	put_le64(bytes + 416, 2);
	put_le64(bytes + 424, 4);
	put_le64(bytes + 432, 4 * page);
	put_le64(bytes + page, 0x10);
	put_le64(bytes + page + 8, 0x11);
	put_le64(bytes + page + 16, UINT64_MAX);
	memset(bytes + 3 * page, 0x55, page);
	ck_assert_int_eq(left_out_prepare(&left_out, &platform, &w), 0);
	left_out_confirm(&left_out, &last);
	for (int attempt = 0; attempt < 2; attempt++) {
		struct memory_stream stream = { .bytes = bytes };
		struct page_source source = { .read = read_memory, .context = &stream };
		uint64_t size = 4 * page;

		ck_assert_int_eq(left_out_begin(&left_out, &source, &size, &w), 0);
		ck_assert_uint_eq(size, 3 * page);
		ck_assert_int_eq(source.read(source.context, buffer, size), (ssize_t)size);
		ck_assert_uint_eq(get_le64(buffer + page), 0x11);
		ck_assert_mem_eq(buffer + 2 * page, bytes + 3 * page, page);
	}
	free(bytes);
	free(buffer);
}
END_TEST

const bool each_in_a_process = true;

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, none);
	tcase_add_test(tcase, some);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, unknown);
	tcase_add_test(tcase, attempts);
}
