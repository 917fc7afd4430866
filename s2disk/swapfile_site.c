/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_site.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"

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

/* linux/magic.h does not have these. */
#define MAGIC_OF_ZFS 0x2fc12fc1
#define MAGIC_OF_BCACHEFS 0xca451a4e
#define MAGIC_OF_NTFS3 0x7366746e
#define MAGIC_OF_JFS 0x3153464a
#define MAGIC_OF_UBIFS 0x24051905
#define MAGIC_OF_VBOXSF 0x786f4256
#define MAGIC_OF_LUSTRE 0x0bd00bd0
#define MAGIC_OF_GFS2 0x01161970

static const char in_memory[] = "it is memory and lost when the machine is off; put the swap file "
				"on a disk";
static const char over_network[] = "it comes over the network and is not there when the machine "
				   "resumes; put the swap file on a local disk";
static const char read_only[] = "it cannot be written to; put the swap file elsewhere";
static const char no_place[] = "its files have no fixed place on a device; use a swap partition, "
			       "or ext4, xfs, btrfs or f2fs";

static const struct {
	uint32_t magic;
	const char *kind;
	const char *refusal;
} kinds[] = {
	{ EXT4_SUPER_MAGIC, "ext4", NULL },
	{ XFS_SUPER_MAGIC, "xfs", NULL },
	{ BTRFS_SUPER_MAGIC, "btrfs", NULL },
	{ F2FS_SUPER_MAGIC, "f2fs", NULL },
	{ MSDOS_SUPER_MAGIC, "FAT", NULL },
	{ EXFAT_SUPER_MAGIC, "exFAT", NULL },
	{ MAGIC_OF_JFS, "jfs", NULL },
	{ MAGIC_OF_ZFS, "ZFS", no_place },
	{ MAGIC_OF_BCACHEFS, "bcachefs", no_place },
	{ NILFS_SUPER_MAGIC, "nilfs2", no_place },
	{ MAGIC_OF_UBIFS, "ubifs", no_place },
	{ MAGIC_OF_NTFS3, "ntfs3", no_place },
	{ ECRYPTFS_SUPER_MAGIC, "ecryptfs", no_place },
	{ FUSE_SUPER_MAGIC, "FUSE", no_place },
	{ OVERLAYFS_SUPER_MAGIC, "overlay",
	  "it only shows files of other file systems; name a path on the file system below "
	  "(in a container or a live system there may be none)" },
	{ TMPFS_MAGIC, "tmpfs", in_memory },
	{ RAMFS_MAGIC, "ramfs", in_memory },
	{ HUGETLBFS_MAGIC, "hugetlbfs", in_memory },
	{ SQUASHFS_MAGIC, "squashfs", read_only },
	{ EROFS_SUPER_MAGIC_V1, "erofs", read_only },
	{ ISOFS_SUPER_MAGIC, "iso9660", read_only },
	{ NFS_SUPER_MAGIC, "NFS", over_network },
	{ SMB_SUPER_MAGIC, "SMB", over_network },
	{ CIFS_SUPER_MAGIC, "CIFS", over_network },
	{ SMB2_SUPER_MAGIC, "SMB", over_network },
	{ CEPH_SUPER_MAGIC, "Ceph", over_network },
	{ AFS_SUPER_MAGIC, "AFS", over_network },
	{ AFS_FS_MAGIC, "AFS", over_network },
	{ CODA_SUPER_MAGIC, "Coda", over_network },
	{ MAGIC_OF_LUSTRE, "Lustre", over_network },
	{ OCFS2_SUPER_MAGIC, "OCFS2", over_network },
	{ MAGIC_OF_GFS2, "GFS2", over_network },
	{ V9FS_MAGIC, "9p", over_network },
	{ MAGIC_OF_VBOXSF, "vboxsf", over_network },
};

const char *site_kind(uint32_t magic, const char **ret_refusal)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && kinds[i].magic != magic)
		i++;
	*ret_refusal = i < ARRAY_SIZE(kinds) ? kinds[i].refusal : NULL;
	return i < ARRAY_SIZE(kinds) ? kinds[i].kind : NULL;
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

/* A file system without a block device. 9p says the magic number of what lies
 * on the other side, so the kernel's list of mounts is asked. */
static int refuse_without_device(const struct swapfile_system *system, const struct site *site,
				 struct why *w)
{
	static const char *const remote[] = { "9p",   "nfs", "nfs4",	 "cifs",   "smb3",
					      "ceph", "afs", "virtiofs", "vboxsf", "orangefs" };
	_cleanup_free_ char *text = NULL;
	const char *type = NULL;
	struct stat st;

	if (stat(site->folder, &st) == 0 &&
	    system_read(system, "/proc/self/mountinfo", &text) == 0 && text)
		type = mounted_type(text, st.st_dev);
	for (size_t i = 0; type && i < ARRAY_SIZE(remote); i++)
		if (strcmp(type, remote[i]) == 0)
			return why(w, -EINVAL, "it is on %s: %s", type, over_network);
	return why(w, -EINVAL, "it is on %s: %s", type ? type : site->kind, no_place);
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

	if (r == 0 && check.count == 0)
		r = refuse_without_device(system, site, w);
	return r;
}

struct only {
	dev_t dev;
	size_t count;
};

static int take_one(void *context, dev_t dev)
{
	struct only *only = context;

	only->dev = dev;
	only->count++;
	return 0;
}

int site_only_device(const struct site *site, dev_t *ret, struct why *w)
{
	struct only only = { 0 };
	int r = site_each_device(site->folder, take_one, &only, w);

	if (r == 0 && only.count != 1)
		r = why(w, -EOPNOTSUPP, "its file system has %zu devices", only.count);
	if (r == 0)
		*ret = only.dev;
	return r;
}

int site_examine(const struct swapfile_system *system, const char *path, struct site *ret,
		 struct why *w)
{
	const char *refusal;
	struct site site = { 0 };
	struct statfs fs;
	int r = find_path(path, &site, w);

	if (r < 0)
		return why_prefix(w, r, "%s", path);
	if (statfs(site.folder, &fs) < 0)
		return why(w, -errno, "%s: %s", site.folder, strerror(errno));
	site.magic = (uint32_t)fs.f_type;
	site.block = (uint32_t)fs.f_bsize;
	site.free = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	site.total = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	site.kind = site_kind(site.magic, &refusal);
	if (!site.kind)
		site.kind = "a file system not known here";
	if (refusal)
		r = why(w, -EINVAL, "it is on %s: %s", site.kind, refusal);
	if (r == 0)
		r = check_protected(system, &site, w);
	if (r == 0)
		r = check_devices(system, &site, w);
	if (r < 0)
		return why_prefix(w, r, "%s", site.path);
	*ret = site;
	return 0;
}
