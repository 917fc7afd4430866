/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory an image must hold, and how much swap that takes. Pure but for meminfo_read(). */
#ifndef S2DISK_PREFLIGHT_MEMORY_H
#define S2DISK_PREFLIGHT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* The lines of /proc/meminfo that matter here, in bytes; 0 for one that this
 * kernel does not have. */
struct meminfo {
	uint64_t total;
	uint64_t free;
	uint64_t active_anon; /* both with shared memory and tmpfs */
	uint64_t inactive_anon;
	uint64_t unevictable; /* locked memory, ramfs */
	uint64_t swap_cached;
	uint64_t slab_unreclaimable;
	uint64_t kernel_stack;
	uint64_t vmalloc_used;
	uint64_t page_tables;
	uint64_t secondary_page_tables;
	uint64_t percpu;
	uint64_t huge_pages;
	uint64_t zswap;
	uint64_t zram; /* not in /proc/meminfo: set by meminfo_read() */
};

/* Pure: the value of the line "name: … kB" of /proc/meminfo, in bytes. -ENOENT when there is none,
 * -EINVAL when it is no number. */
int meminfo_line(const char *text, const char *name, uint64_t *ret);

/* -EINVAL when a line that every kernel has is missing or no number (*ret
 * untouched). */
int meminfo_parse(const char *text, struct meminfo *ret);

/* Bytes that cannot be dropped and read back later: a lower bound of what must
 * be in the image or in swap. */
uint64_t meminfo_must_save(const struct meminfo *meminfo);

/* … of which the kernel can move nothing to swap: locked memory, huge pages, its own,
 * what zram holds. It copies all of it in memory, so that no image can be made where this
 * is more than half of the memory (hibernate_preallocate_memory() in its
 * kernel/power/snapshot.c). */
uint64_t meminfo_fixed(const struct meminfo *meminfo);

/* The kernel's own part of that: slab, stacks, page tables. */
uint64_t meminfo_kernel(const struct meminfo *meminfo);

/* The memory that all zram devices below root/sys/block take, by their attributes mm_stat (the
 * third number; Linux' Documentation/admin-guide/blockdev/zram.rst). */
uint64_t zram_memory(const char *root);

/* Those of root/proc/meminfo, and of the zram devices below root/sys/block. A negative errno. */
int meminfo_read(const char *root, struct meminfo *ret);

struct swap_need {
	uint64_t image;	 /* bytes of memory that go into the image */
	uint64_t pushed; /* bytes that the kernel must move to swap before it */
	uint64_t least;	 /* bytes of the area at the best compression to hope for */
	uint64_t plain;	 /* bytes of the area without compression */
};

/* What the chosen area must hold. The kernel copies the image in memory, so
 * it takes half of the memory at most; it moves the rest to swap first, as it
 * is, to the other areas (other_free bytes) where it can. */
void swap_need_for(uint64_t must, uint64_t total, uint64_t other_free, bool compress,
		   struct swap_need *ret);

#endif
