/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "small_image.h"

#include "fuzz.h"

#include "base/bytes.h"
#include "base/io.h"
#include "image/image_commit.h"

#include <errno.h>
#include <unistd.h>

#define PAGE SMALL_PAGE
#define DATA_PAGES 80u
#define STREAM_PAGES (2 + DATA_PAGES)

/* The kernel's stream: header page, one page of metadata, data. */
static void make_stream(unsigned char *stream)
{
	uint64_t random = 88172645463325252;

	memset(stream, 0, STREAM_PAGES * PAGE);
	put_le64(stream + 24, 0x23456789ABCDEF02);
	put_le64(stream + 400, 131072);
	put_le32(stream + 408, 2);
	put_le64(stream + 416, DATA_PAGES);
	put_le64(stream + 424, STREAM_PAGES);
	put_le64(stream + 432, STREAM_PAGES * PAGE);
	/* Runs of five, and a page of zeros between them. */
	for (uint64_t i = 0; i < DATA_PAGES; i++)
		put_le64(stream + PAGE + 8 * i, i + i / 5 * 100);
	put_le64(stream + PAGE + 8 * DATA_PAGES, 99999 | 1ull << 63);
	put_le64(stream + PAGE + 8 * (DATA_PAGES + 1), UINT64_MAX);
	for (size_t at = 2 * PAGE; at < STREAM_PAGES * PAGE; at += 8) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		/* A third of the pages will not be compressed. */
		put_le64(stream + at, at / PAGE / 16 % 3 == 0 ? random : at / 700);
	}
}

struct source {
	const unsigned char *stream;
	size_t at;
};

static ssize_t read_stream(void *context, void *buffer, size_t length)
{
	struct source *source = context;
	size_t n = min_u64(length, STREAM_PAGES * PAGE - source->at);

	memcpy(buffer, source->stream + source->at, n);
	source->at += n;
	return (ssize_t)n;
}

/* Pairs of pages with a gap: extents of one, two and more pages. */
static int allocate(void *context, uint64_t *ret)
{
	uint64_t *next = context;

	*ret = *next * PAGE;
	*next += *next % 3 ? 1 : 2;
	return *next < SMALL_PAGES ? 0 : -ENOSPC;
}

static void make_swap_header(int fd)
{
	unsigned char page[PAGE] = { 0 };

	put_le32(page + 1024, 1);
	put_le32(page + 1028, SMALL_PAGES - 1);
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	fuzz_assert(ftruncate(fd, (off_t)SMALL_BYTES) == 0);
	fuzz_assert(io_pwrite_full(fd, page, PAGE, 0) == 0);
}

void small_image_make(int fd, unsigned char *device)
{
	small_image_make_with(fd, device, NULL);
}

void small_image_make_with(int fd, unsigned char *device, const struct platform_maker *maker)
{
	static unsigned char stream[STREAM_PAGES * PAGE];
	struct source source = { .stream = stream };
	uint64_t next = 1;
	struct image_writer_config config = {
		.fd = fd,
		.page_size = PAGE,
		.block_size = 64u << 10,
		.buffer_bytes = 1u << 20,
		.max_stream = sizeof(stream),
		.compress = true,
		.writer = "a fuzzer",
	};
	struct image_writer_run run = {
		.image_id = "0123456789abcde",
		.created = 1234567890,
		.stream_size = sizeof(stream),
		.source = { .read = read_stream, .context = &source },
		.allocator = { .allocate = allocate, .context = &next },
	};
	struct image_writer *writer = NULL;
	struct image_written written;
	struct signature_page sp;

	if (maker)
		run.platform = *maker;
	make_stream(stream);
	make_swap_header(fd);
	fuzz_assert(image_writer_create(&config, &writer, NULL) == 0);
	fuzz_assert(image_writer_run(writer, &run, &written, NULL) == 0);
	image_writer_destroy(writer);
	fuzz_assert(signature_page_open(&sp, fd, 0, PAGE, NULL) == 0);
	fuzz_assert(image_commit(&sp, &written.record, NULL) == 0);
	signature_page_close(&sp);
	fuzz_assert(io_pread_full(fd, device, SMALL_BYTES, 0) == 0);
}
