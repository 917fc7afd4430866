/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"

#include "base/bytes.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

int arena_create(struct arena *arena, size_t size)
{
	void *base;

	size = round_up(size, page_size());
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
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
