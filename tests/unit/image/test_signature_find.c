/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first page of a swap area that a kernel with pages of another size made. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "image/signature_find.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES (512u << 10)

static unsigned char disk[BYTES];
static int fd;

static void make(void)
{
	memset(disk, 0, sizeof(disk));
	fd = memfd_create("disk", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
}

static void unmake(void)
{
	close(fd);
}

static void sign(size_t start, size_t page_size, const char *signature)
{
	memcpy(disk + start + page_size - 10, signature, 10);
}

/* By a kernel with pages of native bytes: where something was found. */
static void expect(uint64_t offset, size_t native, size_t length, size_t page_size,
		   enum swap_signature_kind kind)
{
	struct signature_page sp;

	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(io_pwrite_full(fd, disk, length, 0), 0);
	ck_assert_int_eq(signature_page_find(&sp, fd, offset, native, NULL), 0);
	ck_assert_uint_eq(sp.size, page_size);
	ck_assert_uint_eq(sp.offset, offset * page_size);
	ck_assert_int_eq(swap_signature_kind(sp.page, sp.size), kind);
	signature_page_close(&sp);
}

START_TEST(test_each_by_each)
{
	static const size_t sizes[] = { 4096, 16384, 65536 };
	size_t native = sizes[_i / 3], made = sizes[_i % 3];

	expect(0, native, BYTES, native, SWAP_IS_NOTHING);
	sign(0, made, "ULSUSPEND\0");
	expect(0, native, BYTES, made, SWAP_IS_USER_IMAGE);
	sign(0, made, "S1SUSPEND\0");
	expect(0, native, BYTES, made, SWAP_IS_KERNEL_IMAGE);
	sign(0, made, "SWAPSPACE2");
	expect(0, native, BYTES, made, SWAP_IS_SWAP);
	/* A swap file: its offset is in pages of the kernel that made it. */
	memset(disk, 0, sizeof(disk));
	sign(3 * made, made, "ULSUSPEND\0");
	expect(3, native, BYTES, made, SWAP_IS_USER_IMAGE);
}
END_TEST

/* What was swapped out lies where a larger page would end, and may be anything that
 * a process wrote. */
START_TEST(test_swapped_out)
{
	sign(0, 4096, "SWAPSPACE2");
	sign(0, 16384, "ULSUSPEND\0");
	sign(0, 65536, "ULSUSPEND\0");
	expect(0, 4096, BYTES, 4096, SWAP_IS_SWAP);
	sign(0, 65536, "no special");
	expect(0, 65536, BYTES, 4096, SWAP_IS_SWAP);
}
END_TEST

/* What is left of a record of ours, its signature damaged. */
START_TEST(test_record)
{
	struct signature_page sp;

	memcpy(disk + 16384 - 512, "s2diskSG", 8);
	ck_assert_int_eq(io_pwrite_full(fd, disk, BYTES, 0), 0);
	ck_assert_int_eq(signature_page_find(&sp, fd, 0, 4096, NULL), 0);
	ck_assert_uint_eq(sp.size, 16384);
	signature_page_close(&sp);
}
END_TEST

START_TEST(test_small_device)
{
	struct signature_page sp;

	expect(0, 4096, 20480, 4096, SWAP_IS_NOTHING);
	sign(0, 16384, "ULSUSPEND\0");
	expect(0, 4096, 20480, 16384, SWAP_IS_USER_IMAGE);
	ck_assert_int_eq(ftruncate(fd, 1000), 0);
	ck_assert_int_eq(signature_page_find(&sp, fd, 0, 4096, NULL), -ENODATA);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "signature_find");

	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_add_loop_test(tcase, test_each_by_each, 0, 9);
	tcase_add_test(tcase, test_swapped_out);
	tcase_add_test(tcase, test_record);
	tcase_add_test(tcase, test_small_device);
}
