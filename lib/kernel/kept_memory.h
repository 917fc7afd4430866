/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that the kernel command line keeps from all use: huge pages
 * (hugepages=) and what a crash kernel would get (crashkernel=). A boot that
 * only loads an image needs neither; the restored system has its own.
 */
#ifndef S2DISK_KERNEL_KEPT_MEMORY_H
#define S2DISK_KERNEL_KEPT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes of huge pages times nodes. */
#define KEPT_MEMORY_MAX 64

struct kept_memory {
	struct {
		char path[160]; /* of the number of huge pages of a size, on a node */
		uint64_t pages;
	} given[KEPT_MEMORY_MAX];
	size_t count;
};

/* Gives the huge pages that nothing uses to the kernel, all sizes on all nodes,
 * and remembers how many there were. Bytes; 0 where there were none, or they
 * have been given already. The kernel lets those of 1 GiB go too
 * (set_max_huge_pages() in mm/hugetlb.c). root is "" or a test's tree. */
uint64_t kept_memory_give_huge(struct kept_memory *kept, const char *root);

/* As many huge pages again, as far as memory is in one piece; forgets them. False
 * when there are fewer now. Harmless on a zeroed struct. */
bool kept_memory_take_back(struct kept_memory *kept, const char *root);

/* Gives the crash kernel's memory to the kernel (crash_shrink_memory() in
 * kernel/kexec_core.c), for the whole of this boot: it cannot be reserved again.
 * /proc/iomem tells it as System RAM then. Bytes; 0 where none is reserved, or a
 * crash kernel is loaded there. */
uint64_t kept_memory_give_crash(const char *root);

#endif
