/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap/file_extents: the verdict on extents, and walks over real files. */
#include "fixtures/check_main.h"
#include "swap/file_extents.h"

#include "base/bytes.h"
#include "fixtures/made_data.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PAGE 4096

static const struct {
	uint32_t flags;
	const char *says; /* NULL: fine */
} flags[] = {
	{ 0, NULL },
	{ FIEMAP_EXTENT_LAST, NULL },
	{ FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_MERGED | FIEMAP_EXTENT_LAST, NULL },
	{ FIEMAP_EXTENT_UNKNOWN, "no known place" },
	{ FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC, "not allocated" },
	{ FIEMAP_EXTENT_ENCODED, "compressed" },
	{ FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_DATA_ENCRYPTED, "encrypted" },
	{ FIEMAP_EXTENT_NOT_ALIGNED, "not aligned" },
	{ FIEMAP_EXTENT_NOT_ALIGNED | FIEMAP_EXTENT_DATA_INLINE, "inside metadata" },
	{ FIEMAP_EXTENT_NOT_ALIGNED | FIEMAP_EXTENT_DATA_TAIL, "shares its block" },
	{ FIEMAP_EXTENT_SHARED | FIEMAP_EXTENT_LAST, "shared with another" },
};

START_TEST(judges_flags)
{
	const struct file_extent extent = { 0, 8 * PAGE, PAGE, flags[_i].flags };
	int expected = flags[_i].says ? -EINVAL : 0;
	struct why w = { "" };

	ck_assert_int_eq(file_extent_check_flags(&extent, &w), expected);
	ck_assert_int_eq(file_extent_check_first(&extent, PAGE, NULL), expected);
	if (flags[_i].says)
		ck_assert_ptr_nonnull(strstr(w.text, flags[_i].says));
	else
		ck_assert_str_eq(w.text, "");
}
END_TEST

static const struct {
	struct file_extent extent;
	uint64_t page_size;
	const char *says; /* NULL: fine */
} firsts[] = {
	{ { 0, PAGE, PAGE, 0 }, PAGE, NULL },
	{ { 0, UINT64_MAX - PAGE + 1, PAGE, 0 }, PAGE, NULL },
	{ { 0, 65536, 65536, 0 }, 65536, NULL },
	{ { PAGE, 8 * PAGE, PAGE, 0 }, PAGE, "hole of 4096 bytes" },
	{ { 0, 8 * PAGE + 1024, PAGE, 0 }, PAGE, "not a multiple of the page size (4096)" },
	{ { 0, 4096, 65536, 0 }, 65536, "not a multiple of the page size (65536)" },
	{ { 0, 0, PAGE, 0 }, PAGE, "at byte 0 of the disk" },
	{ { 0, 8 * PAGE, PAGE - 1024, 0 }, PAGE, "3072 bytes, less than a page" },
	{ { 0, 8 * PAGE, 0, 0 }, PAGE, "less than a page" },
};

START_TEST(judges_first)
{
	struct why w = { "" };
	int r = file_extent_check_first(&firsts[_i].extent, firsts[_i].page_size, &w);

	ck_assert_int_eq(r, firsts[_i].says ? -EINVAL : 0);
	if (firsts[_i].says)
		ck_assert_ptr_nonnull(strstr(w.text, firsts[_i].says));
	else
		ck_assert_str_eq(w.text, "");
}
END_TEST

/* An unnamed file on a file system that is on a disk. */
static int make_file(void)
{
	char path[] = "./test_file_extents.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	return fd;
}

static void fill(int fd, off_t from, size_t length)
{
	char page[PAGE];

	memset(page, 'x', sizeof(page));
	for (size_t done = 0; done < length; done += PAGE)
		ck_assert_int_eq(pwrite(fd, page, PAGE, from + (off_t)done), PAGE);
}

struct seen {
	unsigned int calls;
	uint64_t end;
	int answer;
};

static int see(void *context, const struct file_extent *extent)
{
	struct seen *seen = context;

	ck_assert_uint_gt(extent->length, 0);
	ck_assert_uint_ge(extent->logical, seen->end);
	seen->calls++;
	seen->end = extent->logical + extent->length;
	return seen->answer;
}

static bool has_fiemap(int fd)
{
	struct seen seen = { 0 };

	if (file_extents_walk(fd, see, &seen) != -EOPNOTSUPP)
		return true;
	fprintf(stderr, "test_file_extents: SKIP: no FIEMAP on the file system of the build\n");
	return false;
}

static bool is_btrfs(int fd)
{
	struct statfs fs;

	ck_assert_int_eq(fstatfs(fd, &fs), 0);
	return (uint32_t)fs.f_type == 0x9123683e;
}

