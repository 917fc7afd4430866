/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/file_place.h"

#include "base/bytes.h"
#include "swap/btrfs_extents.h"
#include "swap/file_extents.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* FIBMAP counts blocks in an int: the old way, for file systems without FIEMAP (FAT and
 * others). The kernel itself checks for holes at swapon. */
static int place_by_blocks(int fd, uint64_t page_size, uint64_t *ret_offset, struct why *w)
{
	int size = 0, first = 0;
	uint64_t start;

	if (ioctl(fd, FIGETBSZ, &size) < 0 || size <= 0)
		return why(w, -EOPNOTSUPP, "its file system does not report where files lie");
	for (uint64_t i = 0; i < div_round_up(page_size, (uint64_t)size); i++) {
		int block = (int)i;

		if (ioctl(fd, FIBMAP, &block) < 0)
			return why(w, errno == EINVAL || errno == ENOTTY ? -EOPNOTSUPP : -errno,
				   "its file system does not report where files lie: %s",
				   strerror(errno));
		if (block <= 0)
			return why(w, -EINVAL, "the file begins with a hole");
		if (i == 0)
			first = block;
		else if (block - (int)i != first)
			return why(w, -EINVAL, "the file's first page is in pieces");
	}
	start = (uint64_t)first * (uint64_t)size;
	if (start % page_size != 0)
		return why(w, -EINVAL,
			   "the file begins at byte %" PRIu64 " of the disk, which is not a "
			   "multiple of the page size (%" PRIu64 "); use a file system with "
			   "blocks of that size",
			   start, page_size);
	*ret_offset = start / page_size;
	return 0;
}

/* The data of an xfs may lie on a second device, which FIEMAP does not report. */
static int check_realtime(int fd, struct why *w)
{
	struct fsxattr attributes = { 0 };

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0 &&
	    attributes.fsx_xflags & FS_XFLAG_REALTIME)
		return why(
			w, -EOPNOTSUPP,
			"the file lies on the realtime device of its file system; create it "
			"where that is not the default (xfs_io -c 'chattr -t' on the directory)");
	return 0;
}

static int place_on_btrfs(int fd, const struct stat *st, uint64_t page_size, struct file_place *ret,
			  struct why *w)
{
	uint64_t size = (uint64_t)st->st_size / page_size * page_size, physical = 0;
	int r = tree_extents_place(fd, size, page_size, &ret->dev, &physical, w);

	ret->offset = physical / page_size;
	return r;
}

static int place_on_disk(int fd, uint64_t page_size, uint64_t *ret_offset, struct why *w)
{
	int r = file_extents_offset(fd, page_size, ret_offset, w);

	if (r == -EOPNOTSUPP)
		r = place_by_blocks(fd, page_size, ret_offset, w);
	return r;
}

int file_place_find(int fd, uint64_t page_size, struct file_place *ret, struct why *w)
{
	struct file_place place = { 0 };
	struct stat st;
	struct statfs fs;
	int r;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return why(w, -errno, "cannot be examined: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why(w, -EINVAL, "is not a regular file");
	if ((uint64_t)st.st_size < page_size)
		return why(w, -EINVAL, "the file is shorter than a page");
	/* f_type is signed, and of 32 bits on some machines. */
	if ((uint32_t)fs.f_type == BTRFS_SUPER_MAGIC) {
		r = place_on_btrfs(fd, &st, page_size, &place, w);
	} else if (major(st.st_dev) == 0) {
		r = why(w, -EOPNOTSUPP, "its file system is not on one block device");
	} else {
		place.dev = st.st_dev;
		r = check_realtime(fd, w);
		if (r == 0)
			r = place_on_disk(fd, page_size, &place.offset, w);
	}
	if (r == 0)
		*ret = place;
	return r;
}
