/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "site.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "platform/filesystems/mountinfo.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Anything smaller cannot hold an image. */
#define SIZE_MIN (16 * MIB)

/* The kernel counts an area's pages in 32 bits. */
#define PAGES_MAX UINT32_MAX

static const char no_place[] = "its files have no fixed place on a device; use a swap partition, "
			       "or ext4, xfs, btrfs or f2fs";

static const struct {
	const char *types, *refusal;
} refusals[] = {
	{ " tmpfs ramfs rootfs hugetlbfs devtmpfs ",
	  "it is memory and lost when the machine is off; put the swap file on a disk" },
	{ " 9p afs ceph cifs coda gfs2 lustre nfs nfs4 ocfs2 orangefs smb3 vboxsf virtiofs ",
	  "it is reached over the network and not available when the machine resumes; put the "
	  "swap file on a local disk" },
	{ " cramfs erofs iso9660 squashfs udf ",
	  "it cannot be written to; put the swap file elsewhere" },
	{ " overlay ", "it only shows files of other file systems; name a path on the file system "
		       "below (in a container or a live system there may be none)" },
	{ " bcachefs ecryptfs fuse fuseblk nilfs2 ntfs3 ubifs zfs ", no_place },
};

const char *site_refusal(const char *type)
{
	char word[80];

	snprintf(word, sizeof(word), " %s ", type);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (strstr(refusals[i].types, word))
			return refusals[i].refusal;
	return NULL;
}

static int find_path(const char *path, struct site *site, struct why *w)
{
	_cleanup_free_ char *above = strdup(path), *last = strdup(path), *real = NULL;
	const char *name;

	if (!above || !last)
		return -ENOMEM;
	name = basename(last);
	real = realpath(dirname(above), NULL);
	if (!real)
		return why(w, -errno, "its directory: %s", strerror(errno));
	if (!*path || !strcmp(name, "/") || !strcmp(name, ".") || !strcmp(name, ".."))
		return why(w, -EINVAL, "is not a name for a file");
	if (!text_copy(site->directory, sizeof(site->directory), real) ||
	    snprintf(site->path, sizeof(site->path), "%s/%s", strcmp(real, "/") ? real : "",
		     name) >= (int)sizeof(site->path))
		return why(w, -ENAMETOOLONG, "the path is longer than %zu bytes",
			   sizeof(site->path) - 1);
	for (const char *c = site->path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '"' || *c == '#')
			return why(w, -EINVAL,
				   "control characters, \" and # cannot be in the name of a swap "
				   "file");
	return 0;
}

/* logind runs with ProtectHome= and would not see the file. */
static int check_protected(const char *root, const struct site *site, struct why *w)
{
	static const char *const protected[] = { "/home/", "/root/", "/run/user/" };
	_cleanup_close_ int systemd = io_open_below(root, "/run/systemd/system", O_PATH);

	for (size_t i = 0; systemd >= 0 && i < ARRAY_SIZE(protected); i++)
		if (text_starts(site->path, protected[i]))
			return why(w, -EINVAL,
				   "systemd's logind may not look into %s (ProtectHome), so it "
				   "would not offer to hibernate; use another directory, "
				   "/swapfile for example",
				   protected[i]);
	return 0;
}

int site_check_device(const char *root, dev_t dev, struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r = stack ? device_stack_read(root, dev, stack, w) : -ENOMEM;

	return r < 0 ? r : device_stack_check(root, stack, w);
}

/* By its name in the kernel's list of mounts: 9p reports the magic number of the file system on
 * the other side. A file system without a block device is refused anyway; btrfs has several. */
static int check_type(const char *root, const struct site *site, struct why *w)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	const char *refusal;

	mountinfo_read(root, &mountinfo);
	do
		mount = mountinfo_next(mountinfo);
	while (mount && makedev(mount->high, mount->low) != site->dev);
	refusal = mount ? site_refusal(mount->kind) : NULL;
	if (!refusal && major(site->dev) == 0 && site->magic != BTRFS_SUPER_MAGIC)
		refusal = no_place;
	return refusal ? why(w, -EINVAL, "it is on %s: %s",
			     mount ? mount->kind : "a file system not known here", refusal)
		       : 0;
}

int site_examine(const char *root, const char *path, struct site *ret, struct why *w)
{
	struct site site = { 0 };
	struct statfs fs;
	struct stat st;
	int r = find_path(path, &site, w);

	if (r < 0)
		return why_prefix(w, r, "%s", path);
	if (statfs(site.directory, &fs) < 0 || stat(site.directory, &st) < 0)
		return why(w, -errno, "%s: %s", site.directory, strerror(errno));
	site.dev = st.st_dev;
	site.magic = (uint32_t)fs.f_type; /* signed, and of 32 bits on some machines */
	site.free = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	site.total = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	r = check_protected(root, &site, w);
	if (r == 0)
		r = check_type(root, &site, w);
	if (r == 0 && major(site.dev) != 0)
		r = site_check_device(root, site.dev, w);
	if (r < 0)
		return why_prefix(w, r, "%s", site.path);
	*ret = site;
	return 0;
}

/* Header, tables and what does not compress: a little more than memory. */
static uint64_t with_overhead(uint64_t bytes)
{
	return round_up(bytes + bytes / 64 + 16 * MIB, 16 * MIB);
}

int site_choose_size(const struct site *site, const struct meminfo *meminfo, uint64_t wanted,
		     uint64_t *ret, const char **ret_reason, struct why *w)
{
	uint64_t reserve = min_u64(site->total / 20, GIB);
	uint64_t room = site->free - min_u64(reserve, site->free);
	uint64_t all = with_overhead(meminfo->total);
	uint64_t least =
		wanted ? wanted
		       : with_overhead(max_u64(meminfo->total / 2, meminfo_must_save(meminfo)));
	char text[2][24];

	if (wanted && (wanted < SIZE_MIN || wanted / page_size() > PAGES_MAX))
		return why(w, -EINVAL, "a swap file of %s is too %s",
			   text_size(wanted, text[0], sizeof(text[0])),
			   wanted < SIZE_MIN ? "small for any image (at least 16 MiB)"
					     : "large: the kernel counts its pages in 32 bits");
	if (least > room)
		return why(w, -ENOSPC,
			   "%s%s do not fit, since %s must stay free: free some space, or choose "
			   "another file system or size (--size)",
			   text_size(least, text[0], sizeof(text[0])),
			   wanted ? "" : " (half of memory, or what is in use)",
			   text_size(reserve, text[1], sizeof(text[1])));
	*ret_reason =
		wanted ? ""
		: all <= room
			? "all of memory and 1/64 more, so that an image always fits"
			: "less than memory, as the file system has no more room: an image of "
			  "a full memory fits only if it compresses";
	*ret = wanted ? wanted : min_u64(all, room / (16 * MIB) * (16 * MIB));
	return 0;
}
