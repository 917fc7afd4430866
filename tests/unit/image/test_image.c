/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images whole: written, committed, read back, damaged; in parallel and by the
 * serial twin. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/image/fake_snapshot.h"
#include "format/codec.h"
#include "image/image_commit.h"
#include "image/image_reader.h"
#include "image/image_writer.h"
#include "fixtures/quick.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICE_PAGES 8192u

/* ThreadSanitizer makes starting threads slow, and each load starts some; races
 * show in a few loads as well as in thousands. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THINNING 16
#endif
#endif
#ifndef THINNING
#define THINNING (quick() ? 8u : 1u)
#endif

struct fixture {
	struct fake_snapshot snapshot;
	struct fake_device device;
	struct image_written written;
	struct why why;
	unsigned int workers;
	uint32_t block_size;
	bool compress;
	int effort;
	uint64_t room;
	int platform_error;
	size_t window_pages;
	int stop_after; /* calls of the watch until it says stop; 0: never */
};

static int watch(void *context, uint64_t done)
{
	struct fixture *f = context;

	ck_assert_uint_le(done, f->snapshot.size);
	if (f->stop_after && --f->stop_after == 0)
		return -ECANCELED;
	return 0;
}

/* The maker sees the kernel's header page. */
static int make_platform(void *context, const unsigned char *kernel_header, size_t page_size,
			 const void **ret, size_t *ret_size)
{
	struct fixture *f = context;

	ck_assert_uint_eq(page_size, FAKE_PAGE);
	ck_assert(memcmp(kernel_header, f->snapshot.stream, FAKE_PAGE) == 0);
	*ret = "platform!";
	*ret_size = 9;
	return f->platform_error;
}

static int write_image(struct fixture *f)
{
	struct image_writer_config config = {
		.fd = f->device.fd,
		.page_size = FAKE_PAGE,
		.block_size = f->block_size,
		.workers = f->workers,
		.buffer_bytes = 32u << 20,
		.max_stream = f->snapshot.size,
		.compress = f->compress,
		.effort = f->effort,
		.window_pages = f->window_pages,
		.writer = "a test",
	};
	struct image_writer_run run = {
		.image_id = "0123456789abcde",
		.created = 1234567890,
		.stream_size = f->snapshot.size,
		.room = f->room,
		.source = fake_snapshot_source(&f->snapshot),
		.allocator = fake_device_allocator(&f->device),
		.platform = { .make = make_platform, .context = f },
		.watch = { .progress = watch, .context = f },
	};
	struct image_writer *writer = NULL;
	int r = image_writer_create(&config, &writer, &f->why);

	ck_assert_msg(r == 0, "%s", why_text(&f->why, r));
	r = image_writer_run(writer, &run, &f->written, &f->why);
	image_writer_destroy(writer);
	return r;
}

static int open_image(struct fixture *f, struct image_reader **ret)
{
	struct image_reader_config config = {
		.fd = f->device.fd,
		.page_size = FAKE_PAGE,
		.device_bytes = f->device.bytes,
		.workers = f->workers,
		.buffer_bytes = 32u << 20,
	};

	f->why.text[0] = '\0';
	return image_reader_open(&config, &f->written.record, ret, &f->why);
}

static int load_image(struct fixture *f)
{
	const struct page_sink sink = fake_snapshot_sink(&f->snapshot);
	const struct stream_watch progress = { .progress = watch, .context = f };
	struct image_reader *reader = NULL;
	int r = open_image(f, &reader);

	if (r == 0)
		r = image_reader_load(reader, &sink, NULL, &progress, &f->why);
	image_reader_close(reader);
	return r;
}

static void make(struct fixture *f, unsigned int workers, size_t pages, uint64_t step)
{
	*f = (struct fixture){
		.workers = workers,
		.block_size = 64u << 10,
		.compress = true,
		.effort = 1,
	};
	ck_assert_int_eq(crypto_init(NULL), 0);
	fake_snapshot_make(&f->snapshot, pages, 1, true);
	fake_device_make(&f->device, DEVICE_PAGES, step);
}

