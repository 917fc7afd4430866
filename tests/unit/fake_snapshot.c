/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_snapshot.h"

#include "base/bytes.h"
#include "base/io.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill_page(unsigned char *page, size_t number, uint64_t *state)
{
	switch (number % 4) {
	case 0:
		for (size_t i = 0; i < FAKE_PAGE; i += 8)
			put_le64(page + i, next_random(state));
		break;
	case 1:
		memset(page, 0, FAKE_PAGE);
		break;
	default:
		for (size_t i = 0; i < FAKE_PAGE; i += 32) {
			memcpy(page + i, "a line of text that is repeated\n", 32);
			put_le32(page + i + 12, (uint32_t)(number + i / 320));
		}
		break;
	}
}

/* The last page frames, as a kernel may leave them. */
#define LAST_ZEROS 3u

/* Page frame numbers: runs of 1 to 40 with gaps of 1 to 100. */
static void fill_metadata(struct fake_snapshot *s, unsigned char *metadata, size_t data_pages,
			  bool zero_pages, uint64_t *state)
{
	size_t entry = 0, last_zeros = zero_pages ? LAST_ZEROS : 0;
	uint64_t pfn = 1, run = 0;

	for (size_t data = 0; data < data_pages || last_zeros > 0;) {
		bool zero = data == data_pages || (zero_pages && entry % 16 == 15);

		if (run == 0) {
			pfn += 1 + next_random(state) % 100;
			run = 1 + next_random(state) % 40;
			s->ranges++;
		}
		put_le64(metadata + entry * 8, pfn | (zero ? 1ull << 63 : 0));
		entry++;
		pfn++;
		run--;
		s->pfns++;
		s->zero_pfns += zero;
		last_zeros -= data == data_pages;
		data += !zero;
	}
	if (entry % (FAKE_PAGE / 8))
		put_le64(metadata + entry * 8, UINT64_MAX);
}

void fake_snapshot_make(struct fake_snapshot *s, size_t data_pages, unsigned int seed,
			bool zero_pages)
{
	size_t entries = zero_pages ? data_pages + (data_pages - 1) / 15 + LAST_ZEROS : data_pages;
	size_t metadata_pages = div_round_up(entries, FAKE_PAGE / 8);
	size_t pages = 1 + metadata_pages + data_pages;
	uint64_t state = 88172645463325252ull + seed;

	*s = (struct fake_snapshot){ .size = pages * FAKE_PAGE };
	s->stream = calloc(pages, FAKE_PAGE);
	ck_assert_ptr_nonnull(s->stream);
	put_le64(s->stream + 24, 0x23456789ABCDEF02ull);
	put_le32(s->stream + 32, 0x6135c2f7);
	put_le64(s->stream + 400, 131072);
	put_le32(s->stream + 408, 2);
	put_le64(s->stream + 416, data_pages);
	put_le64(s->stream + 424, pages);
	put_le64(s->stream + 432, s->size);
	fill_metadata(s, s->stream + FAKE_PAGE, data_pages, zero_pages, &state);
	for (size_t i = 0; i < data_pages; i++)
		fill_page(s->stream + (1 + metadata_pages + i) * FAKE_PAGE, i, &state);
}

void fake_snapshot_free(struct fake_snapshot *s)
{
	free(s->stream);
	s->stream = NULL;
}

static ssize_t source_read(void *context, void *buffer, size_t length)
{
	struct fake_snapshot *s = context;
	size_t end = s->short_at ? s->short_at : s->size;
	size_t n = min_u64(length, end - s->read_at);

	if (s->fail_at && s->read_at + n > s->fail_at)
		return s->fail_error;
	memcpy(buffer, s->stream + s->read_at, n);
	s->read_at += n;
	return (ssize_t)n;
}

struct page_source fake_snapshot_source(struct fake_snapshot *s)
{
	s->read_at = 0;
	return (struct page_source){ .read = source_read, .context = s };
}

static int sink_write(void *context, const void *buffer, size_t length)
{
	struct fake_snapshot *s = context;

	if (s->fail_at && s->written_at + length > s->fail_at)
		return s->fail_error;
	if (length > s->size - s->written_at ||
	    memcmp(buffer, s->stream + s->written_at, length) != 0)
		s->differs = true;
	s->written_at += length;
	return 0;
}

struct page_sink fake_snapshot_sink(struct fake_snapshot *s)
{
	s->written_at = 0;
	s->differs = false;
	return (struct page_sink){ .write = sink_write, .context = s };
}

static void write_swap_header(struct fake_device *device)
{
	unsigned char page[FAKE_PAGE] = { 0 };

	put_le32(page + 1024, 1);
	put_le32(page + 1028, (uint32_t)(device->bytes / FAKE_PAGE - 1));
	memset(page + 1036, 0xab, 16);
	memcpy(page + 1052, "fake swap", 9);
	memcpy(page + FAKE_PAGE - 10, "SWAPSPACE2", 10);
	ck_assert_int_eq(io_pwrite_full(device->fd, page, sizeof(page), 0), 0);
}

void fake_device_make(struct fake_device *device, uint64_t pages, uint64_t step)
{
	const char *directory = getenv("TMPDIR");

	*device = (struct fake_device){ .bytes = pages * FAKE_PAGE, .step = step };
	snprintf(device->path, sizeof(device->path), "%s/s2disk-test-XXXXXX",
		 directory ? directory : "/tmp");
	device->fd = mkstemp(device->path);
	ck_assert_int_ge(device->fd, 0);
	unlink(device->path);
	ck_assert_int_eq(ftruncate(device->fd, (off_t)device->bytes), 0);
	write_swap_header(device);
	fake_device_rewind(device);
}

void fake_device_free(struct fake_device *device)
{
	close(device->fd);
}

void fake_device_rewind(struct fake_device *device)
{
	device->next = 1;
	device->pages_left = device->bytes / FAKE_PAGE - 1;
	device->allocated = 0;
}

static int allocate(void *context, uint64_t *ret)
{
	struct fake_device *device = context;
	uint64_t pages = device->bytes / FAKE_PAGE;

	if (device->pages_left == 0)
		return -ENOSPC;
	if (device->clusters) {
		uint64_t in_cluster = (pages - 1) / device->clusters;
		uint64_t turn = device->allocated / device->clusters;

		if (turn == in_cluster)
			return -ENOSPC;
		*ret = 1 + device->allocated++ % device->clusters * in_cluster + turn;
		*ret *= FAKE_PAGE;
		device->pages_left--;
		return 0;
	}
	*ret = device->next * FAKE_PAGE;
	device->pages_left--;
	device->allocated++;
	device->next += device->step;
	/* The next lane of pages. */
	if (device->next >= pages)
		device->next = (device->next - 1) % device->step + 2;
	return 0;
}

struct page_allocator fake_device_allocator(struct fake_device *device)
{
	return (struct page_allocator){ .allocate = allocate, .context = device };
}

void fake_device_flip(struct fake_device *device, uint64_t offset, unsigned char bits)
{
	unsigned char byte;

	ck_assert_int_eq(io_pread_full(device->fd, &byte, 1, offset), 0);
	byte ^= bits;
	ck_assert_int_eq(io_pwrite_full(device->fd, &byte, 1, offset), 0);
}
