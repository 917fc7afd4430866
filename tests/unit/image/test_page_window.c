/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/page_window: alone, and its effect on an image. */
#include "fixtures/check_main.h"
#include "image/pipeline/page_window.h"

#include "base/memory.h"
#include "fixtures/image/fake_snapshot.h"
#include "image/image_reader.h"
#include "image/image_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PAGE 4096u
#define AREA 100000u /* pages */

/* A kernel's allocator: page number i is order(i). */
static struct source {
	uint64_t (*order)(uint64_t number);
	uint64_t asked, given, end;
	uint64_t error_at; /* this call fails once; 0: none does */
	bool seen[AREA];
} source;

static uint64_t in_order(uint64_t number)
{
	return 1 + number;
}

/* Every other page is in use by another. */
static uint64_t in_pieces(uint64_t number)
{
	return 1 + 2 * number;
}

/* One page of each of 97 clusters in turn. */
static uint64_t in_turn(uint64_t number)
{
	return 1 + number % 97 * 1000 + number / 97;
}

/* From the end to the beginning. */
static uint64_t backwards(uint64_t number)
{
	return AREA - 1 - number;
}

static int ask(void *context, uint64_t *ret)
{
	ck_assert_ptr_eq(context, &source);
	source.asked++;
	if (source.asked == source.error_at)
		return -EIO;
	if (source.given == source.end)
		return -ENOSPC;
	*ret = source.order(source.given++) * PAGE;
	return 0;
}

static uint64_t window_pages[PAGE_WINDOW_MAX];

static struct page_allocator begin(struct page_window *window, uint64_t (*order)(uint64_t),
				   size_t max, uint64_t wanted)
{
	const struct page_allocator asked = { .allocate = ask, .context = &source };

	memset(&source, 0, sizeof(source));
	source.order = order;
	source.end = 90000;
	*window = (struct page_window){ .pages = window_pages, .max = max };
	return page_window_begin(window, &asked, PAGE, wanted);
}

/* Takes this many, every page once. Returns how many do not follow the one before. */
static uint64_t take(const struct page_allocator *allocator, uint64_t count)
{
	uint64_t last = 0, breaks = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t offset = 0;

		ck_assert_int_eq(allocator->allocate(allocator->context, &offset), 0);
		ck_assert_uint_eq(offset % PAGE, 0);
		ck_assert_uint_lt(offset / PAGE, AREA);
		ck_assert(!source.seen[offset / PAGE]);
		source.seen[offset / PAGE] = true;
		breaks += offset != last + PAGE;
		last = offset;
	}
	return breaks;
}

START_TEST(sorts_what_comes_in_turn)
{
	struct page_allocator allocator;
	struct page_window window;
	uint64_t before;

	allocator = begin(&window, in_turn, 1, 50000);
	before = take(&allocator, 50000);
	ck_assert_uint_gt(before, 49000);
	allocator = begin(&window, in_turn, PAGE_WINDOW_MAX, 50000);
	ck_assert_uint_lt(take(&allocator, 50000), before / 50);
	allocator = begin(&window, backwards, PAGE_WINDOW_MAX, 50000);
	ck_assert_uint_lt(take(&allocator, 50000), 20);
}
END_TEST

static uint64_t (*const orders[])(uint64_t) = { in_order, in_pieces };

/* Pages that come as they lie on the disk are used as they come, and hardly any is taken for
 * nothing. */
START_TEST(costs_nothing_where_in_order)
{
	struct page_window window;
	struct page_allocator allocator = begin(&window, orders[_i], PAGE_WINDOW_MAX, 40000);

	for (uint64_t i = 0; i < 40000; i++) {
		uint64_t offset = 0;

		ck_assert_int_eq(allocator.allocate(allocator.context, &offset), 0);
		ck_assert_uint_eq(offset, orders[_i](i) * PAGE);
	}
	ck_assert_uint_lt(source.asked, 40000 + PAGE_WINDOW_FIRST);
}
END_TEST

/* Not many more than will be needed. */
START_TEST(small_images_take_few)
{
	struct page_window window;
	struct page_allocator allocator = begin(&window, in_turn, PAGE_WINDOW_MAX, 3000);

	take(&allocator, 3000);
	ck_assert_uint_lt(source.given, 3000 + PAGE_WINDOW_FIRST);
	/* What was thought to be enough was not. */
	take(&allocator, 200);
	ck_assert_uint_lt(source.given, 3200 + PAGE_WINDOW_FIRST);
}
END_TEST