START_TEST(walks_an_empty_file)
{
	struct seen seen = { 0 };
	struct why w = { "" };
	uint64_t offset = 99;
	int fd = make_file();

	if (has_fiemap(fd)) {
		ck_assert_int_eq(file_extents_walk(fd, see, &seen), -ENODATA);
		ck_assert_uint_eq(seen.calls, 0);
	}
	ck_assert_int_lt(file_extents_offset(fd, PAGE, &offset, &w), 0);
	ck_assert_int_eq(ftruncate(fd, 16 * PAGE), 0);
	ck_assert_int_lt(file_extents_offset(fd, PAGE, &offset, &w), 0);
	ck_assert_str_ne(w.text, "");
	ck_assert_uint_eq(offset, 99);
	close(fd);
}
END_TEST

START_TEST(walks_many_extents)
{
	struct seen seen = { 0 };
	int fd = make_file();

	/* Islands, more than fit into one call. */
	for (int i = 0; i < 200; i++)
		fill(fd, (off_t)i * 64 * PAGE, PAGE);
	if (has_fiemap(fd)) {
		ck_assert_int_eq(file_extents_walk(fd, see, &seen), 0);
		ck_assert_uint_ge(seen.calls, 200);
		ck_assert_uint_ge(seen.end, (199 * 64 + 1) * PAGE);

		seen = (struct seen){ .answer = -ECANCELED };
		ck_assert_int_eq(file_extents_walk(fd, see, &seen), -ECANCELED);
		ck_assert_uint_eq(seen.calls, 1);
	}
	close(fd);
}
END_TEST

static int keep_first(void *context, const struct file_extent *extent)
{
	*(struct file_extent *)context = *extent;
	return -ECANCELED;
}

START_TEST(finds_the_offset)
{
	struct file_extent first = { 0 };
	struct why w = { "" };
	uint64_t offset = 99;
	int fd = make_file();

	fill(fd, 0, 64 * PAGE);
	if (has_fiemap(fd)) {
		int r = file_extents_offset(fd, PAGE, &offset, &w);

		ck_assert_int_eq(file_extents_walk(fd, keep_first, &first), -ECANCELED);
		if (is_btrfs(fd)) {
			ck_assert_int_eq(r, -EOPNOTSUPP);
			ck_assert_ptr_nonnull(strstr(w.text, "resume offset"));
		} else if (file_extent_check_first(&first, PAGE, NULL) == 0) {
			ck_assert_msg(r == 0, "%s", w.text);
			ck_assert_uint_eq(offset, first.physical / PAGE);
		} else {
			ck_assert_int_eq(r, -EINVAL);
			ck_assert_uint_eq(offset, 99);
		}
	}
	close(fd);
}
END_TEST

START_TEST(refuses_holes)
{
	static const struct {
		off_t from;
		size_t length;
	} parts[][2] = {
		{ { 64 * PAGE, 64 * PAGE }, { 64 * PAGE, PAGE } }, /* at the beginning */
		{ { 0, 64 * PAGE }, { 256 * PAGE, 64 * PAGE } },   /* in the middle */
		{ { 0, 64 * PAGE }, { 0, PAGE } },		   /* at the end */
	};
	struct why w = { "" };
	uint64_t offset = 99;
	int fd = make_file();

	for (size_t i = 0; i < 2; i++)
		fill(fd, parts[_i][i].from, parts[_i][i].length);
	ck_assert_int_eq(ftruncate(fd, 320 * PAGE), 0);
	if (has_fiemap(fd) && !is_btrfs(fd)) {
		ck_assert_int_eq(file_extents_offset(fd, PAGE, &offset, &w), -EINVAL);
		ck_assert_msg(strstr(w.text, "hole") || strstr(w.text, "multiple"), "%s", w.text);
		ck_assert_uint_eq(offset, 99);
	}
	close(fd);
}
END_TEST

START_TEST(refuses_other_things)
{
	static const char *const paths[] = { "/proc/self/status", "/dev/null", "/" };
	uint64_t offset = 99;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct why w = { "" };
		int fd = open(paths[i], O_RDONLY);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_lt(file_extents_offset(fd, PAGE, &offset, &w), 0);
		ck_assert_str_ne(w.text, "");
		close(fd);
	}
	ck_assert_int_eq(file_extents_offset(-1, PAGE, &offset, NULL), -EBADF);
	ck_assert_int_eq(file_extents_walk(-1, see, NULL), -EBADF);
	ck_assert_uint_eq(offset, 99);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *pure = test_case(suite, "pure"), *real = test_case(suite, "real files");

	enter_build();
	tcase_add_loop_test(pure, judges_flags, 0, (int)ARRAY_SIZE(flags));
	tcase_add_loop_test(pure, judges_first, 0, (int)ARRAY_SIZE(firsts));
	tcase_add_test(real, walks_an_empty_file);
	tcase_add_test(real, walks_many_extents);
	tcase_add_test(real, finds_the_offset);
	tcase_add_loop_test(real, refuses_holes, 0, 3);
	tcase_add_test(real, refuses_other_things);
	/* Each waits for a disk. */
	tcase_set_timeout(real, 60);
}
