/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>

#define LOCK "/run/s2disk.lock"

int hibernate_lock_take(const char *root, int *ret_fd, struct why *w)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	*ret_fd = -1;
	snprintf(path, sizeof(path), "%s" LOCK, root);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* The kernel gives the snapshot to one process only anyway. */
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return why(w, -EBUSY,
			   "another s2disk is hibernating this machine already,"
			   " or still deactivating its swap");
	*ret_fd = steal_fd(&fd);
	return 0;
}

void hibernate_lock_give(int *fd)
{
	cleanup_close(fd);
	*fd = -1;
}
