/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: bytes, io, why, memory. */
#include "base/bytes.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/why.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* bytes */

START_TEST(bytes_are_little_endian)
{
	static const unsigned char expected[] = { 0xaa, 8, 7, 6, 5, 4, 3, 2, 1, 0xaa };
	unsigned char buffer[10];

	memset(buffer, 0xaa, sizeof(buffer));
	put_le64(buffer + 1, 0x0102030405060708);
	ck_assert_mem_eq(buffer, expected, sizeof(buffer));
	ck_assert_uint_eq(get_le64(buffer + 1), 0x0102030405060708);
	ck_assert_uint_eq(get_le32(buffer + 1), 0x05060708);
	ck_assert_uint_eq(get_le16(buffer + 1), 0x0708);
	put_le32(buffer + 1, 0xfffefdfc);
	put_le16(buffer + 5, 0xfbfa);
	ck_assert_mem_eq(buffer + 1, "\xfc\xfd\xfe\xff\xfa\xfb\x02\x01", 8);
}
END_TEST

START_TEST(bytes_check_arithmetic)
{
	uint64_t value = 77;

	ck_assert(checked_add(UINT64_MAX - 1, 1, &value));
	ck_assert_uint_eq(value, UINT64_MAX);
	ck_assert(checked_mul(1ULL << 32, (1ULL << 32) - 1, &value));
	ck_assert_uint_eq(value, 0xffffffff00000000);
	value = 77;
	ck_assert(!checked_add(UINT64_MAX, 1, &value));
	ck_assert(!checked_mul(1ULL << 32, 1ULL << 32, &value));
	ck_assert_uint_eq(value, 77);
	ck_assert_uint_eq(div_round_up(0, 8), 0);
	ck_assert_uint_eq(div_round_up(9, 8), 2);
	ck_assert_uint_eq(div_round_up(UINT64_MAX, 2), 1ULL << 63);
	ck_assert_uint_eq(round_up(4097, 4096), 8192);
	ck_assert_uint_eq(round_up(4096, 4096), 4096);
	ck_assert(is_power_of_two(1) && is_power_of_two(1ULL << 63));
	ck_assert(!is_power_of_two(0) && !is_power_of_two(3));
	ck_assert_uint_eq(min_u64(1, 2), 1);
	ck_assert_uint_eq(max_u64(1, 2), 2);
}
END_TEST

START_TEST(bytes_find_a_nonzero)
{
	unsigned char buffer[67] = { 0 };

	ck_assert(bytes_all_zero(buffer, 0));
	ck_assert(bytes_all_zero(buffer, sizeof(buffer)));
	for (size_t i = 0; i < sizeof(buffer); i++) {
		buffer[i] = 1;
		ck_assert(!bytes_all_zero(buffer, sizeof(buffer)));
		ck_assert(bytes_all_zero(buffer, i));
		buffer[i] = 0;
	}
}
END_TEST

/* io */

static char directory[] = "/tmp/test_base.XXXXXX";
static char path[64];

static void make_directory(void)
{
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
}

static void remove_directory(void)
{
	unlink(path);
	rmdir(directory);
}

static int make_file(const void *bytes, size_t length)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_full(fd, bytes, length), 0);
	return fd;
}

START_TEST(io_reads_and_writes_in_full)
{
	char buffer[8] = "";
	int fd = make_file("0123456789", 10);

	ck_assert_int_eq(io_pread_full(fd, buffer, 4, 6), 0);
	ck_assert_mem_eq(buffer, "6789", 4);
	ck_assert_int_eq(io_pread_full(fd, buffer, 4, 7), -ENODATA);
	ck_assert_int_eq(io_pread_full(fd, buffer, 4, 100), -ENODATA);
	ck_assert_int_eq(io_pread_full(fd, buffer, 0, 100), 0);
	ck_assert_int_eq(io_pwrite_full(fd, "ab", 2, 9), 0);
	ck_assert_int_eq(io_pread_full(fd, buffer, 3, 8), 0);
	ck_assert_mem_eq(buffer, "8ab", 3);
	close(fd);
	ck_assert_int_eq(io_pread_full(-1, buffer, 1, 0), -EBADF);
	ck_assert_int_eq(io_pwrite_full(-1, buffer, 1, 0), -EBADF);
	ck_assert_int_eq(io_write_full(-1, buffer, 1), -EBADF);
}
END_TEST

START_TEST(io_writes_through_a_full_pipe)
{
	static char bytes[1 << 20];
	size_t got = 0;
	int ends[2], status;
	ssize_t n;
	pid_t child;

	memset(bytes, 'x', sizeof(bytes));
	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(io_write_full(ends[1], bytes, sizeof(bytes)) == 0 ? 0 : 1);
	close(ends[1]);
	while ((n = read(ends[0], bytes, 4000)) > 0)
		got += (size_t)n;
	ck_assert_uint_eq(got, sizeof(bytes));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	close(ends[0]);
}
END_TEST