static void unmake(struct fixture *f)
{
	fake_snapshot_free(&f->snapshot);
	fake_device_free(&f->device);
}

static void round_trip(struct fixture *f)
{
	int r = write_image(f);

	ck_assert_msg(r == 0, "writing: %s", why_text(&f->why, r));
	r = load_image(f);
	ck_assert_msg(r == 0, "reading: %s", why_text(&f->why, r));
	ck_assert_uint_eq(f->snapshot.written_at, f->snapshot.size);
	ck_assert(!f->snapshot.differs);
}

static const unsigned int worker_counts[] = { 0, 1, 2, 5 };

START_TEST(test_round_trip)
{
	struct fixture f;

	make(&f, worker_counts[_i], 3000, 1);
	round_trip(&f);
	ck_assert_uint_eq(f.written.raw_bytes, f.snapshot.size);
	ck_assert_uint_lt(f.written.stored_bytes, f.snapshot.size);
	unmake(&f);
}
END_TEST

START_TEST(test_round_trip_uncompressed)
{
	struct fixture f;

	make(&f, worker_counts[_i], 1000, 1);
	f.compress = false;
	round_trip(&f);
	ck_assert_uint_ge(f.written.stored_bytes, f.snapshot.size);
	unmake(&f);
}
END_TEST

START_TEST(test_efforts)
{
	static const int efforts[] = { 64, 1, EFFORT_HC(9), EFFORT_HC(2) };
	size_t size = 1u << 18, sizes[ARRAY_SIZE(efforts)];
	char *raw = malloc(size), *packed = malloc(size), *again = malloc(size);
	void *state = malloc(codec_state_size());
	unsigned int random = 1;

	/* Words that come again and again. */
	for (size_t i = 0, k = 0; i < size; i++, k++) {
		if (k % 8 == 0)
			random = random * 1103515245 + 12345;
		raw[i] = (char)('a' + (random >> 16) % 1000 * (k % 8 + 3) % 26);
	}
	for (size_t i = 0; i < ARRAY_SIZE(efforts); i++) {
		size_t n = codec_compress(state, raw, size, packed, size, efforts[i]);

		ck_assert_uint_gt(n, 0);
		sizes[i] = n;
		ck_assert_int_eq(codec_decompress(packed, n, again, size), 0);
		ck_assert(memcmp(raw, again, size) == 0);
		/* What would be larger than allowed is refused. */
		ck_assert_uint_eq(codec_compress(state, raw, size, packed, n - 1, efforts[i]), 0);
	}
	ck_assert_uint_lt(sizes[1], sizes[0]);
	ck_assert_uint_lt(sizes[2], sizes[1]);
	/* From LZ4 1.10 on level 2 is another algorithm, faster and on data like
	 * these a little behind the fast one. */
	ck_assert_uint_lt(sizes[3], sizes[1] + sizes[1] / 64);
	free(raw);
	free(packed);
	free(again);
	free(state);
}
END_TEST

/* As hard as suits, or harder or less hard throughout. */
START_TEST(test_round_trip_efforts)
{
	static const int efforts[] = { 0, 64, 1, EFFORT_HC(2) };
	uint64_t stored[ARRAY_SIZE(efforts)];

	for (size_t i = 0; i < ARRAY_SIZE(efforts); i++) {
		struct fixture f;

		make(&f, worker_counts[_i], 3000, 1);
		f.effort = efforts[i];
		f.room = f.device.bytes;
		round_trip(&f);
		stored[i] = f.written.stored_bytes;
		unmake(&f);
	}
	ck_assert_uint_ge(stored[1], stored[2]);
	ck_assert_uint_ge(stored[2] + stored[2] / 64, stored[3]);
	/* Alone, nothing is chosen. */
	if (worker_counts[_i] == 0)
		ck_assert_uint_eq(stored[0], stored[2]);
}
END_TEST

/* Every page an extent of its own, so that there are many chunks. */
START_TEST(test_round_trip_fragmented)
{
	struct fixture f;

	make(&f, worker_counts[_i], 3000, 3);
	round_trip(&f);
	ck_assert_uint_gt(f.written.extents, 500);
	unmake(&f);
}
END_TEST

