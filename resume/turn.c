/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "turn.h"

#include "base/cleanup.h"
#include "base/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TRIES_PER_SECOND 10

int turn_take(const char *root, unsigned int seconds)
{
	const struct timespec pause = { .tv_nsec = 1000000000 / TRIES_PER_SECOND };
	/* Beside the boot record, whose directory has a lock of its own. */
	_cleanup_close_ int directory = run_directory_open(root);
	int lock;

	if (directory < 0)
		return directory;
	lock = openat(directory, "turn", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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
