/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/memory: the arena's memory is populated, or an error is returned. */
#include "base/memory.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

static int populate_error; /* 0: it works */
static unsigned int mapped;

int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);

int __wrap_madvise(void *at, size_t size, int advice)
{
	if (advice == MADV_HUGEPAGE)
		return __real_madvise(at, size, advice);
	errno = populate_error;
	return populate_error ? -1 : __real_madvise(at, size, advice);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	mapped++;
	return __real_mmap(at, size, protection, flags, fd, offset);
}

int __wrap_munmap(void *at, size_t size)
{
	mapped--;
	return __real_munmap(at, size);
}

/* Small arenas, and some with large pages. */
static const size_t sizes[] = { 1, 4096, 100000, 4 << 20 };

static size_t resident(const struct arena *arena)
{
	static unsigned char there[(4 << 20) / 4096];
	size_t count = 0, pages = arena->size / page_size();

	ck_assert_int_eq(mincore(arena->base, arena->size, there), 0);
	for (size_t i = 0; i < pages; i++)
		count += there[i] & 1;
	return count;
}

START_TEST(touched)
{
	struct arena arena = { 0 };

	/* A kernel that does not know the advice. */
	populate_error = _i % 2 ? EINVAL : 0;
	ck_assert_int_eq(arena_create(&arena, sizes[_i / 2]), 0);
	ck_assert_uint_ge(arena.size, sizes[_i / 2]);
	ck_assert_uint_eq(resident(&arena), arena.size / page_size());
	ck_assert_ptr_nonnull(arena_take(&arena, sizes[_i / 2]));
	ck_assert_ptr_null(arena_take(&arena, 1));
	arena_destroy(&arena);
	arena_destroy(&arena);
}
END_TEST

START_TEST(no_memory)
{
	struct arena arena = { 0 };

	populate_error = _i % 2 ? ENOMEM : EFAULT;
	mapped = 0;
	ck_assert_int_eq(arena_create(&arena, sizes[_i / 2]), -ENOMEM);
	ck_assert_ptr_null(arena.base);
	/* What was trimmed on either side of the large pages was unmapped, too. */
	ck_assert_int_le((int)mapped, 0);
	ck_assert_int_eq(arena_create(&arena, SIZE_MAX - 4096), -ENOMEM);
}
END_TEST

void test_cases(Suite *suite)
{
	const int all = 2 * (int)(sizeof(sizes) / sizeof(*sizes));
	TCase *tcase = test_case(suite, "arena");

	tcase_add_loop_test(tcase, touched, 0, all);
	tcase_add_loop_test(tcase, no_memory, 0, all);
}