START_TEST(test_sizes)
{
	static const size_t pages[] = { 1, 2, 13, 14, 15, 16, 17, 511, 512, 513, 1024 };
	static const uint32_t blocks[] = { 64u << 10, 512u << 10, 4u << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct fixture f;

		make(&f, 2, pages[_i], 1);
		f.block_size = blocks[i];
		round_trip(&f);
		unmake(&f);
	}
}
END_TEST

/* The serial twin writes the same bytes, wherever the pages lie. */
START_TEST(test_twin_writes_the_same)
{
	struct fixture a, b;
	unsigned char *x = malloc(DEVICE_PAGES * FAKE_PAGE), *y = malloc(DEVICE_PAGES * FAKE_PAGE);

	make(&a, 0, 3000, (uint64_t)_i);
	make(&b, 3, 3000, (uint64_t)_i);
	ck_assert_int_eq(write_image(&a), 0);
	ck_assert_int_eq(write_image(&b), 0);
	ck_assert_uint_eq(a.device.allocated, b.device.allocated);
	ck_assert_int_eq(io_pread_full(a.device.fd, x, a.device.bytes, 0), 0);
	ck_assert_int_eq(io_pread_full(b.device.fd, y, b.device.bytes, 0), 0);
	/* The header page alone has a time in it. */
	memset(x + a.written.record.header_offset + 104, 0, 8);
	memset(y + b.written.record.header_offset + 104, 0, 8);
	ck_assert(memcmp(x, y, a.device.bytes) == 0);
	free(x);
	free(y);
	unmake(&a);
	unmake(&b);
}
END_TEST

START_TEST(test_sections)
{
	struct image_reader *reader = NULL;
	const struct sections *s;
	struct fixture f;

	make(&f, 2, 2000, 1);
	ck_assert_int_eq(write_image(&f), 0);
	ck_assert_int_eq(open_image(&f, &reader), 0);
	s = image_reader_sections(reader);
	ck_assert_uint_eq(s->platform.size, 9);
	ck_assert(memcmp(s->platform.data, "platform!", 9) == 0);
	ck_assert_uint_eq(s->writer.size, 6);
	ck_assert(memcmp(s->kernel_header.data, f.snapshot.stream, FAKE_PAGE) == 0);
	ck_assert_uint_eq(get_le64(s->page_ranges.data), f.snapshot.pfns);
	ck_assert_uint_eq(get_le64(s->page_ranges.data + 16), f.snapshot.zero_pfns);
	ck_assert_uint_le(get_le64(s->page_ranges.data + 8), f.snapshot.ranges);
	image_reader_close(reader);
	unmake(&f);
}
END_TEST

START_TEST(test_platform_fails)
{
	struct fixture f;

	make(&f, 2, 100, 1);
	f.platform_error = -ENOMEM;
	ck_assert_int_eq(write_image(&f), -ENOMEM);
	unmake(&f);
}
END_TEST

START_TEST(test_area_full)
{
	struct fixture f;

	make(&f, worker_counts[_i], 3000, 1);
	for (uint64_t pages = 0; pages < 900; pages += 53) {
		fake_device_rewind(&f.device);
		f.device.pages_left = pages;
		ck_assert_int_eq(write_image(&f), -ENOSPC);
		ck_assert_uint_le(f.written.stored_bytes, pages * FAKE_PAGE);
	}
	/* And it can be written again with room. */
	fake_device_rewind(&f.device);
	round_trip(&f);
	unmake(&f);
}
END_TEST

START_TEST(test_stopped)
{
	struct fixture f;

	make(&f, worker_counts[_i], 3000, 1);
	f.stop_after = 20;
	ck_assert_int_eq(write_image(&f), -ECANCELED);
	fake_device_rewind(&f.device);
	round_trip(&f);
	f.stop_after = 20;
	ck_assert_int_eq(load_image(&f), -ECANCELED);
	unmake(&f);
}
END_TEST

