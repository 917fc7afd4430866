/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create, remove: swap files as their file systems need them. */
#include "swapfile.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "format/swap_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/btrfs_tree.h>
#include <linux/f2fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* True of most f2fs; with larger sections the kernel moves unaligned parts when the file is
 * activated (check_swap_activate() in fs/f2fs/data.c), and they stay there. */
#define SECTION_OF_F2FS (2u << 20)

/* btrfs must not copy on write, which can be set on an empty file only; f2fs does not move a
 * pinned file. */
static int prepare(int fd, const char *root, const struct site *site, struct why *w)
{
	uint32_t pin = 1;

	if (site->magic == BTRFS_SUPER_MAGIC)
		return swapfile_run(root, "chattr -c +C", site->path, w);
	if (site->magic == F2FS_SUPER_MAGIC && ioctl(fd, F2FS_IOC_SET_PIN_FILE, &pin) < 0)
		return why(w, -errno, "the file cannot be pinned to its place: %s",
			   strerror(errno));
	return 0;
}

/* If the file system cannot allocate without writing (ext3, FAT), the C library writes.
 * mkswap(8) sets the SELinux label, too. */
static int fill(int fd, const struct swapfile *s, const struct site *site, struct why *w)
{
	uint64_t size = site->magic == F2FS_SUPER_MAGIC ? round_up(s->size, SECTION_OF_F2FS)
							: s->size / page_size() * page_size();
	/* Independent of the umask and the directory's default ACL. */
	int r = fchmod(fd, 0600) < 0 ? -errno : prepare(fd, s->root, site, w);

	if (r < 0)
		return r;
	r = -posix_fallocate(fd, 0, (off_t)size);
	if (r < 0)
		return why(w, r, "cannot allocate space for it: %s", strerror(-r));
	r = swapfile_run(s->root, "mkswap -L " SWAPFILE_LABEL, site->path, w);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

/* Makes it, finds its place, and reads the header there. After a failure there is no file. */
static int make_file(struct swapfile *s, const struct site *site, struct swapfile_place *ret,
		     struct why *w)
{
	struct swapfile made = *s;
	_cleanup_close_ int fd = -1;
	int r;

	fd = open(site->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return why(w, -errno, "%s: %s", site->path, strerror(errno));
	r = fill(fd, s, site, w);
	if (r < 0)
		why_prefix(w, r, "%s", site->path);
	made.path = site->path;
	if (r == 0)
		r = swapfile_find(&made, ret, w);
	if (r < 0)
		unlink(site->path);
	return r;
}

static const char *directory_of(const char *path, char buffer[PATH_MAX])
{
	text_copy(buffer, PATH_MAX, path);
	return dirname(buffer);
}

static bool is_btrfs(const char *directory)
{
	struct statfs fs;

	return statfs(directory, &fs) == 0 && (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC;
}

static bool is_empty_subvolume(const char *directory)
{
	struct stat st;

	return is_btrfs(directory) && stat(directory, &st) == 0 &&
	       st.st_ino == BTRFS_FIRST_FREE_OBJECTID && st.st_size == 0;
}

/* An active swap file keeps the subvolume that it is in from being snapshotted. 1: path's
 * directory is to be created as one. */
static int plan_subvolume(const char *path, struct why *w)
{
	char buffer[PATH_MAX], above[PATH_MAX];
	const char *directory = directory_of(path, buffer);
	struct stat st;

	if (lstat(directory, &st) < 0)
		return is_btrfs(directory_of(directory, above));
	if (!is_btrfs(directory) || lstat(path, &st) == 0 || is_empty_subvolume(directory))
		return 0;
	return why(w, -EINVAL,
		   "%s is on btrfs, where a swap file in use keeps the subvolume that it is in "
		   "from being snapshotted; name a path whose directory does not exist yet and "
		   "becomes a subvolume for it, /swap/swapfile for example, or use --no-subvolume",
		   path);
}

/* Deletes the file, and the subvolume that it was in if that is empty then and no mount point
 * (rmdir(2), since Linux 4.18). */
static int delete_file(struct swapfile *s, const char *path, struct why *w)
{
	char buffer[PATH_MAX];
	const char *directory = directory_of(path, buffer);

	swapfile_step(s, "delete", path);
	if (!s->dry_run && unlink(path) < 0 && errno != ENOENT)
		return why(w, -errno, "%s cannot be deleted: %s", path, strerror(errno));
	if (!s->dry_run && is_empty_subvolume(directory) && rmdir(directory) == 0)
		swapfile_line(s, "deleted the subvolume %s", directory);
	return 0;
}

static int choose_size(struct swapfile *s, const struct site *site, struct why *w)
{
	struct meminfo meminfo = { 0 };
	const char *reason;
	char size[24];
	int r = s->size ? 0 : meminfo_read(s->root, &meminfo);

	if (r < 0)
		return why(w, -EIO, "/proc/meminfo cannot be used: %s", strerror(-r));
	r = site_choose_size(site, &meminfo, s->size, &s->size, &reason, w);
	if (r < 0)
		return r;
	if (reason[0])
		swapfile_line(s, "%s: %s", text_size(s->size, size, sizeof(size)), reason);
	return 0;
}

/* subvolume: to be created, too; may be NULL. */
static int create(struct swapfile *s, const struct site *site, const char *subvolume, struct why *w)
{
	struct swapfile_place place = { 0 };
	int r = 0;

	if (subvolume)
		swapfile_step(s, "make the subvolume", subvolume);
	swapfile_step(s, "make", site->path);
	if (s->dry_run && s->enable)
		swapfile_step(s, "enable", site->path);
	if (s->dry_run)
		return 0;
	if (subvolume)
		r = swapfile_run(s->root, "btrfs subvolume create", subvolume, w);
	if (r < 0)
		return r;
	r = make_file(s, site, &place, w);
	if (r < 0 && subvolume)
		rmdir(subvolume);
	if (r == 0 && s->enable) {
		r = swapfile_enable_place(s, &place, w);
		if (r < 0)
			why_prefix(w, r, "%s was created, but not enabled", site->path);
	} else if (r == 0) {
		swapfile_line(s, "%s was created; 's2disk-swapfile enable %s' sets the system up",
			      site->path, site->path);
	}
	return r;
}

int swapfile_do_create(struct swapfile *s, struct why *w)
{
	const struct swapfile_place nowhere = { .area.file = true };
	char buffer[PATH_MAX];
	const char *subvolume = directory_of(s->path, buffer);
	struct site site;
	struct stat st;
	int plan = s->no_subvolume ? 0 : plan_subvolume(s->path, w), r = plan;

	if (r >= 0)
		r = site_examine(s->root, plan ? subvolume : s->path, &site, w);
	if (r == 0 && plan &&
	    !text_copy(site.path + strlen(site.path), sizeof(site.path) - strlen(site.path),
		       strrchr(s->path, '/')))
		r = -ENAMETOOLONG;
	/* Not as it was typed: "-x/swapfile" is an option to programs. */
	if (r == 0 && plan)
		subvolume = directory_of(site.path, buffer);
	if (r == 0 && lstat(site.path, &st) == 0)
		r = why(w, -EEXIST,
			"%s exists already; choose another name, enable it if it is a swap file, "
			"or "
			"delete it if an interrupted run left it",
			site.path);
	/* Checks first whether enabling would refuse; its message has the exact place. */
	if (r == 0 && s->enable && !swapfile_initramfs(s, &nowhere, w))
		r = why(w, -EINVAL,
			"this program cannot rebuild the system's initramfs: create the file "
			"without --enable; 's2disk-swapfile enable %s' then says what to run",
			site.path);
	if (r == 0)
		r = choose_size(s, &site, w);
	return r == 0 ? create(s, &site, plan ? subvolume : NULL, w) : r;
}

int swapfile_do_remove(struct swapfile *s, struct why *w)
{
	_cleanup_free_ char *marked = swapfile_marked_area(s->root);
	/* Looking must not activate anything. */
	const struct swapfile look = { .root = s->root,
				       .path = s->path ? s->path : marked,
				       .dry_run = true };
	struct swapfile_place place = { 0 };
	int r = look.path ? swapfile_find(&look, &place, w)
			  : why(w, -EINVAL, "no swap file is enabled; name one");

	if (r == 0 && !place.area.file)
		r = why(w, -EINVAL,
			"%s is a device and cannot be removed; 's2disk-swapfile disable' reverts "
			"the set-up",
			look.path);
	if (r == 0 && strcmp(place.label, SWAPFILE_LABEL) != 0)
		r = why(w, -EINVAL,
			"%s was not created by this version of s2disk-swapfile: run "
			"'s2disk-swapfile disable', then delete it with rm",
			look.path);
	if (r == 0 && marked && strcmp(marked, place.path) == 0)
		r = swapfile_do_disable(s, w);
	if (r == 0 && !s->dry_run && swapfile_is_active(&place.area))
		r = why(w, -EBUSY, "%s is in use as swap; swapoff it first", place.path);
	return r == 0 ? delete_file(s, place.path, w) : r;
}
