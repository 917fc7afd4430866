/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/replace.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define NEW_SUFFIX ".s2disk-new"

/* Copies owner, mode, and security labels (SELinux and the like); what cannot be copied
 * is skipped. */
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

static int sync_directory_of(const char *path)
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
	unlink(other); /* left by an interrupted run */
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
	return r < 0 ? r : sync_directory_of(path);
}

int replace_file(const char *path, const char *text, mode_t mode)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct stat st;

	/* A dangling link is not ours to replace. */
	if (!real && lstat(path, &st) == 0)
		return -ENOLINK;
	return write_beside(real ? real : path, text, mode);
}

void replace_tidy(const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL), *other = NULL;

	if (asprintf(&other, "%s" NEW_SUFFIX, real ? real : path) < 0)
		other = NULL;
	if (other)
		unlink(other);
}

int replace_unlink(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return sync_directory_of(path);
}