START_TEST(test_source_fails)
{
	struct fixture f;

	make(&f, worker_counts[_i], 3000, 1);
	f.snapshot.fail_at = 1u << 20;
	f.snapshot.fail_error = -EIO;
	ck_assert_int_eq(write_image(&f), -EIO);
	ck_assert_ptr_nonnull(strstr(f.why.text, "1048576"));
	f.snapshot.fail_at = 0;
	f.snapshot.short_at = 2u << 20;
	fake_device_rewind(&f.device);
	ck_assert_int_eq(write_image(&f), -EIO);
	unmake(&f);
}
END_TEST

START_TEST(test_sink_fails)
{
	struct fixture f;

	make(&f, worker_counts[_i], 3000, 1);
	ck_assert_int_eq(write_image(&f), 0);
	f.snapshot.fail_at = 4097;
	f.snapshot.fail_error = -EPERM;
	ck_assert_int_eq(load_image(&f), -EPERM);
	unmake(&f);
}
END_TEST

/* A device that fails: here one opened for reading only. */
START_TEST(test_device_fails)
{
	struct fixture f;
	char path[32];
	int writable;

	make(&f, worker_counts[_i], 3000, 1);
	writable = f.device.fd;
	snprintf(path, sizeof(path), "/dev/fd/%d", writable);
	f.device.fd = open(path, O_RDONLY);
	ck_assert_int_ge(f.device.fd, 0);
	ck_assert_int_eq(write_image(&f), -EBADF);
	close(f.device.fd);
	f.device.fd = writable;
	unmake(&f);
}
END_TEST

/* A device that became shorter. */
START_TEST(test_truncated)
{
	struct fixture f;
	uint64_t pages = 0;

	make(&f, 2, 3000, 1);
	f.window_pages = 1; /* all that was allocated is used */
	ck_assert_int_eq(write_image(&f), 0);
	for (pages = 1; pages < f.device.allocated + 1; pages += 61) {
		f.device.bytes = pages * FAKE_PAGE;
		ck_assert_int_lt(load_image(&f), 0);
		ck_assert_uint_gt(strlen(f.why.text), 0);
	}
	unmake(&f);
}
END_TEST

/* One bit anywhere in what the image uses: it is refused, or (padding behind a
 * block) loads unchanged anyway; never anything else. */
START_TEST(test_flipped_bits)
{
	struct fixture f;
	uint64_t end, stride;
	unsigned int refused = 0, harmless = 0;

	make(&f, worker_counts[_i], 600, _i == 2 ? 3 : 1);
	f.window_pages = 1; /* all that was allocated is used */
	ck_assert_int_eq(write_image(&f), 0);
	end = f.device.step == 1 ? (f.device.allocated + 1) * FAKE_PAGE : f.device.bytes / 2;
	stride = f.device.step == 1 ? 509 : 4099;
	for (uint64_t at = FAKE_PAGE; at < end; at += stride * THINNING) {
		int r;

		fake_device_flip(&f.device, at, (unsigned char)(1u << at % 8));
		r = load_image(&f);
		if (r < 0) {
			refused++;
			ck_assert_uint_gt(strlen(f.why.text), 0);
		} else {
			harmless++;
			ck_assert(!f.snapshot.differs);
			ck_assert_uint_eq(f.snapshot.written_at, f.snapshot.size);
		}
		fake_device_flip(&f.device, at, (unsigned char)(1u << at % 8));
	}
	ck_assert_uint_gt(refused, 100 / THINNING);
	if (f.device.step == 1)
		ck_assert_uint_gt(refused, 5 * harmless);
	ck_assert_int_eq(load_image(&f), 0);
	unmake(&f);
}
END_TEST

