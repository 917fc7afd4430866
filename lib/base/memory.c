/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"

#include "base/bytes.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

/* The size of large pages on x86-64 and arm64; elsewhere this is just an alignment. */
#define LARGE_PAGE (2u << 20)

/* Maps size bytes, aligned for large pages. */
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

/* Populates every page. With MADV_POPULATE_WRITE (5.14) the kernel reports when memory
 * runs out; older kernels are asked by touching the pages. */
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
		/* Buffers that are processed over and over: large pages avoid nearly all
		 * TLB misses. */
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

int memory_lock(size_t reserve, struct why *w)
{
	void *heap;

	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	heap = malloc(reserve);
	if (heap)
		memset(heap, 1, reserve);
	free(heap);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return why(w, -errno, "cannot lock this program's memory: %s", strerror(errno));
	return 0;
}
