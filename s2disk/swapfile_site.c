/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_site.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "swapfile_shell.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static const char no_place[] = "its files have no fixed place on a device; use a swap partition, "
			       "or ext4, xfs, btrfs or f2fs";

static const struct {
	const char *types, *refusal;
} refusals[] = {
	{ "tmpfs ramfs hugetlbfs devtmpfs",
	  "it is memory and lost when the machine is off; put the swap file on a disk" },
	{ "9p afs ceph cifs coda gfs2 lustre nfs nfs4 ocfs2 orangefs smb3 vboxsf virtiofs",
	  "it comes over the network and is not there when the machine resumes; put the swap file "
	  "on a local disk" },
	{ "cramfs erofs iso9660 squashfs udf",
	  "it cannot be written to; put the swap file elsewhere" },
	{ "overlay", "it only shows files of other file systems; name a path on the file system "
		     "below (in a container or a live system there may be none)" },
	{ "bcachefs ecryptfs fuse fuseblk nilfs2 ntfs3 ubifs zfs", no_place },
};

const char *site_refusal(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (shell_has_word(refusals[i].types, type))
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
		return why(w, -errno, "its folder: %s", strerror(errno));
	if (*path == '\0' || strcmp(name, "/") == 0 || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return why(w, -EINVAL, "is not a name for a file");
	if (!text_copy(site->folder, sizeof(site->folder), real) ||
	    snprintf(site->path, sizeof(site->path), "%s/%s", strcmp(real, "/") ? real : "",
		     name) >= (int)sizeof(site->path))
		return why(w, -ENAMETOOLONG, "the path is longer than %zu bytes",
			   sizeof(site->path) - 1);
	for (const char *c = site->path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '"' || *c == '#')
			return why(w, -EINVAL,
				   "control characters, \" and # cannot stand in the name of a "
				   "swap file");
	return 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return text_starts(path, folder) && (path[length] == '/' || path[length] == '\0');
}

/* logind runs with ProtectHome=, and so would not see the file. */
static int check_protected(const struct swapfile_system *system, const struct site *site,
			   struct why *w)
{
	static const char *const protected[] = { "/home", "/root", "/run/user" };

	if (!system_has(system, "/run/systemd/system"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(protected); i++)
		if (is_below(site->path, protected[i]))
			return why(
				w, -EINVAL,
				"systemd's logind may not look into %s (ProtectHome), so it would "
				"not offer to hibernate; use another folder, /swapfile for "
				"example",
				protected[i]);
	return 0;
}

int site_check_device(const struct swapfile_system *system, dev_t dev, struct device_stack *stack,
		      struct why *w)
{
	int r = device_stack_read(system->root, dev, stack, w);

	return r < 0 ? r : device_stack_check(system->root, stack, w);
}

static int each_btrfs_device(const char *folder, int (*see)(void *context, dev_t dev),
			     void *context, struct why *w)
{
	_cleanup_free_ struct btrfs_ioctl_dev_info_args *info = calloc(1, sizeof(*info));
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct btrfs_ioctl_fs_info_args all = { 0 };
	struct stat st;
	int r = 0;

	if (!info)
		return -ENOMEM;
	if (fd < 0 || ioctl(fd, BTRFS_IOC_FS_INFO, &all) < 0)
		return why(w, -errno, "btrfs does not tell its devices: %s", strerror(errno));
	for (uint64_t id = 1; id <= all.max_id && r == 0; id++) {
		*info = (struct btrfs_ioctl_dev_info_args){ .devid = id };
		if (ioctl(fd, BTRFS_IOC_DEV_INFO, info) < 0)
			continue;
		info->path[sizeof(info->path) - 1] = '\0';
		if (stat((char *)info->path, &st) == 0 && S_ISBLK(st.st_mode))
			r = see(context, st.st_rdev);
	}
	return r;
}

int site_each_device(const char *folder, int (*see)(void *context, dev_t dev), void *context,
		     struct why *w)
{
	struct statfs fs;
	struct stat st;

	if (stat(folder, &st) < 0 || statfs(folder, &fs) < 0)
		return why(w, -errno, "%s: %s", folder, strerror(errno));
	/* f_type is signed, and of 32 bits on some machines. */
	if ((uint32_t)fs.f_type == BTRFS_SUPER_MAGIC)
		return each_btrfs_device(folder, see, context, w);
	return major(st.st_dev) == 0 ? 0 : see(context, st.st_dev);
}

/* The type of a mounted file system by its device number, from the text of
 * mountinfo; NULL where it is not there. In place. */
static const char *mounted_type(char *text, dev_t dev)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		unsigned int high, low;
		char *type = strstr(line, " - ");

		if (!type || sscanf(line, "%*u %*u %u:%u ", &high, &low) != 2 ||
		    makedev(high, low) != dev)
			continue;
		type += 3;
		*strchrnul(type, ' ') = '\0';
		return type;
	}
	return NULL;
}

/* As the kernel's list of mounts calls it: 9p says the magic number of what lies on the other
 * side. One without a block device is refused in any case. */
static int check_type(const struct swapfile_system *system, const struct site *site, bool device,
		      struct why *w)
{
	_cleanup_free_ char *text = NULL;
	const char *type = NULL, *refusal;

	if (system_read(system, "/proc/self/mountinfo", &text) == 0 && text)
		type = mounted_type(text, site->dev);
	refusal = type ? site_refusal(type) : NULL;
	return refusal || !device ? why(w, -EINVAL, "it is on %s: %s",
					type ? type : "a file system not known here",
					refusal ? refusal : no_place)
				  : 0;
}

struct device_check {
	const struct swapfile_system *system;
	struct device_stack *stack;
	struct why *w;
	size_t count;
};

/* Each of the file system's devices may get the file. */
static int check_one(void *context, dev_t dev)
{
	struct device_check *check = context;

	check->count++;
	return site_check_device(check->system, dev, check->stack, check->w);
}

static int check_devices(const struct swapfile_system *system, const struct site *site,
			 struct why *w)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	struct device_check check = { .system = system, .stack = stack, .w = w };
	int r = stack ? site_each_device(site->folder, check_one, &check, w) : -ENOMEM;

	return r < 0 ? r : check_type(system, site, check.count > 0, w);
}

int site_examine(const struct swapfile_system *system, const char *path, struct site *ret,
		 struct why *w)
{
	struct site site = { 0 };
	struct statfs fs;
	struct stat st;
	int r = find_path(path, &site, w);

	if (r < 0)
		return why_prefix(w, r, "%s", path);
	if (statfs(site.folder, &fs) < 0 || stat(site.folder, &st) < 0)
		return why(w, -errno, "%s: %s", site.folder, strerror(errno));
	site.dev = st.st_dev;
	site.magic = (uint32_t)fs.f_type;
	site.free = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	site.total = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	r = check_protected(system, &site, w);
	if (r == 0)
		r = check_devices(system, &site, w);
	if (r < 0)
		return why_prefix(w, r, "%s", site.path);
	*ret = site;
	return 0;
}
