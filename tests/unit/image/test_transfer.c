/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/transfer: pieces of memory and extents of a file, in all combinations. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "image/pipeline/transfer.h"
#include "image/pipeline/work_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 512u /* a transfer does not care */
#define PAGES 400u
#define DEVICE_PAGES 1000u

struct fixture {
	int fd;
	struct transfer transfer;
	struct iovec pieces[PAGES];
	struct extent extents[PAGES];
	atomic_bool cancel;
	unsigned char memory[PAGES * PAGE], other[PAGES * PAGE];
};

static struct fixture f;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void make(bool write)
{
	memset(&f, 0, sizeof(f));
	f.fd = memfd_create("device", MFD_CLOEXEC);
	ck_assert_int_ge(f.fd, 0);
	ck_assert_int_eq(ftruncate(f.fd, DEVICE_PAGES * PAGE), 0);
	f.transfer = (struct transfer){
		.fd = f.fd,
		.write = write,
		.page_size = PAGE,
		.cancel = &f.cancel,
		.pieces = f.pieces,
		.piece_max = PAGES,
		.extents = f.extents,
		.extent_max = PAGES,
	};
}

static void fill(unsigned char *memory, uint64_t seed)
{
	uint64_t random = seed | 1;

	for (size_t i = 0; i < PAGES * PAGE; i += 8)
		put_le64(memory + i, next_random(&random));
}

/* Cuts this many pages of memory into pieces of 1 to max pages. */
static void add_pieces(unsigned char *memory, uint64_t pages, uint64_t max, uint64_t *random)
{
	for (uint64_t at = 0; at < pages;) {
		uint64_t n = min_u64(1 + next_random(random) % max, pages - at);

		ck_assert(transfer_add_memory(&f.transfer, memory + at * PAGE, n * PAGE));
		at += n;
	}
	ck_assert_uint_eq(f.transfer.bytes, pages * PAGE);
}

/* This many pages of the device, in runs of 1 to max, in an order of their own:
 * forwards from page 0 with gaps, or backwards from the end. */
static void add_extents(uint64_t pages, uint64_t max, bool backwards, uint64_t *random)
{
	uint64_t next = backwards ? DEVICE_PAGES : 0;

	for (uint64_t at = 0; at < pages;) {
		uint64_t n = min_u64(1 + next_random(random) % max, pages - at);
		uint64_t gap = next_random(random) % 2;

		if (next_random(random) % 4 && pages - at + n < 100)
			n = 1;
		if (backwards)
			next -= n + gap;
		else
			next += gap;
		ck_assert(transfer_add_extent(&f.transfer, (struct extent){ next * PAGE, n }));
		next += backwards ? 0 : n;
		at += n;
	}
}

START_TEST(pieces_and_extents)
{
	static const uint64_t sizes[] = { 1, 2, 63, 64, 65, 128, 129, PAGES };
	uint64_t random = 0x2545f4914f6cdd1d + (uint64_t)_i, pages = sizes[(size_t)_i / 8];
	uint64_t max = (const uint64_t[]){ 1, 3, 64, PAGES }[_i % 4];
	bool backwards = _i % 8 >= 4;
	struct extent extents[PAGES];
	size_t count;

	make(true);
	fill(f.memory, random);
	add_pieces(f.memory, pages, max, &random);
	add_extents(pages, max, backwards, &random);
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, 0);
	/* Read plainly. */
	count = f.transfer.extent_count;
	memcpy(extents, f.extents, sizeof(extents));
	for (size_t i = 0, at = 0; i < count; at += extents[i++].pages * PAGE)
		ck_assert_int_eq(io_pread_full(f.fd, f.other + at, extents[i].pages * PAGE,
					       extents[i].offset),
				 0);
	ck_assert(memcmp(f.memory, f.other, pages * PAGE) == 0);
	/* And by a transfer, into other pieces. */
	memset(f.other, 0, sizeof(f.other));
	transfer_reset(&f.transfer);
	f.transfer.write = false;
	add_pieces(f.other, pages, PAGES / max, &random);
	for (size_t i = 0; i < count; i++)
		ck_assert(transfer_add_extent(&f.transfer, extents[i]));
	ck_assert_uint_eq(f.transfer.extent_count, count);
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, 0);
	ck_assert(memcmp(f.memory, f.other, pages * PAGE) == 0);
	ck_assert(bytes_all_zero(f.other + pages * PAGE, sizeof(f.other) - pages * PAGE));
	close(f.fd);
}
END_TEST

START_TEST(neighbours_become_one)
{
	make(false);
	f.transfer.extent_max = 2;
	f.transfer.piece_max = 1;
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 10 * PAGE, 1 }));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 11 * PAGE, 3 }));
	ck_assert_uint_eq(f.transfer.extent_count, 1);
	ck_assert_uint_eq(f.extents[0].pages, 4);
	/* Not the page before, nor the same again. */
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 9 * PAGE, 1 }));
	ck_assert_uint_eq(f.transfer.extent_count, 2);
	ck_assert(!transfer_add_extent(&f.transfer, (struct extent){ 9 * PAGE, 1 }));
	/* Full, but a neighbour needs no room. */
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 10 * PAGE, 1 }));
	ck_assert(!transfer_add_extent(&f.transfer, (struct extent){ 12 * PAGE, 1 }));
	ck_assert_uint_eq(f.transfer.extent_count, 2);
	ck_assert(transfer_add_memory(&f.transfer, f.memory, PAGE));
	ck_assert(!transfer_add_memory(&f.transfer, f.other, PAGE));
	ck_assert_uint_eq(f.transfer.bytes, PAGE);
	close(f.fd);
}
END_TEST

