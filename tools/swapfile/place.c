/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a swap file can be, and where the area lies that a user names; offset. */
#include "swapfile.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/tree.h"
#include "format/swap_signature.h"
#include "platform/filesystems/mountinfo.h"
#include "swap/area_name.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
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

static int find_path(const char *path, struct site *site, struct why *w)
{
	_cleanup_free_ char *above = strdup(path), *real = NULL;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	real = above ? realpath(dirname(above), NULL) : NULL;
	if (!real)
		return why(w, -errno, "its directory: %s", strerror(errno));
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
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

	for (size_t i = 0; i < ARRAY_SIZE(protected); i++)
		if (text_starts(site->path, protected[i]) &&
		    tree_exists(root, "/run/systemd/system"))
			return why(w, -EINVAL,
				   "systemd's logind may not look into %s (ProtectHome), so it "
				   "would not offer to hibernate; use another directory, "
				   "/swapfile for example",
				   protected[i]);
	return 0;
}

static int check_device(const char *root, dev_t dev, struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r = stack ? device_stack_read(root, dev, stack, w) : -ENOMEM;

	return r < 0 ? r : device_stack_check(root, stack, w);
}

/* File systems without a block device are memory, on the network, or on others (overlay); only
 * btrfs, which may have several, has none of its own either. Of those with one, these move their
 * files or share them with other machines. */
static int check_type(const char *root, const struct site *site, struct why *w)
{
	static const char *const unfit[] = { "fuseblk", "gfs2", "nilfs2", "ntfs3", "ocfs2" };
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	bool refuse = major(site->dev) == 0 && site->magic != BTRFS_SUPER_MAGIC;
	const struct mount_line *mount;

	mountinfo_read(root, &mountinfo);
	do
		mount = mountinfo_next(mountinfo);
	while (mount && makedev(mount->high, mount->low) != site->dev);
	for (size_t i = 0; mount && i < ARRAY_SIZE(unfit); i++)
		refuse |= strcmp(mount->kind, unfit[i]) == 0;
	return refuse ? why(w, -EINVAL,
			    "it is on %s, whose files have no fixed place on a disk of this "
			    "machine; put it on ext4, xfs, btrfs or f2fs, or use a swap partition",
			    mount ? mount->kind : "a file system not known here")
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
		r = check_device(root, site.dev, w);
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

/* Finds the area that the user named, whatever it is. */
static int locate(const struct swapfile *s, struct swapfile_place *ret, struct why *w)
{
	_cleanup_free_ char *real = realpath(s->path, NULL);
	bool tag = !real && strchr(s->path, '=');
	struct statfs fs;
	int r;

	if (!real && !tag)
		return why(w, -errno, "%s: %s%s", s->path, strerror(errno),
			   errno == ENOENT ? "; create it first: s2disk-swapfile create" : "");
	r = swap_area_resolve(tag ? s->path : real, 0, !tag, &ret->area, w);
	/* On f2fs the kernel may move a file on activation; then it stays there. */
	if (r == 0 && ret->area.file && statfs(real, &fs) == 0 &&
	    (uint32_t)fs.f_type == F2FS_SUPER_MAGIC && !s->dry_run &&
	    !swapfile_is_active(&ret->area)) {
		r = swapfile_activate(real, w);
		if (r == 0)
			r = swapfile_deactivate(real, w);
		if (r == 0)
			r = swap_area_resolve(real, 0, true, &ret->area, w);
	}
	if (r == 0)
		r = area_name(s->root, ret->area.dev, ret->area.device, ret->device,
			      sizeof(ret->device), w);
	if (r == 0 && !text_copy(ret->path, sizeof(ret->path), ret->area.file ? real : ret->device))
		r = -ENAMETOOLONG;
	snprintf(ret->offset, sizeof(ret->offset), "%" PRIu64, ret->area.offset);
	return r;
}

/* Reads the first page from the device, and what it says is there. */
static int read_header(struct swapfile_place *place, struct why *w)
{
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	_cleanup_close_ int fd = page ? swap_area_open(&place->area, O_RDONLY, w) : -ENOMEM;
	int r = fd < 0 ? fd : io_pread_full(fd, page, page_size(), swap_area_start(&place->area));
	enum swap_signature_kind kind;
	struct swap_header header;

	if (r < 0)
		return why_prefix(w, r, "%s cannot be read", place->area.device);
	kind = swap_signature_kind(page, page_size());
	if (swap_header_parse(page, page_size(), &header) == 0)
		text_copy(place->label, sizeof(place->label), header.label);
	return kind == SWAP_IS_SWAP
		       ? 0
		       : why(w, -EINVAL,
			     kind == SWAP_IS_NOTHING
				     ? "%s is not a swap area; name one, or create a swap file "
				       "(s2disk-swapfile create)"
				     : "%s holds a hibernation image, which would be lost; resume "
				       "it, or boot once with noresume",
			     place->path);
}

/* Can it be resumed from? An image that would be lost is the more important objection. */
static int examine(const char *root, struct swapfile_place *place, struct why *w)
{
	struct site site;
	int r = read_header(place, w);

	if (r == 0 && place->area.file)
		r = site_examine(root, place->path, &site, w);
	return r == 0 ? check_device(root, place->area.dev, w) : r;
}

int swapfile_find(const struct swapfile *s, struct swapfile_place *ret, struct why *w)
{
	int r = locate(s, ret, w);

	return r == 0 ? examine(s->root, ret, w) : r;
}

int swapfile_do_offset(struct swapfile *s, struct why *w)
{
	struct swapfile_place place = { 0 };
	struct why objection = { "" };
	int r = locate(s, &place, w);

	if (r < 0)
		return r;
	/* The offset is known anyway, so it is printed. */
	if (examine(s->root, &place, &objection) < 0)
		log_warning("it cannot be resumed from: %s", objection.text);
	if (s->uswsusp)
		printf("resume offset = %s\n", place.offset);
	else
		swapfile_line(s, "resume=%s%s%s", place.device,
			      place.area.file ? " resume_offset=" : "",
			      place.area.file ? place.offset : "");
	return 0;
}
