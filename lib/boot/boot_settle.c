/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_settle.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define THAW_TRIES 5

static int freeze(int fd)
{
	return ioctl(fd, FIFREEZE, 0) < 0 ? -errno : 0;
}

/* EINVAL: it is not frozen (any more). */
static int thaw(int fd)
{
	int r = -EIO;

	for (int i = 0; i < THAW_TRIES && r < 0; i++)
		r = ioctl(fd, FITHAW, 0) < 0 && errno != EINVAL ? -errno : 0;
	return r;
}

/* With signals blocked: what ended this program in between would leave every writer of
 * that file system waiting for ever. */
static int freeze_and_thaw(int fd, const char *path, struct why *w)
{
	int r = freeze(fd), thawed;

	/* Somebody else's, and theirs to thaw. */
	if (r == -EBUSY)
		return 0;
	if (r == -EOPNOTSUPP || r == -ENOTTY)
		return 0;
	if (r < 0)
		return why(w, r, "the file system of %s cannot be frozen: %s", path, strerror(-r));
	thawed = thaw(fd);
	if (thawed < 0)
		return why(w, thawed,
			   "the file system of %s is frozen and cannot be thawed: %s; run "
			   "\"fsfreeze -u\" with its mount point",
			   path, strerror(-thawed));
	return 0;
}

int boot_settle(const char *root, struct why *w)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	sigset_t all, before;
	int r;

	snprintf(path, sizeof(path), "%s/boot", root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : why(w, -errno, "%s: %s", path, strerror(errno));
	/* Most of the work, so that it is frozen for a moment only. */
	if (syncfs(fd) < 0)
		return why(w, -errno, "syncing the file system of %s failed: %s", path,
			   strerror(errno));
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	r = freeze_and_thaw(fd, path, w);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