START_TEST(io_reads_text)
{
	char buffer[8];

	close(make_file("hello\n", 6));
	ck_assert_int_eq(io_read_text(directory, "/file", buffer, sizeof(buffer)), 6);
	ck_assert_str_eq(buffer, "hello\n");
	ck_assert_int_eq(io_read_text("", path, buffer, 4), 3);
	ck_assert_str_eq(buffer, "hel");
	ck_assert_int_eq(io_read_text(directory, "/none", buffer, sizeof(buffer)), -ENOENT);
	ck_assert_int_eq(io_read_text(directory, "/", buffer, sizeof(buffer)), -EISDIR);
}
END_TEST

START_TEST(io_reads_files)
{
	static char bytes[20000];
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 20000 };
	char *text = NULL;
	size_t length;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		close(make_file(bytes, sizes[i]));
		ck_assert_int_eq(io_read_file(directory, "/file", sizes[i], &text, &length), 0);
		ck_assert_uint_eq(length, sizes[i]);
		ck_assert_mem_eq(text, bytes, sizes[i]);
		ck_assert_int_eq(text[length], 0);
		free(text);
		text = NULL;
		length = 99;
		if (sizes[i] == 0)
			continue;
		ck_assert_int_eq(io_read_file("", path, sizes[i] - 1, &text, &length), -EFBIG);
		ck_assert_ptr_null(text);
		ck_assert_uint_eq(length, 99);
	}
	ck_assert_int_eq(io_read_file(directory, "/none", 1, &text, &length), -ENOENT);
	ck_assert_int_eq(io_read_file("", "/proc/self/stat", 4096, &text, NULL), 0);
	ck_assert_uint_gt(strlen(text), 0);
	free(text);
}
END_TEST

START_TEST(io_writes_text)
{
	char buffer[8], *endless = malloc(5000);

	ck_assert_int_eq(io_write_text(directory, "/file", "1"), -ENOENT);
	close(make_file("hello", 5));
	ck_assert_int_eq(io_write_text(directory, "/file", "J"), 0);
	ck_assert_int_eq(io_read_text("", path, buffer, sizeof(buffer)), 5);
	ck_assert_str_eq(buffer, "Jello");

	ck_assert_ptr_nonnull(endless);
	memset(endless, 'x', 5000);
	endless[4999] = '\0';
	ck_assert_int_eq(io_write_text(directory, endless, "1"), -ENAMETOOLONG);
	free(endless);
}
END_TEST

