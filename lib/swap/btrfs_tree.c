/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/btrfs_tree.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <string.h>

/* struct btrfs_chunk of the kernel, with its first stripe. */
#define CHUNK_LENGTH 0
#define CHUNK_TYPE 24
#define CHUNK_STRIPES 44
#define CHUNK_STRIPE_DEVICE 48
#define CHUNK_STRIPE_OFFSET 56
#define CHUNK_SIZE 80

/* struct btrfs_file_extent_item */
#define EXTENT_COMPRESSION 16
#define EXTENT_ENCRYPTION 17
#define EXTENT_OTHER_ENCODING 18
#define EXTENT_TYPE 20
#define EXTENT_HEAD_SIZE 21 /* where inline data begins */
#define EXTENT_DISK_START 21
#define EXTENT_DISK_LENGTH 29
#define EXTENT_OFFSET 37
#define EXTENT_LENGTH 45
#define EXTENT_SIZE 53

_Static_assert(sizeof(struct btrfs_file_extent_item) == EXTENT_SIZE, "file extent item");

int search_item_next(const unsigned char *answer, size_t size, size_t *at, struct search_item *ret)
{
	struct btrfs_ioctl_search_header head;

	if (*at == size)
		return 0;
	if (*at > size || size - *at < sizeof(head))
		return -EBADMSG;
	memcpy(&head, answer + *at, sizeof(head));
	if (head.len > size - *at - sizeof(head))
		return -EBADMSG;
	*ret = (struct search_item){
		.objectid = head.objectid,
		.offset = head.offset,
		.type = head.type,
		.data = answer + *at + sizeof(head),
		.length = head.len,
	};
	*at += sizeof(head) + head.len;
	return 1;
}

int chunk_parse(const struct search_item *item, struct chunk_span *ret, struct why *w)
{
	struct chunk_span chunk;
	uint64_t end;

	if (item->length < CHUNK_SIZE)
		return why(w, -EBADMSG, "a chunk item of %" PRIu32 " bytes is too short",
			   item->length);
	chunk = (struct chunk_span){
		.logical = item->offset,
		.length = get_le64(item->data + CHUNK_LENGTH),
		.type = get_le64(item->data + CHUNK_TYPE),
		.stripes = get_le16(item->data + CHUNK_STRIPES),
		.device = get_le64(item->data + CHUNK_STRIPE_DEVICE),
		.physical = get_le64(item->data + CHUNK_STRIPE_OFFSET),
	};
	if (chunk.length == 0 || chunk.stripes == 0 ||
	    !checked_add(chunk.logical, chunk.length, &end) ||
	    !checked_add(chunk.physical, chunk.length, &end))
		return why(w, -EBADMSG, "the chunk at %" PRIu64 " is invalid", chunk.logical);
	*ret = chunk;
	return 0;
}

const struct chunk_span *chunk_find(const struct chunk_span *chunks, size_t count, uint64_t logical)
{
	size_t low = 0, high = count;

	/* The last one that begins at or before the address. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chunks[middle].logical <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || logical - chunks[low - 1].logical >= chunks[low - 1].length)
		return NULL;
	return &chunks[low - 1];
}

static int check_encoding(const struct search_item *item, struct why *w)
{
	if (item->length < EXTENT_HEAD_SIZE)
		return why(w, -EBADMSG, "an extent item of %" PRIu32 " bytes is too short",
			   item->length);
	if (item->data[EXTENT_COMPRESSION])
		return why(w, -EINVAL, "the part of the file at byte %" PRIu64 " is compressed",
			   item->offset);
	if (item->data[EXTENT_ENCRYPTION] || get_le16(item->data + EXTENT_OTHER_ENCODING))
		return why(w, -EINVAL,
			   "the part of the file at byte %" PRIu64 " is encrypted or otherwise "
			   "encoded by the file system",
			   item->offset);
	if (item->data[EXTENT_TYPE] == BTRFS_FILE_EXTENT_INLINE)
		return why(w, -EINVAL, "the file is stored inside metadata");
	if (item->data[EXTENT_TYPE] != BTRFS_FILE_EXTENT_REG &&
	    item->data[EXTENT_TYPE] != BTRFS_FILE_EXTENT_PREALLOC)
		return why(w, -EBADMSG, "an extent of unknown type %u", item->data[EXTENT_TYPE]);
	return item->length < EXTENT_SIZE
		       ? why(w, -EBADMSG, "an extent item of %" PRIu32 " bytes is too short",
			     item->length)
		       : 0;
}

/* Where length bytes at a logical address lie, as far as this is allowed for a swap file. */
static int locate(struct file_walk *walk, uint64_t logical, uint64_t length, uint64_t *ret_physical,
		  struct why *w)
{
	const struct chunk_span *chunk = chunk_find(walk->chunks, walk->chunk_count, logical);

	if (!chunk || length > chunk->length - (logical - chunk->logical))
		return why(w, -EBADMSG, "no chunk holds the bytes at %" PRIu64, logical);
	if (chunk->type & BTRFS_BLOCK_GROUP_PROFILE_MASK || chunk->stripes != 1)
		return why(w, -EINVAL,
			   "the file system keeps its data mirrored or striped (RAID, DUP); a "
			   "swap file needs the data profile SINGLE: convert it (btrfs balance "
			   "start -dconvert=single), or use another file system");
	if (walk->end > 0 && chunk->device != walk->device)
		return why(w, -EINVAL,
			   "the file lies on more than one device (%" PRIu64 " and %" PRIu64
			   " of the file system); use a smaller one, or another file system",
			   walk->device, chunk->device);
	walk->device = chunk->device;
	*ret_physical = chunk->physical + (logical - chunk->logical);
	return 0;
}

int file_walk_extent(struct file_walk *walk, const struct search_item *item, struct why *w)
{
	uint64_t disk, disk_length, offset, length, logical, end, physical = 0;
	int r = check_encoding(item, w);

	if (r < 0)
		return r;
	disk = get_le64(item->data + EXTENT_DISK_START);
	disk_length = get_le64(item->data + EXTENT_DISK_LENGTH);
	offset = get_le64(item->data + EXTENT_OFFSET);
	length = get_le64(item->data + EXTENT_LENGTH);
	if (item->offset != walk->end || disk == 0)
		return why(w, -EINVAL,
			   "the file has a hole at byte %" PRIu64 "; create it without holes",
			   disk == 0 ? item->offset : walk->end);
	if (length == 0 || offset > disk_length || length > disk_length - offset ||
	    !checked_add(disk, offset, &logical) || !checked_add(walk->end, length, &end))
		return why(w, -EBADMSG, "the extent at byte %" PRIu64 " is invalid", item->offset);
	r = locate(walk, logical, length, &physical, w);
	if (r < 0)
		return r;
	if (walk->end == 0) {
		if (physical == 0 || physical % walk->page_size != 0 || length < walk->page_size)
			return why(w, -EINVAL,
				   "the file begins at byte %" PRIu64 " of its device with a piece "
				   "of %" PRIu64 " bytes; whole pages are needed",
				   physical, length);
		walk->first = physical;
	}
	walk->end = end;
	return 0;
}
