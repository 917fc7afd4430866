/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that the kernel command line reserves: huge pages (hugepages=) and the crash
 * kernel's (crashkernel=). A boot that only loads an image needs neither; the restored
 * system has its own.
 */
#ifndef S2DISK_KERNEL_KEPT_MEMORY_H
#define S2DISK_KERNEL_KEPT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Page sizes times nodes. */
#define KEPT_MEMORY_MAX 64

struct kept_memory {
	struct {
		char path[160]; /* of the number of huge pages of one size, on one node */
		uint64_t pages;
	} given[KEPT_MEMORY_MAX];
	size_t count;
};

/* Returns unused huge pages to the kernel, all sizes on all nodes, and saves how many
 * there were. Bytes; 0 if there were none, or they have been returned already. The kernel
 * frees 1 GiB pages too (set_max_huge_pages() in mm/hugetlb.c). root is "" or a test's
 * root directory. */
uint64_t kept_memory_give_huge(struct kept_memory *kept, const char *root);

/* Allocates the same number of huge pages again, as far as contiguous memory is left, and
 * clears the record. False if there are fewer now. Harmless on a zeroed struct. */
bool kept_memory_take_back(struct kept_memory *kept, const char *root);

/* Returns the crash kernel's memory to the kernel (crash_shrink_memory() in
 * kernel/kexec_core.c) until the next boot: it cannot be reserved again. /proc/iomem then
 * lists it as System RAM. Bytes; 0 if none is reserved, or a crash kernel is loaded
 * there. */
uint64_t kept_memory_give_crash(const char *root);

#endif
