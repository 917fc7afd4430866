/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/file_extents.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define EXTENTS_A_CALL 64

int file_extent_check_flags(const struct file_extent *extent, struct why *w)
{
	static const struct {
		uint32_t flag;
		const char *reason;
	} refused[] = {
		{ FIEMAP_EXTENT_DELALLOC, "is not allocated on the disk yet" },
		{ FIEMAP_EXTENT_UNKNOWN, "has no known place on the disk" },
		{ FIEMAP_EXTENT_DATA_ENCRYPTED, "is encrypted by the file system" },
		{ FIEMAP_EXTENT_ENCODED, "is compressed or otherwise encoded" },
		{ FIEMAP_EXTENT_DATA_INLINE, "is stored inside metadata" },
		{ FIEMAP_EXTENT_DATA_TAIL, "shares its block with other files" },
		{ FIEMAP_EXTENT_NOT_ALIGNED, "is not aligned to the file system's blocks" },
		{ FIEMAP_EXTENT_SHARED, "is shared with another file or a snapshot" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (extent->flags & refused[i].flag)
			return why(w, -EINVAL, "the part of the file at byte %" PRIu64 " %s",
				   extent->logical, refused[i].reason);
	return 0;
}

int file_extent_check_first(const struct file_extent *extent, uint64_t page_size, struct why *w)
{
	int r = file_extent_check_flags(extent, w);

	if (r < 0)
		return r;
	if (extent->logical != 0)
		return why(w, -EINVAL, "the file begins with a hole of %" PRIu64 " bytes",
			   extent->logical);
	if (extent->physical == 0 || extent->physical % page_size != 0)
		return why(w, -EINVAL,
			   "the file begins at byte %" PRIu64 " of the disk, which is not a "
			   "multiple of the page size (%" PRIu64 "); use a file system with "
			   "blocks of that size",
			   extent->physical, page_size);
	if (extent->length < page_size)
		return why(w, -EINVAL,
			   "the first piece of the file has %" PRIu64 " bytes, less than a page",
			   extent->length);
	return 0;
}

static int fiemap(int fd, uint64_t start, struct fiemap *map)
{
	*map = (struct fiemap){
		.fm_start = start,
		.fm_length = FIEMAP_MAX_OFFSET - start,
		.fm_flags = FIEMAP_FLAG_SYNC,
		.fm_extent_count = EXTENTS_A_CALL,
	};
	if (ioctl(fd, FS_IOC_FIEMAP, map) < 0)
		return errno == ENOTTY ? -EOPNOTSUPP : -errno;
	return map->fm_mapped_extents > EXTENTS_A_CALL ? -EIO : 0;
}

int file_extents_walk(int fd, int (*see)(void *context, const struct file_extent *extent),
		      void *context)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + EXTENTS_A_CALL * sizeof(struct fiemap_extent)];
	} buffer;
	bool any = false;
	uint64_t next = 0;

	for (;;) {
		int r = fiemap(fd, next, &buffer.map);

		if (r < 0)
			return r;
		if (buffer.map.fm_mapped_extents == 0)
			return any ? 0 : -ENODATA;
		for (uint32_t i = 0; i < buffer.map.fm_mapped_extents; i++) {
			const struct fiemap_extent *found = &buffer.map.fm_extents[i];
			struct file_extent extent = {
				.logical = found->fe_logical,
				.physical = found->fe_physical,
				.length = found->fe_length,
				.flags = found->fe_flags,
			};

			/* Each must advance, or the walk would never end. */
			if (extent.length == 0 || (any && extent.logical < next) ||
			    !checked_add(extent.logical, extent.length, &next) ||
			    next > FIEMAP_MAX_OFFSET)
				return -EIO;
			any = true;
			r = see(context, &extent);
			if (r < 0)
				return r;
			if (extent.flags & FIEMAP_EXTENT_LAST || next == FIEMAP_MAX_OFFSET)
				return 0;
		}
	}
}

struct offset_walk {
	uint64_t page_size;
	uint64_t first; /* physical */
	uint64_t end;	/* logical, of what has been seen */
	struct why *w;
};

static int see_extent(void *context, const struct file_extent *extent)
{
	struct offset_walk *walk = context;
	int r;

	if (walk->end == 0) {
		r = file_extent_check_first(extent, walk->page_size, walk->w);
		walk->first = extent->physical;
	} else {
		r = file_extent_check_flags(extent, walk->w);
	}
	if (r < 0)
		return r;
	if (extent->logical != walk->end)
		return why(walk->w, -EINVAL,
			   "the file has a hole at byte %" PRIu64 "; create it without holes",
			   walk->end);
	walk->end = extent->logical + extent->length;
	return 0;
}

/* Is this a file whose extents say where it lies? *ret_size: its whole pages, in bytes. */
static int check_file(int fd, uint64_t page_size, uint64_t *ret_size, struct why *w)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return why(w, -errno, "cannot be examined: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why(w, -EINVAL, "is not a regular file");
	/* f_type is signed, and of 32 bits on some machines. */
	if ((uint32_t)fs.f_type == BTRFS_SUPER_MAGIC)
		return why(w, -EOPNOTSUPP,
			   "on btrfs the extents' addresses are not those of a device");
	*ret_size = (uint64_t)st.st_size / page_size * page_size;
	if (*ret_size == 0)
		return why(w, -EINVAL, "the file is shorter than a page");
	return 0;
}

int file_extents_offset(int fd, uint64_t page_size, uint64_t *ret_offset, struct why *w)
{
	struct why reason = { "" };
	struct offset_walk walk = { .page_size = page_size, .w = &reason };
	uint64_t size = 0;
	int r = check_file(fd, page_size, &size, w);

	if (r < 0)
		return r;
	r = file_extents_walk(fd, see_extent, &walk);
	if (r == -EOPNOTSUPP)
		return why(w, r, "its file system does not report where files lie (no FIEMAP)");
	if (r == -ENODATA)
		return why(w, -EINVAL, "the file is one hole, with no blocks on the disk");
	if (r < 0)
		return reason.text[0] ? why(w, r, "%s", reason.text)
				      : why(w, r, "its extents cannot be read: %s", strerror(-r));
	if (walk.end < size)
		return why(w, -EINVAL,
			   "the file has a hole at byte %" PRIu64 "; create it without holes",
			   walk.end);
	*ret_offset = walk.first / page_size;
	return 0;
}