/* When the area is full, all of it was handed out. */
START_TEST(uses_all_of_a_full_area)
{
	struct page_window window;
	struct page_allocator allocator = begin(&window, in_turn, PAGE_WINDOW_MAX, 90000);
	uint64_t offset = 77;

	source.end = 5000;
	take(&allocator, 5000);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(allocator.allocate(allocator.context, &offset), -ENOSPC);
	ck_assert_uint_eq(offset, 77);
}
END_TEST

/* An error is reported after the pages before it are used up, or never if it was transient. */
START_TEST(an_error_loses_no_page)
{
	struct page_window window;
	struct page_allocator allocator = begin(&window, in_turn, PAGE_WINDOW_MAX, 90000);
	uint64_t offset;

	source.error_at = 30;
	take(&allocator, 29);
	take(&allocator, 100);
	allocator = begin(&window, in_turn, PAGE_WINDOW_MAX, 90000);
	source.error_at = 1;
	ck_assert_int_eq(allocator.allocate(allocator.context, &offset), -EIO);
	take(&allocator, 100);
}
END_TEST

/* Images. */

#define DEVICE_PAGES 16384u

static int write_image(struct fake_snapshot *snapshot, struct fake_device *device,
		       size_t window_max, struct image_written *ret, struct why *w)
{
	const struct image_writer_config config = {
		.fd = device->fd,
		.page_size = FAKE_PAGE,
		.block_size = 64u << 10,
		.buffer_bytes = 8u << 20,
		.max_stream = snapshot->size,
		.compress = true,
		.window_pages = window_max,
	};
	const struct image_writer_run run = {
		.image_id = "0123456789abcde",
		.stream_size = snapshot->size,
		.source = fake_snapshot_source(snapshot),
		.allocator = fake_device_allocator(device),
	};
	struct image_writer *writer = NULL;
	int r = image_writer_create(&config, &writer, w);

	ck_assert_msg(r == 0, "%s", why_text(w, r));
	r = image_writer_run(writer, &run, ret, w);
	image_writer_destroy(writer);
	return r;
}

static void check_image(struct fake_snapshot *snapshot, const struct fake_device *device,
			const struct image_written *written)
{
	const struct page_sink sink = fake_snapshot_sink(snapshot);
	const struct image_reader_config config = {
		.fd = device->fd,
		.page_size = FAKE_PAGE,
		.device_bytes = device->bytes,
		.buffer_bytes = 8u << 20,
	};
	struct image_reader *reader = NULL;
	struct why w = { 0 };
	int r = image_reader_open(&config, &written->record, &reader, &w);

	if (r == 0)
		r = image_reader_load(reader, &sink, NULL, NULL, &w);
	image_reader_close(reader);
	ck_assert_msg(r == 0, "reading: %s", why_text(&w, r));
	ck_assert_uint_eq(snapshot->written_at, snapshot->size);
	ck_assert(!snapshot->differs);
}

/* The same image with pages as they come and sorted: few pieces of the device
 * instead of one a page; and where it fits so, it fits sorted. */
START_TEST(images)
{
	struct image_written written;
	struct fake_snapshot snapshot;
	struct fake_device device;
	struct why w = { 0 };
	uint64_t extents, needed;

	ck_assert_int_eq(crypto_init(NULL), 0);
	fake_snapshot_make(&snapshot, 6000, 1, true);
	fake_device_make(&device, DEVICE_PAGES, 1);
	device.clusters = 64;
	ck_assert_int_eq(write_image(&snapshot, &device, 1, &written, &w), 0);
	extents = written.extents;
	needed = device.allocated;
	ck_assert_uint_gt(extents, written.stored_bytes / FAKE_PAGE * 9 / 10);
	check_image(&snapshot, &device, &written);

	fake_device_rewind(&device);
	device.pages_left = needed;
	ck_assert_int_eq(write_image(&snapshot, &device, 0, &written, &w), 0);
	ck_assert_msg(written.extents * 8 < extents, "%" PRIu64 " extents, %" PRIu64 " before",
		      written.extents, extents);
	check_image(&snapshot, &device, &written);

	fake_device_rewind(&device);
	device.pages_left = needed / 2;
	ck_assert_int_eq(write_image(&snapshot, &device, 0, &written, &w), -ENOSPC);
	ck_assert_str_eq(w.text, "the swap area is full");
	fake_snapshot_free(&snapshot);
	fake_device_free(&device);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "page_window");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, sorts_what_comes_in_turn);
	tcase_add_loop_test(tcase, costs_nothing_where_in_order, 0,
			    (int)(sizeof(orders) / sizeof(orders[0])));
	tcase_add_test(tcase, small_images_take_few);
	tcase_add_test(tcase, uses_all_of_a_full_area);
	tcase_add_test(tcase, an_error_loses_no_page);
	tcase_add_test(tcase, images);
}
