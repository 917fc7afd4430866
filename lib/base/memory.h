/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is available: page-aligned, touched and locked before user space is frozen,
 * because hardly any can be allocated while a snapshot exists.
 */
#ifndef S2DISK_BASE_MEMORY_H
#define S2DISK_BASE_MEMORY_H

#include "base/why.h"

#include <stddef.h>

/* An arena: one mapping that is handed out in aligned pieces and freed as a whole. Not
 * thread-safe. */
struct arena {
	unsigned char *base;
	size_t size;
	size_t used;
};

/* Maps size bytes (rounded up to pages), zeroed and touched; from 2 MiB on in large
 * pages, if the kernel has any. 0 or -ENOMEM. */
int arena_create(struct arena *arena, size_t size);

/* A piece of at least size bytes, page-aligned; NULL when none is left. */
void *arena_take(struct arena *arena, size_t size);

/* Unmaps all; the arena is empty afterwards. Harmless on an empty one. */
void arena_destroy(struct arena *arena);

/* From here on this process needs no new memory: locks what it has and will map, and keeps reserve
 * bytes of its heap, touched, for malloc(). A negative errno with the reason. */
int memory_lock(size_t reserve, struct why *w);

/* The page size in bytes. */
size_t page_size(void);

#endif