/* A program that was started with some of its standard descriptors closed. */
START_TEST(io_opens_what_is_closed)
{
	pid_t child = fork();
	int status, all = 0;
	struct stat st;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		for (int fd = 0; fd <= 2; fd++)
			if (_i & 1 << fd)
				close(fd);
		io_open_standard();
		for (int fd = 0; fd <= 2; fd++) {
			bool null = fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
				    st.st_rdev == makedev(1, 3);

			all += fcntl(fd, F_GETFD) >= 0 && (null || !(_i & 1 << fd));
		}
		_exit(all == 3 && open("/", O_RDONLY) > 2 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* why */

START_TEST(why_keeps_a_sentence)
{
	char endless[1000];
	struct why w = { "" };

	ck_assert_str_eq(why_text(&w, -ENOENT), strerror(ENOENT));
	ck_assert_str_eq(why_text(NULL, -ENOENT), strerror(ENOENT));
	ck_assert_int_eq(why(NULL, -EIO, "%d", 1), -EIO);
	ck_assert_int_eq(why_prefix(NULL, -EIO, "%d", 1), -EIO);

	ck_assert_int_eq(why_prefix(&w, -ENOENT, "file %d", 1), -ENOENT);
	ck_assert_str_eq(w.text, "file 1: No such file or directory");
	ck_assert_int_eq(why(&w, -EIO, "page %d", 2), -EIO);
	ck_assert_str_eq(why_text(&w, -EIO), "page 2");
	ck_assert_int_eq(why_prefix(&w, -EIO, "/dev/%s", "sda"), -EIO);
	ck_assert_str_eq(w.text, "/dev/sda: page 2");
	ck_assert_int_eq(w.class, WHY_NOW);

	/* A prefix keeps its class; another sentence resets it. */
	ck_assert_int_eq(why_damaged(&w, "page %d", 3), -EBADMSG);
	ck_assert_int_eq(why_prefix(&w, -EBADMSG, "/dev/%s", "sda"), -EBADMSG);
	ck_assert_str_eq(w.text, "/dev/sda: page 3");
	ck_assert_int_eq(w.class, WHY_DAMAGED);
	ck_assert_int_eq(why(&w, -EBADMSG, "of a library"), -EBADMSG);
	ck_assert_int_eq(w.class, WHY_NOW);
	ck_assert_int_eq(why_too_new(&w, "version %d", 9), -ENOTSUP);
	ck_assert_int_eq(w.class, WHY_TOO_NEW);
	ck_assert_int_eq(why_class(&w, WHY_FOREIGN, -EPERM, "pages of %d", 16384), -EPERM);
	ck_assert_int_eq(w.class, WHY_FOREIGN);
	ck_assert_int_eq(why_damaged(NULL, "page %d", 3), -EBADMSG);

	memset(endless, 'x', sizeof(endless));
	endless[sizeof(endless) - 1] = '\0';
	ck_assert_int_eq(why(&w, -EIO, "%s", endless), -EIO);
	ck_assert_uint_eq(strlen(w.text), sizeof(w.text) - 1);
	ck_assert_int_eq(why_prefix(&w, -EIO, "%s", endless), -EIO);
	ck_assert_uint_eq(strlen(w.text), sizeof(w.text) - 1);
}
END_TEST

/* memory */

/* Large arenas: zeroed, usable to the last page and no further, then unmapped. */
START_TEST(arena_of_any_size)
{
	static const size_t sizes[] = { 1, (2u << 20) - 1, 2u << 20, (2u << 20) + 1, 11u << 20 };
	size_t page = page_size(), size = round_up(sizes[_i], page);
	struct arena arena = { 0 };
	unsigned char there[(12u << 20) / 4096];

	ck_assert_int_eq(arena_create(&arena, sizes[_i]), 0);
	ck_assert_uint_eq(arena.size, size);
	ck_assert_uint_eq((uintptr_t)arena.base % page, 0);
	ck_assert(bytes_all_zero(arena.base, size));
	memset(arena.base, 1, size);
	ck_assert_int_eq(mincore(arena.base, size, there), 0);
	for (size_t i = 0; i < size / page; i++)
		ck_assert(there[i] & 1);
	ck_assert_ptr_nonnull(arena_take(&arena, size));
	ck_assert_ptr_null(arena_take(&arena, 1));
	arena_destroy(&arena);
	ck_assert_int_eq(arena_create(&arena, SIZE_MAX), -ENOMEM);
	ck_assert_int_eq(arena_create(&arena, SIZE_MAX / 2), -ENOMEM);
	ck_assert_ptr_null(arena.base);
}
END_TEST

START_TEST(arena_gives_aligned_pieces)
{
	struct arena arena = { 0 };
	size_t page = page_size();
	unsigned char *a, *b;

	ck_assert(is_power_of_two(page));
	arena_destroy(&arena);
	ck_assert_int_eq(arena_create(&arena, 3 * page - 1), 0);
	a = arena_take(&arena, 1);
	b = arena_take(&arena, page + 1);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq((uintptr_t)a % page, 0);
	ck_assert_uint_eq((uintptr_t)b % page, 0);
	ck_assert(b >= a + page || a >= b + 2 * page);
	ck_assert(bytes_all_zero(a, page) && bytes_all_zero(b, 2 * page));
	memset(a, 1, page);
	memset(b, 2, 2 * page);
	ck_assert_ptr_null(arena_take(&arena, 1));
	ck_assert_ptr_null(arena_take(&arena, 100 * page));
	arena_destroy(&arena);
	arena_destroy(&arena);
	ck_assert_ptr_null(arena.base);
}
END_TEST

START_TEST(arena_refuses_the_impossible)
{
	struct arena arena = { .used = 77 };

	ck_assert_int_eq(arena_create(&arena, SIZE_MAX / 2), -ENOMEM);
	ck_assert_uint_eq(arena.used, 77);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *bytes = test_case(suite, "bytes"), *io = test_case(suite, "io"),
	      *rest = test_case(suite, "why and memory");

	tcase_add_test(bytes, bytes_are_little_endian);
	tcase_add_test(bytes, bytes_check_arithmetic);
	tcase_add_test(bytes, bytes_find_a_nonzero);
	tcase_add_checked_fixture(io, make_directory, remove_directory);
	tcase_add_test(io, io_reads_and_writes_in_full);
	tcase_add_test(io, io_writes_through_a_full_pipe);
	tcase_add_test(io, io_reads_text);
	tcase_add_test(io, io_reads_files);
	tcase_add_test(io, io_writes_text);
	tcase_add_loop_test(io, io_opens_what_is_closed, 0, 8);
	tcase_add_test(rest, why_keeps_a_sentence);
	tcase_add_loop_test(rest, arena_of_any_size, 0, 5);
	tcase_add_test(rest, arena_gives_aligned_pieces);
	tcase_add_test(rest, arena_refuses_the_impossible);
}
