/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "turn.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Beside the boot record, whose folder has a lock of its own. */
#define FOLDER "/run/s2disk"

#define TRIES_PER_SECOND 10

int turn_take(const char *root, unsigned int seconds)
{
	const struct timespec pause = { .tv_nsec = 1000000000 / TRIES_PER_SECOND };
	_cleanup_close_ int folder = -1;
	char path[PATH_MAX];
	int lock;

	snprintf(path, sizeof(path), "%s" FOLDER, root);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	lock = openat(folder, "turn", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return -errno;
	for (unsigned int tries = 0; flock(lock, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (tries >= seconds * TRIES_PER_SECOND) {
			close(lock);
			return -EBUSY;
		}
		nanosleep(&pause, NULL);
	}
	return lock;
}
