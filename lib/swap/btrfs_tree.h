/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What btrfs says of a file: items of its trees, as the kernel's tree search
 * gives them. Pure: bytes in, values out, whatever the bytes are.
 *
 * Sources: include/uapi/linux/btrfs_tree.h (disk structs, little-endian) and
 * include/uapi/linux/btrfs.h (the search's headers, in the machine's order).
 */
#ifndef S2DISK_SWAP_BTRFS_TREE_H
#define S2DISK_SWAP_BTRFS_TREE_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

/* One item of an answer; data points into the answer. */
struct search_item {
	uint64_t objectid;
	uint64_t offset;
	uint32_t type;
	const unsigned char *data;
	uint32_t length;
};

/* The item at *at of an answer of size bytes; *at is moved past it. 1, 0 at the end, or
 * -EBADMSG if the answer is truncated there. */
int search_item_next(const unsigned char *answer, size_t size, size_t *at, struct search_item *ret);

/* A range of the file system's logical addresses and where it lies. */
struct chunk_span {
	uint64_t logical;
	uint64_t length;
	uint64_t type;	   /* BTRFS_BLOCK_GROUP_… */
	uint16_t stripes;  /* copies or pieces */
	uint64_t device;   /* of the first stripe: its devid */
	uint64_t physical; /* of the first stripe: bytes on that device */
};

/* Parses a CHUNK_ITEM of the chunk tree. -EBADMSG. */
int chunk_parse(const struct search_item *item, struct chunk_span *ret, struct why *w);

/* The chunk that contains a logical address; NULL if none does. Chunks are sorted by
 * logical address, as the search returns them. */
const struct chunk_span *chunk_find(const struct chunk_span *chunks, size_t count,
				    uint64_t logical);

/* A file's extents, added one by one in order. Zeroed except for the first three. */
struct file_walk {
	const struct chunk_span *chunks;
	size_t chunk_count;
	uint64_t page_size;
	uint64_t end;	 /* bytes of the file seen so far */
	uint64_t device; /* the device of all extents */
	uint64_t first;	 /* bytes on that device where the file begins */
};

/* Takes an EXTENT_DATA item. -EINVAL for what a swap file may not have: holes, inline
 * data, compression, encryption, any profile but SINGLE, a second device, a beginning
 * that is not page-aligned; -EBADMSG if it is invalid. */
int file_walk_extent(struct file_walk *walk, const struct search_item *item, struct why *w);

#endif
