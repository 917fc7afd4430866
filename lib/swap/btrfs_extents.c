/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/btrfs_extents.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "swap/btrfs_tree.h"
#include "swap/file_extents.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* Room for the items of one search. */
#define ANSWER_SIZE 65536

/* A chunk has at least 256 KiB, usually far more: this many typically cover more than 128 EiB. */
#define CHUNKS_MAX (1u << 27)

struct search {
	uint64_t tree;
	uint64_t objectid;
	uint32_t type;
};

/* The next items of that object and type, from that offset on. */
static int search_once(int fd, const struct search *search, uint64_t from,
		       struct btrfs_ioctl_search_args_v2 *args, struct why *w)
{
	*args = (struct btrfs_ioctl_search_args_v2){
		.key = { .tree_id = search->tree,
			 .min_objectid = search->objectid,
			 .max_objectid = search->objectid,
			 .min_type = search->type,
			 .max_type = search->type,
			 .min_offset = from,
			 .max_offset = UINT64_MAX,
			 .max_transid = UINT64_MAX,
			 .nr_items = UINT32_MAX },
		.buf_size = ANSWER_SIZE,
	};
	return ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, args) < 0
		       ? why(w, -errno, "the trees of btrfs cannot be read: %s", strerror(errno))
		       : 0;
}

/* Calls see() for every item of that object and type, in order. */
static int search_tree(int fd, const struct search *search,
		       int (*see)(void *context, const struct search_item *item, struct why *w),
		       void *context, struct why *w)
{
	_cleanup_free_ struct btrfs_ioctl_search_args_v2 *args =
		malloc(sizeof(*args) + ANSWER_SIZE);
	uint64_t next = 0;
	int r;

	if (!args)
		return -ENOMEM;
	while ((r = search_once(fd, search, next, args, w)) == 0 && args->key.nr_items > 0) {
		/* An array of bytes in newer headers of the kernel, of __u64 in older ones. */
		const unsigned char *answer = (const unsigned char *)args->buf;
		struct search_item item;
		bool any = false;
		size_t at = 0;

		for (uint32_t i = 0; i < args->key.nr_items; i++) {
			r = search_item_next(answer, ANSWER_SIZE, &at, &item);
			if (r <= 0)
				return why(w, -EBADMSG, "btrfs returned a truncated tree");
			if (item.objectid != search->objectid || item.type != search->type)
				continue;
			/* Each must advance, or the search would never end. */
			if (item.offset < next)
				return why(w, -EBADMSG, "btrfs returned a tree out of order");
			r = see(context, &item, w);
			if (r < 0 || item.offset == UINT64_MAX)
				return r;
			next = item.offset + 1;
			any = true;
		}
		if (!any)
			return why(w, -EBADMSG, "btrfs returned no item that was asked for");
	}
	return r;
}

struct chunk_list {
	struct chunk_span *chunks;
	size_t count, room;
};

static int see_chunk(void *context, const struct search_item *item, struct why *w)
{
	struct chunk_list *list = context;
	int r;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct chunk_span *more;

		if (room > CHUNKS_MAX)
			return why(w, -E2BIG, "btrfs has more than %u chunks", CHUNKS_MAX);
		more = reallocarray(list->chunks, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		list->chunks = more;
		list->room = room;
	}
	r = chunk_parse(item, &list->chunks[list->count], w);
	list->count += r == 0;
	return r;
}

static int see_extent(void *context, const struct search_item *item, struct why *w)
{
	return file_walk_extent(context, item, w);
}

struct shared_walk {
	struct why *w;
};

/* FIEMAP's flags are right on btrfs, unlike its addresses. */
static int see_flags(void *context, const struct file_extent *extent)
{
	const struct shared_walk *walk = context;

	return file_extent_check_flags(extent, walk->w);
}

static int check_file(int fd, struct why *w)
{
	struct why reason = { "" };
	struct shared_walk walk = { .w = &reason };
	unsigned int flags = 0;
	int r;

	/* The kernel writes an int, although the ioctl number says otherwise. */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return why(w, -errno, "its attributes cannot be read: %s", strerror(errno));
	if (flags & FS_COMPR_FL)
		return why(
			w, -EINVAL,
			"the file is marked for compression; create it again without (chattr -c)");
	if (!(flags & FS_NOCOW_FL))
		return why(w, -EINVAL,
			   "the file is copied on write; on btrfs a swap file must have the "
			   "attribute NOCOW, set while it is empty (chattr +C)");
	r = file_extents_walk(fd, see_flags, &walk);
	if (r == -ENODATA)
		return why(w, -EINVAL, "the file is one hole, with no blocks on the disk");
	if (r < 0)
		return why(w, r, "%s", why_text(&reason, r));
	return 0;
}

/* The block device that has this number in the file system. */
static int find_device(int fd, uint64_t device, dev_t *ret, struct why *w)
{
	_cleanup_free_ struct btrfs_ioctl_dev_info_args *info = calloc(1, sizeof(*info));
	struct stat st;
	char *path;

	if (!info)
		return -ENOMEM;
	info->devid = device;
	if (ioctl(fd, BTRFS_IOC_DEV_INFO, info) < 0)
		return why(w, -errno, "btrfs does not report its device %" PRIu64 ": %s", device,
			   strerror(errno));
	path = (char *)info->path;
	path[sizeof(info->path) - 1] = '\0';
	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return why(w, -ENODEV, "device %" PRIu64 " of btrfs, %.200s, is missing", device,
			   *path ? path : "which has no name");
	*ret = st.st_rdev;
	return 0;
}

int tree_extents_place(int fd, uint64_t size, uint64_t page_size, dev_t *ret_dev,
		       uint64_t *ret_physical, struct why *w)
{
	const struct search chunks = {
		.tree = BTRFS_CHUNK_TREE_OBJECTID,
		.objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		.type = BTRFS_CHUNK_ITEM_KEY,
	};
	/* Tree 0 means the subvolume that the file is in. */
	struct search extents = { .type = BTRFS_EXTENT_DATA_KEY };
	struct file_walk walk = { .page_size = page_size };
	struct chunk_list list = { 0 };
	struct stat st;
	int r = check_file(fd, w);

	if (r == 0 && fstat(fd, &st) < 0)
		r = why(w, -errno, "cannot be examined: %s", strerror(errno));
	if (r == 0)
		r = search_tree(fd, &chunks, see_chunk, &list, w);
	if (r == 0) {
		extents.objectid = st.st_ino;
		walk.chunks = list.chunks;
		walk.chunk_count = list.count;
		r = search_tree(fd, &extents, see_extent, &walk, w);
	}
	free(list.chunks);
	if (r == 0 && walk.end < size)
		r = why(w, -EINVAL,
			"the file has a hole at byte %" PRIu64 "; create it without holes",
			walk.end);
	if (r == 0)
		r = find_device(fd, walk.device, ret_dev, w);
	if (r == 0)
		*ret_physical = walk.first;
	return r;
}
