/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_subvolume.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Opens the folder above path and puts path's last name into args. */
static int open_above(const char *path, struct btrfs_ioctl_vol_args *args)
{
	_cleanup_free_ char *above = strdup(path), *last = strdup(path);
	int fd;

	if (!above || !last)
		return -ENOMEM;
	*args = (struct btrfs_ioctl_vol_args){ 0 };
	if (!text_copy(args->name, sizeof(args->name), basename(last)))
		return -ENAMETOOLONG;
	fd = open(dirname(above), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool empty = folder != NULL;

	while (folder && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			empty = false;
	if (folder)
		closedir(folder);
	return empty;
}

static bool is_btrfs(const char *folder)
{
	struct statfs fs;

	return statfs(folder, &fs) == 0 && (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC;
}

int swapfile_subvolume_plan(const char *path, char **ret, struct why *w)
{
	_cleanup_free_ char *copy = strdup(path), *folder = NULL, *above = NULL;
	struct stat st;

	*ret = NULL;
	folder = copy ? strdup(dirname(copy)) : NULL;
	above = folder ? strdup(folder) : NULL;
	if (!above)
		return -ENOMEM;
	if (lstat(folder, &st) < 0) {
		if (is_btrfs(dirname(above)))
			*ret = steal_pointer(&folder);
		return 0;
	}
	if (!is_btrfs(folder) || lstat(path, &st) == 0 ||
	    (stat(folder, &st) == 0 && st.st_ino == BTRFS_FIRST_FREE_OBJECTID && is_empty(folder)))
		return 0;
	return why(
		w, -EINVAL,
		"%s is on btrfs, where a swap file in use keeps the subvolume that it is in from "
		"being snapshotted; name a path whose folder does not exist yet and becomes a "
		"subvolume for it, /swap/swapfile for example, or take --no-subvolume",
		path);
}

int swapfile_subvolume_make(const char *path, struct why *w)
{
	struct btrfs_ioctl_vol_args args;
	_cleanup_close_ int fd = open_above(path, &args);

	if (fd < 0 || ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args) < 0) {
		int r = fd < 0 ? fd : -errno;

		return why(w, r, "the subvolume %s cannot be made: %s", path, strerror(-r));
	}
	return 0;
}

/* rmdir(2) removes an empty subvolume since Linux 4.18, and nothing that came into it
 * meanwhile, which BTRFS_IOC_SNAP_DESTROY would. */
int swapfile_subvolume_delete(const char *path, struct why *w)
{
	if (rmdir(path) < 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
		return why(w, -errno, "the subvolume %s cannot be deleted: %s", path,
			   strerror(errno));
	return 0;
}