START_TEST(test_commit)
{
	struct signature_page sp;
	struct signature_record record;
	unsigned char before[FAKE_PAGE], after[FAKE_PAGE];
	struct fixture f;

	make(&f, 2, 600, 1);
	ck_assert_int_eq(io_pread_full(f.device.fd, before, FAKE_PAGE, 0), 0);
	ck_assert_int_eq(write_image(&f), 0);
	/* Not an image yet. */
	ck_assert_int_eq(signature_page_open(&sp, f.device.fd, 0, FAKE_PAGE, NULL), 0);
	ck_assert_int_eq(swap_signature_kind(sp.page, FAKE_PAGE), SWAP_IS_SWAP);

	ck_assert_int_eq(image_commit(&sp, &f.written.record, NULL), 0);
	ck_assert_int_eq(signature_page_read(&sp, NULL), 0);
	ck_assert_int_eq(swap_signature_kind(sp.page, FAKE_PAGE), SWAP_IS_USER_IMAGE);
	ck_assert_int_eq(signature_record_decode(sp.page, FAKE_PAGE, &record, NULL), 0);
	ck_assert_uint_eq(record.attempts, 0);
	/* A second image cannot be committed over it. */
	ck_assert_int_eq(image_commit(&sp, &f.written.record, NULL), -EINVAL);

	record.attempts = 1;
	ck_assert_int_eq(image_update_record(&sp, &record, NULL), 0);
	record.attempts = 2;
	record.refusals = 7;
	ck_assert_int_eq(image_update_record(&sp, &record, NULL), 0);
	ck_assert_int_eq(signature_page_read(&sp, NULL), 0);
	ck_assert_int_eq(signature_record_decode(sp.page, FAKE_PAGE, &record, NULL), 0);
	ck_assert_uint_eq(record.attempts, 2);
	ck_assert_uint_eq(record.refusals, 7);
	ck_assert_uint_eq(record.created, 1234567890);
	f.written.record = record;
	ck_assert_int_eq(load_image(&f), 0);

	ck_assert_int_eq(image_clear(&sp, NULL), 0);
	ck_assert_int_eq(io_pread_full(f.device.fd, after, FAKE_PAGE, 0), 0);
	ck_assert(memcmp(before, after, FAKE_PAGE) == 0);
	/* Clearing what is clear does no harm. */
	ck_assert_int_eq(image_clear(&sp, NULL), 0);
	signature_page_close(&sp);
	unmake(&f);
}
END_TEST

/* An image of the kernel's own is nothing to be cleared. */
START_TEST(test_clear_leaves_kernel_image)
{
	struct signature_page sp;
	struct fixture f;

	make(&f, 0, 10, 1);
	ck_assert_int_eq(io_pwrite_full(f.device.fd, "S1SUSPEND", 10, FAKE_PAGE - 10), 0);
	ck_assert_int_eq(signature_page_open(&sp, f.device.fd, 0, FAKE_PAGE, NULL), 0);
	ck_assert_int_eq(image_clear(&sp, NULL), -EEXIST);
	signature_page_close(&sp);
	unmake(&f);
}
END_TEST

START_TEST(test_bad_block_size)
{
	struct image_writer_config config = { .page_size = FAKE_PAGE, .block_size = 100000 };
	struct image_writer *writer = NULL;
	struct why w = { 0 };

	ck_assert_int_eq(image_writer_create(&config, &writer, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "100000"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "image");
	int workers = (int)ARRAY_SIZE(worker_counts);

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_round_trip, 0, workers);
	tcase_add_loop_test(tcase, test_round_trip_uncompressed, 0, workers);
	tcase_add_test(tcase, test_efforts);
	tcase_add_loop_test(tcase, test_round_trip_efforts, 0, workers);
	tcase_add_loop_test(tcase, test_round_trip_fragmented, 0, workers);
	tcase_add_loop_test(tcase, test_sizes, 0, 11);
	tcase_add_loop_test(tcase, test_twin_writes_the_same, 1, 4);
	tcase_add_test(tcase, test_sections);
	tcase_add_test(tcase, test_platform_fails);
	tcase_add_loop_test(tcase, test_area_full, 0, workers);
	tcase_add_loop_test(tcase, test_stopped, 0, workers);
	tcase_add_loop_test(tcase, test_source_fails, 0, workers);
	tcase_add_loop_test(tcase, test_sink_fails, 0, workers);
	tcase_add_loop_test(tcase, test_device_fails, 0, workers);
	tcase_add_test(tcase, test_truncated);
	tcase_add_loop_test(tcase, test_flipped_bits, 0, workers);
	tcase_add_test(tcase, test_commit);
	tcase_add_test(tcase, test_clear_leaves_kernel_image);
	tcase_add_test(tcase, test_bad_block_size);
}
