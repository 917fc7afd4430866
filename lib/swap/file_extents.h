/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the first page of a swap file lies on its block device, by FIEMAP.
 *
 * Sources: Documentation/filesystems/fiemap.rst, include/uapi/linux/fiemap.h.
 */
#ifndef S2DISK_SWAP_FILE_EXTENTS_H
#define S2DISK_SWAP_FILE_EXTENTS_H

#include "base/why.h"

#include <stdint.h>

struct file_extent {
	uint64_t logical;  /* bytes in the file */
	uint64_t physical; /* bytes on the block device under the file system */
	uint64_t length;   /* bytes */
	uint32_t flags;	   /* FIEMAP_EXTENT_… */
};

/* Pure: may this be the first extent of a swap file, so that a resume finds page 0 there?
 * Refused with the reason: not at logical 0, not page-aligned, shorter than a page, and
 * the flags UNKNOWN, DELALLOC, ENCODED, DATA_ENCRYPTED, NOT_ALIGNED, DATA_INLINE,
 * DATA_TAIL, SHARED. UNWRITTEN and MERGED are fine. 0 or -EINVAL. */
int file_extent_check_first(const struct file_extent *extent, uint64_t page_size, struct why *w);

/* Pure: may this be one of the extents of a swap file? (the same flags) */
int file_extent_check_flags(const struct file_extent *extent, struct why *w);

/* Calls see() for every extent of the file, in order, with FIEMAP_FLAG_SYNC, until the
 * last one. -ENODATA if there is none; -EOPNOTSUPP if the file system has no FIEMAP;
 * otherwise what the kernel or see() returned (a negative value of see() ends the walk). */
int file_extents_walk(int fd, int (*see)(void *context, const struct file_extent *extent),
		      void *context);

/* The offset of the file's first page on the block device in pages, as the kernel's
 * resume_offset= takes it, after checking all extents and that there is no hole up to the
 * end of its last whole page. -EINVAL when it cannot be a swap file; on btrfs -EOPNOTSUPP
 * (FIEMAP's addresses are not those of the device there). The sentences do not name the
 * file. */
int file_extents_offset(int fd, uint64_t page_size, uint64_t *ret_offset, struct why *w);

#endif
