/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

/* Large pages of x86-64 and arm64; where they have another size, or there are
 * none, this is an alignment like any other. */
#define LARGE_PAGE (2u << 20)

/* Maps size bytes that begin where a large page could. */
static unsigned char *map_aligned(size_t size)
{
	unsigned char *base = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (base == MAP_FAILED)
		return NULL;
	before = (size_t)(round_up((uintptr_t)base, LARGE_PAGE) - (uintptr_t)base);
	if (before > 0)
		munmap(base, before);
	munmap(base + before + size, LARGE_PAGE - before);
	return base + before;
}

/* Has every page be there. A kernel that knows MADV_POPULATE_WRITE (5.14) tells
 * when it has no more; on others touching them asks it to find some. */
static int touch(unsigned char *base, size_t size)
{
#ifdef MADV_POPULATE_WRITE
	if (madvise(base, size, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno == ENOMEM || errno == EFAULT)
		return -ENOMEM;
#endif
	for (size_t at = 0; at < size; at += page_size())
		*(volatile unsigned char *)(base + at) = 0;
	return 0;
}

int arena_create(struct arena *arena, size_t size)
{
	unsigned char *base;

	if (size > SIZE_MAX - 2 * (size_t)LARGE_PAGE)
		return -ENOMEM;
	size = round_up(size, page_size());
	if (size < LARGE_PAGE) {
		base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (base == MAP_FAILED)
			return -ENOMEM;
	} else {
		base = map_aligned(size);
		if (!base)
			return -ENOMEM;
		/* Buffers that are run through again and again: with large pages
		 * there are hardly any misses in the processor's table of pages. */
		(void)madvise(base, size, MADV_HUGEPAGE);
	}
	if (touch(base, size) < 0) {
		munmap(base, size);
		return -ENOMEM;
	}
	*arena = (struct arena){ .base = base, .size = size };
	return 0;
}

void *arena_take(struct arena *arena, size_t size)
{
	void *piece = arena->base + arena->used;

	size = round_up(size, page_size());
	if (size > arena->size - arena->used)
		return NULL;
	arena->used += size;
	return piece;
}

void arena_destroy(struct arena *arena)
{
	if (arena->base)
		munmap(arena->base, arena->size);
	*arena = (struct arena){ 0 };
}