START_TEST(short_device)
{
	make(false);
	ck_assert_int_eq(ftruncate(f.fd, 20 * PAGE + 100), 0);
	ck_assert(transfer_add_memory(&f.transfer, f.memory, 9 * PAGE));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 2 * PAGE, 3 }));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 19 * PAGE, 3 }));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 6 * PAGE, 3 }));
	memset(f.memory, 0xee, sizeof(f.memory));
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, -ENODATA);
	ck_assert_uint_eq(f.transfer.error_offset, 19 * PAGE);
	/* Nothing after it was begun. */
	for (size_t i = 6 * PAGE; i < sizeof(f.memory); i++)
		ck_assert_uint_eq(f.memory[i], 0xee);
	transfer_reset(&f.transfer);
	ck_assert_int_eq(f.transfer.error, 0);
	ck_assert_uint_eq(f.transfer.error_offset, 0);
	ck_assert_uint_eq(f.transfer.bytes, 0);
	/* It can be used again. */
	ck_assert(transfer_add_memory(&f.transfer, f.memory, PAGE));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 2 * PAGE, 1 }));
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, 0);
	close(f.fd);
}
END_TEST

START_TEST(errors_of_the_device)
{
	make(true);
	close(f.fd);
	f.transfer.fd = f.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(f.fd, 0);
	ck_assert(transfer_add_memory(&f.transfer, f.memory, 4 * PAGE));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 5 * PAGE, 2 }));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 9 * PAGE, 2 }));
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, -ENOSPC);
	ck_assert_uint_eq(f.transfer.error_offset, 5 * PAGE);
	transfer_reset(&f.transfer);
	f.transfer.write = false; /* it was not opened for that */
	ck_assert(transfer_add_memory(&f.transfer, f.memory, 2 * PAGE));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 9 * PAGE, 2 }));
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, -EBADF);
	ck_assert_uint_eq(f.transfer.error_offset, 9 * PAGE);
	close(f.fd);
}
END_TEST

/* More extents than memory: an error, and no end without one. */
START_TEST(too_little_memory)
{
	make(_i);
	ck_assert(transfer_add_memory(&f.transfer, f.memory, 2 * PAGE));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 5 * PAGE, 3 }));
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, _i ? -EIO : -ENODATA);
	close(f.fd);
}
END_TEST

START_TEST(cancelled)
{
	struct stat st;

	make(true);
	ck_assert_int_eq(ftruncate(f.fd, 0), 0);
	ck_assert(transfer_add_memory(&f.transfer, f.memory, 2 * PAGE));
	ck_assert(transfer_add_extent(&f.transfer, (struct extent){ 5 * PAGE, 2 }));
	atomic_store(&f.cancel, true);
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, -ECANCELED);
	ck_assert_int_eq(fstat(f.fd, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	/* This one cannot be cancelled. */
	f.transfer.error = 0;
	f.transfer.cancel = NULL;
	transfer_run(NULL, &f.transfer);
	ck_assert_int_eq(f.transfer.error, 0);
	ck_assert_int_eq(fstat(f.fd, &st), 0);
	ck_assert_int_eq(st.st_size, 7 * PAGE);
	close(f.fd);
}
END_TEST

/* Jobs of a pool: each page of the device by its own request. */
START_TEST(in_a_pool)
{
	static unsigned char memory[3 * WORK_POOL_STACK_SIZE + PAGES * sizeof(struct work_entry)]
		__attribute__((aligned(65536)));
	static struct transfer transfers[PAGES];
	struct work_pool pool;

	make(true);
	fill(f.memory, 7);
	ck_assert_int_eq(
		work_pool_start(&pool, (unsigned int)_i, transfer_run, NULL, PAGES, memory), 0);
	for (size_t i = 0; i < PAGES; i++) {
		transfers[i] = f.transfer;
		transfers[i].pieces = &f.pieces[i];
		transfers[i].extents = &f.extents[i];
		transfers[i].piece_max = 1;
		transfers[i].extent_max = 1;
		ck_assert(transfer_add_memory(&transfers[i], f.memory + i * PAGE, PAGE));
		ck_assert(transfer_add_extent(&transfers[i], (struct extent){ i * PAGE, 1 }));
		work_pool_submit(&pool, &transfers[i]);
	}
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert_ptr_eq(work_pool_collect(&pool, true), &transfers[i]);
		ck_assert_int_eq(transfers[i].error, 0);
	}
	work_pool_stop(&pool);
	ck_assert_int_eq(io_pread_full(f.fd, f.other, sizeof(f.other), 0), 0);
	ck_assert(memcmp(f.memory, f.other, sizeof(f.other)) == 0);
	close(f.fd);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "transfer");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, pieces_and_extents, 0, 64);
	tcase_add_test(tcase, neighbours_become_one);
	tcase_add_test(tcase, short_device);
	tcase_add_test(tcase, errors_of_the_device);
	tcase_add_loop_test(tcase, too_little_memory, 0, 2);
	tcase_add_test(tcase, cancelled);
	tcase_add_loop_test(tcase, in_a_pool, 0, 4);
}
