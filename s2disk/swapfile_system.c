/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_system.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "swap/swap_area.h"
#include "swapfile_run.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/xattr.h>

/* Far more than a configuration file has. */
#define FILE_LIMIT (8u << 20)
#define SWAPS_MAX 64
#define NEW_SUFFIX ".s2disk-new"

/* A path as it is, a tag as what it leads to. */
static const char *find_path(const char *path, struct swap_area *area)
{
	return path[0] != '/' && swap_area_resolve(path, 0, false, area, NULL) == 0 ? area->device
										    : path;
}

static int real_swap_on(const char *path)
{
	struct swap_area area;

	return swapon(find_path(path, &area), 0) < 0 ? -errno : 0;
}

static int real_swap_off(const char *path)
{
	struct swap_area area;

	return swapoff(find_path(path, &area)) < 0 ? -errno : 0;
}

static bool real_is_active(const char *path)
{
	struct swap_entry entries[SWAPS_MAX];
	int count = swaps_read("", entries, SWAPS_MAX);
	struct swap_area area;
	struct stat st, other;

	if (stat(find_path(path, &area), &st) < 0)
		return false;
	for (int i = 0; i < count && i < SWAPS_MAX; i++)
		if (entries[i].path[0] && !entries[i].deleted &&
		    stat(entries[i].path, &other) == 0 &&
		    (S_ISBLK(st.st_mode) ? S_ISBLK(other.st_mode) && other.st_rdev == st.st_rdev
					 : other.st_dev == st.st_dev && other.st_ino == st.st_ino))
			return true;
	return false;
}

const struct swapfile_system swapfile_real_system = {
	.root = "",
	.run = swapfile_run,
	.swap_on = real_swap_on,
	.swap_off = real_swap_off,
	.is_active = real_is_active,
};

char *system_path(const struct swapfile_system *system, const char *path)
{
	char *full;

	return asprintf(&full, "%s%s", system->root, path) < 0 ? NULL : full;
}

bool system_has(const struct swapfile_system *system, const char *path)
{
	_cleanup_free_ char *full = system_path(system, path);
	struct stat st;

	return full && stat(full, &st) == 0;
}

bool system_same_file(const struct swapfile_system *system, const char *path, const char *other)
{
	_cleanup_free_ char *full = system_path(system, path),
			    *full_other = system_path(system, other);
	struct stat st, st_other;

	if (strcmp(path, other) == 0)
		return true;
	return full && full_other && stat(full, &st) == 0 && stat(full_other, &st_other) == 0 &&
	       st.st_dev == st_other.st_dev && st.st_ino == st_other.st_ino;
}

const char *system_find_program(const struct swapfile_system *system, const char *name,
				char *buffer, size_t size)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin",	       "/sbin",
					       "/bin",	    "/usr/local/sbin", "/usr/local/bin" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *full = NULL;

		if (snprintf(buffer, size, "%s/%s", folders[i], name) >= (int)size)
			continue;
		full = system_path(system, buffer);
		if (full && access(full, X_OK) == 0)
			return buffer;
	}
	return NULL;
}

int system_read(const struct swapfile_system *system, const char *path, char **ret)
{
	size_t length;
	int r = io_read_file(system->root, path, FILE_LIMIT, ret, &length);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret = NULL;
		return 0;
	}
	if (r < 0)
		return r;
	if (strlen(*ret) != length) {
		free(steal_pointer(ret));
		return -EINVAL;
	}
	return 0;
}

/* Owner, mode, and labels of SELinux and its like; of those, what cannot be copied is left. */
static int copy_attributes(const char *path, int to, mode_t mode)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	char names[4096], value[4096];
	struct stat st;
	ssize_t size, length;

	if (from < 0)
		return fchmod(to, mode) < 0 ? -errno : 0;
	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	size = flistxattr(from, names, sizeof(names));
	for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		length = fgetxattr(from, name, value, sizeof(value));
		if (length >= 0 && fsetxattr(to, name, value, (size_t)length, 0) < 0)
			continue;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_beside(const char *path, const char *text, mode_t mode)
{
	_cleanup_free_ char *other = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&other, "%s" NEW_SUFFIX, path) < 0)
		return -ENOMEM;
	unlink(other); /* of a run that was cut off */
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = io_write_full(fd, text, strlen(text));
	if (r == 0)
		r = copy_attributes(path, fd, mode);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(other, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(other);
	return r < 0 ? r : sync_folder_of(path);
}

int system_write(const struct swapfile_system *system, const char *path, const char *text,
		 mode_t mode)
{
	_cleanup_free_ char *full = system_path(system, path), *real = NULL;
	struct stat st;

	if (!full)
		return -ENOMEM;
	real = realpath(full, NULL);
	/* A link that leads nowhere is not ours to replace. */
	if (!real && lstat(full, &st) == 0)
		return -ENOLINK;
	return write_beside(real ? real : full, text, mode);
}

void system_tidy(const struct swapfile_system *system, const char *path)
{
	_cleanup_free_ char *full = system_path(system, path), *real = NULL, *other = NULL;

	real = full ? realpath(full, NULL) : NULL;
	if (full && asprintf(&other, "%s" NEW_SUFFIX, real ? real : full) < 0)
		other = NULL;
	if (other)
		unlink(other);
}

int system_unlink(const struct swapfile_system *system, const char *path)
{
	_cleanup_free_ char *full = system_path(system, path);

	if (!full)
		return -ENOMEM;
	if (unlink(full) < 0 && errno != ENOENT)
		return -errno;
	return sync_folder_of(full);
}
