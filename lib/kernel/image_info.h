/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's snapshot stream: one header page, the metadata pages with the
 * page frame numbers, then the data pages (kernel/power/snapshot.c,
 * struct swsusp_info; arch/x86/power/hibernate.c for the record before it).
 * Pure.
 */
#ifndef S2DISK_KERNEL_IMAGE_INFO_H
#define S2DISK_KERNEL_IMAGE_INFO_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct swsusp_info: struct new_utsname (6 × 65 bytes), then, aligned: u32
 * version_code, unsigned long num_physpages, int cpus, unsigned long
 * image_pages, pages, size. The same on every 64-bit architecture. */
enum {
	IMAGE_INFO_MAGIC = 24,	  /* x86-64's record: generation of the platform check */
	IMAGE_INFO_CHECKSUM = 32, /* and of the firmware memory map; 4 or 16 bytes count */
	IMAGE_INFO_PHYSPAGES = 400,
	IMAGE_INFO_CPUS = 408,
	IMAGE_INFO_IMAGE_PAGES = 416,
	IMAGE_INFO_PAGES = 424,
	IMAGE_INFO_SIZE = 432,
	IMAGE_INFO_END = 440,
};

#define IMAGE_X86_MAGIC_MD5 0x23456789ABCDEF01ULL
#define IMAGE_X86_MAGIC_CRC32 0x23456789ABCDEF02ULL

struct image_info {
	uint64_t num_physpages; /* page frames of the machine */
	uint32_t cpus;
	uint64_t image_pages;	 /* data pages in the stream */
	uint64_t pages;		 /* all pages of the stream, the header page too */
	uint64_t size;		 /* pages in bytes */
	uint64_t metadata_pages; /* pages - image_pages - 1 */
};

/* page is the stream's first page, size the page size. -EBADMSG if the numbers contradict
 * each other (w says how). */
int image_info_parse(const unsigned char *page, size_t size, struct image_info *ret, struct why *w);

/* Writes image_pages and all that depends on it into a header page: the number of
 * metadata pages, the total and its size in bytes. */
void image_info_set_pages(unsigned char *page, size_t size, uint64_t metadata_pages,
			  uint64_t image_pages);

/* Metadata: page frame numbers of 8 bytes, ascending. */
#define IMAGE_PFN_END UINT64_MAX    /* ends a page that is not full */
#define IMAGE_PFN_ZERO (1ULL << 63) /* a page of zeros, without a data page; 6.7 and later */

/* Walks one metadata page: calls see() for each page frame number, in order; zero: the
 * kernel flagged the page as all zeros (bit 63; it then has no data page). Stops at the
 * end mark. Returns the number of frames. see() may be NULL. */
size_t image_metadata_walk(const unsigned char *page, size_t size,
			   void (*see)(void *context, uint64_t pfn, bool zero), void *context);

#endif
