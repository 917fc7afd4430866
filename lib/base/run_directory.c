/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/run_directory.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Two seconds. */
#define LOCK_TRIES 40
#define LOCK_PAUSE_NSEC 50000000

int run_directory_open(const char *root)
{
	_cleanup_close_ int directory = -1;
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s" RUN_DIRECTORY, root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &st) < 0)
		return -errno;
	if ((st.st_mode & 07777) != 0700 && fchmod(directory, 0700) < 0)
		return -errno;
	return steal_fd(&directory);
}

static int write_beside(int directory, const char *part, const char *name, const void *bytes,
			size_t length)
{
	_cleanup_close_ int fd = -1;
	int r;

	unlinkat(directory, part, 0); /* left by an interrupted run */
	fd = openat(directory, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0600) < 0 ? -errno : io_write_full(fd, bytes, length);
	return r == 0 && renameat(directory, part, directory, name) < 0 ? -errno : r;
}

int run_directory_put(const char *root, const char *name, const void *bytes, size_t length)
{
	_cleanup_close_ int directory = run_directory_open(root);
	char part[NAME_MAX + 1];
	int r;

	if (directory < 0)
		return directory;
	if (snprintf(part, sizeof(part), ".%s.part", name) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	r = write_beside(directory, part, name, bytes, length);
	if (r < 0)
		unlinkat(directory, part, 0);
	return r;
}

int run_directory_lock(const char *root, const char *name, struct why *w)
{
	_cleanup_close_ int directory = run_directory_open(root), fd = -1;

	if (directory < 0)
		return why(w, directory, RUN_DIRECTORY ": %s", strerror(-directory));
	fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return why(w, -errno, RUN_DIRECTORY "/%s: %s", name, strerror(errno));
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return why(w, -errno, RUN_DIRECTORY "/%s cannot be locked: %s", name,
				   strerror(errno));
		if (i == LOCK_TRIES)
			return why(w, -ENOLCK, RUN_DIRECTORY "/%s is held by another program",
				   name);
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NSEC }, NULL);
	}
	return steal_fd(&fd);
}
