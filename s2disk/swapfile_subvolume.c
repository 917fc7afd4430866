/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_subvolume.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/btrfs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

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

int swapfile_subvolume_delete(const char *path, struct why *w)
{
	struct btrfs_ioctl_vol_args args;
	_cleanup_close_ int fd = -1;

	if (!is_empty(path))
		return 0;
	fd = open_above(path, &args);
	if (fd < 0 || ioctl(fd, BTRFS_IOC_SNAP_DESTROY, &args) < 0) {
		int r = fd < 0 ? fd : -errno;

		return why(w, r, "the subvolume %s cannot be deleted: %s", path, strerror(-r));
	}
	return 0;
}
