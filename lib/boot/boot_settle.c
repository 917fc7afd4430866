/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_settle.h"

#include "base/cleanup.h"
#include "boot/boot_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define THAW_TRIES 5

/* fs/ext4/ext4.h, from Linux 5.14 on; not in the headers of every C library. */
#define CHECKPOINT _IOW('f', 43, uint32_t)

/* Margin: the clock may have been set since, and the initramfs mounts earlier. */
#define MARGIN_SECONDS 3600

/* Anything older was replayed from the journal by this boot's mount. */
static bool changed_since_boot(const char *root)
{
	_cleanup_free_ struct boot_files *files = malloc(sizeof(*files));
	time_t began = boot_began(root);

	if (!files || began == 0)
		return true;
	boot_files_find(root, files);
	return files->written >= began - MARGIN_SECONDS;
}

/* EINVAL: it is not frozen (any more). */
static int thaw(int fd)
{
	int r = -EIO;

	for (int i = 0; i < THAW_TRIES && r < 0; i++)
		r = ioctl(fd, FITHAW, 0) < 0 && errno != EINVAL ? -errno : 0;
	return r;
}

/* Signals are blocked: if the program died in between, every writer on that file system
 * would hang. */
static int freeze_for_a_moment(int fd, const char *path, bool *ret_frozen, struct why *w)
{
	sigset_t all, before;
	int r, thawed;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	r = ioctl(fd, FIFREEZE, 0) < 0 ? -errno : 0;
	thawed = r == 0 ? thaw(fd) : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	*ret_frozen = thawed < 0;
	if (thawed < 0)
		return why(w, thawed,
			   "the file system of %s is frozen and cannot be thawed: %s; run "
			   "\"fsfreeze -u\" with its mount point",
			   path, strerror(-thawed));
	/* EBUSY: frozen by another program, which has to thaw it. */
	if (r == 0 || r == -EBUSY || r == -EOPNOTSUPP || r == -ENOTTY)
		return 0;
	return why(w, r, "the file system of %s cannot be frozen: %s", path, strerror(-r));
}

/* Empties the journal of ext4. This waits for the journal only, not for pending writers
 * as a freeze does. -ENOTTY: not supported by this kernel. */
static int checkpoint(int fd, const char *path, struct why *w)
{
	uint32_t flags = 0;

	if (ioctl(fd, CHECKPOINT, &flags) == 0 || errno == ENODEV) /* there is no journal */
		return 0;
	if (errno == ENOTTY || errno == EOPNOTSUPP)
		return -ENOTTY;
	return why(w, -errno, "the journal of %s cannot be emptied: %s", path, strerror(errno));
}

/* Opens the directory and gets its file system; -ENOENT if there is nothing to settle.
 * Automounts are not triggered: O_PATH does not mount. */
static int open_directory(const char *path, struct statfs *ret)
{
	_cleanup_close_ int place = open(path, O_PATH | O_CLOEXEC);
	int fd;

	/* No O_DIRECTORY: that would trigger the automount. */
	if (place < 0 || fstatfs(place, ret) < 0)
		return -errno;
	if (ret->f_type == AUTOFS_SUPER_MAGIC)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int boot_settle(const char *root, bool *ret_frozen, struct why *w)
{
	_cleanup_close_ int fd = -1;
	struct statfs fs;
	char path[PATH_MAX];
	int r;

	*ret_frozen = false;
	snprintf(path, sizeof(path), "%s/boot", root);
	fd = open_directory(path, &fs);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0
						       : why(w, fd, "%s: %s", path, strerror(-fd));
	/* Most of the work; for file systems without a journal, all of it. */
	if (syncfs(fd) < 0)
		return why(w, -errno, "syncing the file system of %s failed: %s", path,
			   strerror(errno));
	/* btrfs: the transaction is committed, and no boot loader reads the log tree. */
	if (fs.f_type == BTRFS_SUPER_MAGIC || !changed_since_boot(root))
		return 0;
	r = fs.f_type == EXT4_SUPER_MAGIC ? checkpoint(fd, path, w) : -ENOTTY;
	return r == -ENOTTY ? freeze_for_a_moment(fd, path, ret_frozen, w) : r;
}
