/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_files.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"
#include "boot/unified_image.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Deep enough for /boot/efi/EFI/Linux/x.efi and /boot/efi/<os>/<version>/initrd. */
#define DEPTH_MAX 6
#define ENTRIES_MAX 20000

/* Where it is not known: FAT's topmost folder has no times, and not all is looked at. */
#define NO_TIME ((time_t)1 << 40)

struct walk {
	const char *root;
	char release[128]; /* of the running kernel */
	struct boot_files *ret;
	unsigned int entries;
	dev_t dev; /* of /boot */
};

static bool matches(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static bool boots(const char *name)
{
	static const char *const wanted[] = { "*initrd*", "*initramfs*", "booster-*", "*.efi" };
	/* Kept copies, signatures, and what boots after a crash only. */
	static const char *const others[] = {
		"*.old*", "*.bak", "*.dpkg-*", "*~",	  "*.new",
		"*.tmp",  "*.sig", "*.conf",   "*kdump*", "*plymouth*"
	};

	return matches(wanted, ARRAY_SIZE(wanted), name) &&
	       !matches(others, ARRAY_SIZE(others), name);
}

/* Whatever it is called: what is running now is not spare. */
static bool is_spare(const struct walk *walk, const char *path)
{
	static const char *const spare[] = { "*rescue*", "*fallback*", "*/recovery-*/*",
					     "*/limine_history/*", "*/zbm/*" };

	return matches(spare, ARRAY_SIZE(spare), path) &&
	       !(walk->release[0] && strstr(path, walk->release));
}

/* Its content is not looked at. */
static void note_config(struct walk *walk, const char *path, const struct stat *st)
{
	static const char *const configs[] = { "*/grub.cfg",	      "*/loader/entries/*.conf",
					       "*/limine.conf",	      "*/limine.cfg",
					       "*/refind_linux.conf", "*/extlinux.conf",
					       "*/syslinux.cfg",      "*/cmdline.txt" };

	if (!matches(configs, ARRAY_SIZE(configs), path))
		return;
	look_note(walk->root, path, LOOK_NAME);
	if (st->st_mtim.tv_sec > walk->ret->config_changed &&
	    text_copy(walk->ret->config, sizeof(walk->ret->config), path))
		walk->ret->config_changed = st->st_mtim.tv_sec;
}

/* By several names it is what the best of them says. */
static bool is_known(struct boot_files *files, const struct boot_file *file)
{
	for (size_t i = 0; i < files->count; i++) {
		struct boot_file *known = &files->files[i];

		if (known->dev != file->dev || known->inode != file->inode)
			continue;
		if ((known->spare && !file->spare) || (!known->running && file->running))
			*known = *file;
		return true;
	}
	return false;
}

/* The oldest loses its place. */
static void insert(struct boot_files *files, const struct boot_file *file)
{
	size_t at;

	if (is_known(files, file))
		return;
	for (at = files->count; at > 0 && files->files[at - 1].changed < file->changed; at--)
		if (at < BOOT_FILES_MAX)
			files->files[at] = files->files[at - 1];
	if (at == BOOT_FILES_MAX)
		return;
	files->files[at] = *file;
	if (files->count < BOOT_FILES_MAX)
		files->count++;
}

static void take_file(struct walk *walk, int folder, const char *name, const char *path,
		      const struct stat *st)
{
	struct boot_file file = { .mode = st->st_mode,
				  .changed = st->st_mtim.tv_sec,
				  .dev = st->st_dev,
				  .inode = st->st_ino,
				  .spare = is_spare(walk, path),
				  .running = walk->release[0] && strstr(path, walk->release) };
	_cleanup_close_ int fd = -1;
	_cleanup_free_ unsigned char *header = malloc(UNIFIED_HEADER_SIZE);
	struct unified_image image;
	ssize_t length;

	note_config(walk, path, st);
	if (!boots(name) || !text_copy(file.path, sizeof(file.path), path))
		return;
	look_note(walk->root, path, LOOK_NAME);
	if (!walk->root[0] && st->st_ctim.tv_sec > file.changed)
		file.changed = st->st_ctim.tv_sec;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	length = fd < 0 || !header ? -1 : pread(fd, header, UNIFIED_HEADER_SIZE, 0);
	if (length < 0)
		return;
	file.unified = length >= 2 && memcmp(header, "MZ", 2) == 0;
	/* Most EFI programs boot no Linux; and NixOS calls its initramfs .efi, too. In a report a
	 * unified image is a bare archive. */
	if (file.unified ? unified_image_parse(header, (size_t)length, (uint64_t)st->st_size,
					       &image, NULL) == 0
			 : fnmatch("*.efi", name, FNM_CASEFOLD) != 0 ||
				   fnmatch("*initr*", name, FNM_CASEFOLD) == 0 ||
				   (file.unified = length >= 6 && memcmp(header, "070701", 6) == 0))
		insert(walk->ret, &file);
}

/* The topmost folder, for which parent is -1, may be a link. */
static int open_at(const struct walk *walk, int parent, const char *name, int flags)
{
	return parent < 0 ? io_open_below(walk->root, name, flags)
			  : openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* An automount that nobody has used is left alone: O_PATH does not mount it. */
static DIR *open_folder(struct walk *walk, int parent, const char *name, const char *path)
{
	_cleanup_close_ int place = open_at(walk, parent, name, O_PATH);
	struct statfs fs;
	DIR *dir;
	int fd;

	if (place < 0 || fstatfs(place, &fs) < 0)
		return NULL;
	if (fs.f_type == AUTOFS_SUPER_MAGIC) {
		text_copy(walk->ret->unmounted, sizeof(walk->ret->unmounted), path);
		return NULL;
	}
	fd = open_at(walk, parent, name, O_RDONLY | O_DIRECTORY);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static void later(time_t *time, time_t than)
{
	if (than > *time)
		*time = than;
}

static void note_folder(struct walk *walk, int folder, unsigned int depth)
{
	struct stat st = { 0 };
	bool known = fstat(folder, &st) == 0 && st.st_mtim.tv_sec;

	if (depth == 0 && !walk->ret->looked)
		walk->dev = st.st_dev;
	walk->ret->looked = true;
	later(&walk->ret->folders_changed, known ? st.st_mtim.tv_sec : NO_TIME);
	if (st.st_dev == walk->dev)
		later(&walk->ret->written, st.st_ctim.tv_sec);
}

static void walk_folder(struct walk *walk, int parent, const char *name, const char *path,
			unsigned int depth)
{
	DIR *dir = depth > DEPTH_MAX ? NULL : open_folder(walk, parent, name, path);
	const struct dirent *entry;
	char below[PATH_MAX];
	struct stat st;

	if (depth > DEPTH_MAX)
		walk->ret->written = NO_TIME;
	if (!dir)
		return;
	look_note(walk->root, path, LOOK_LIST);
	note_folder(walk, dirfd(dir), depth);
	while ((entry = readdir(dir))) {
		if (++walk->entries > ENTRIES_MAX) {
			walk->ret->written = NO_TIME;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) <
			    0 ||
		    snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
			    (int)sizeof(below))
			continue;
		if (st.st_dev == walk->dev)
			later(&walk->ret->written, st.st_ctim.tv_sec);
		if (S_ISREG(st.st_mode))
			take_file(walk, dirfd(dir), entry->d_name, below, &st);
		else if (S_ISDIR(st.st_mode))
			walk_folder(walk, dirfd(dir), entry->d_name, below, depth + 1);
	}
	closedir(dir);
}

/* An EFI partition may be anywhere (/esp), but is not what somebody plugs in. */
static void walk_mounts(struct walk *walk)
{
	static const char *const others[] = { "/boot",	  "/boot/*",	  "/efi",
					      "/media/*", "/run/media/*", "/mnt/*" };
	const struct mntent *entry;
	_cleanup_fclose_ FILE *file = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/mounts", walk->root);
	look_note("", path, LOOK_READ);
	file = setmntent(path, "re");
	while (file && (entry = getmntent(file)))
		if (strcmp(entry->mnt_type, "vfat") == 0 && entry->mnt_dir[0] == '/' &&
		    !matches(others, ARRAY_SIZE(others), entry->mnt_dir))
			walk_folder(walk, -1, entry->mnt_dir, entry->mnt_dir, 0);
}

void boot_files_find(const char *root, struct boot_files *ret)
{
	static const char *const folders[] = { "/boot", "/efi" };
	struct walk walk = { .root = root, .ret = ret };

	*ret = (struct boot_files){ 0 };
	if (io_read_text(root, "/proc/sys/kernel/osrelease", walk.release, sizeof(walk.release)) <
	    0)
		walk.release[0] = '\0';
	walk.release[strcspn(walk.release, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		walk_folder(&walk, -1, folders[i], folders[i], 0);
	walk_mounts(&walk);
}

time_t boot_modules_changed(const char *root)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	struct stat st;
	time_t ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/usr/lib/modules", root);
	look_note("", path, LOOK_LIST);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		    st.st_mtim.tv_sec > ret)
			ret = st.st_mtim.tv_sec;
	if (dir)
		closedir(dir);
	return ret;
}

time_t boot_began(const char *root)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	long long seconds = 0;

	if (io_read_file(root, "/proc/stat", 4u << 20, &text, NULL) < 0)
		return 0;
	line = strstr(text, "\nbtime ");
	return line && sscanf(line, "\nbtime %lld", &seconds) == 1 && seconds > 0 ? (time_t)seconds
										  : 0;
}

/* 1, 0, -1 as boot_had_initramfs. */
static int setup_header_says(const char *root)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	unsigned char low[4], high[4];

	snprintf(path, sizeof(path), "%s/sys/kernel/boot_params/data", root);
	look_note("", path, LOOK_READ);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || io_pread_full(fd, low, sizeof(low), 0x21c) < 0 ||
	    io_pread_full(fd, high, sizeof(high), 0xc4) < 0)
		return -1;
	return get_le32(low) || get_le32(high);
}

int boot_had_initramfs(const char *root)
{
	/* systemd-boot's, and what the kernel cannot find by itself. */
	static const char *const signs[] = { "initrd=", "root=UUID=", "root=LABEL=",
					     "root=/dev/mapper/" };
	char path[PATH_MAX], cmdline[4096];
	int r;

	snprintf(path, sizeof(path), "%s/run/initramfs", root);
	look_note("", path, LOOK_NAME);
	if (access(path, F_OK) == 0)
		return 1;
	r = setup_header_says(root);
	if (r >= 0)
		return r;
	if (io_read_text(root, "/proc/cmdline", cmdline, sizeof(cmdline)) <= 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strstr(cmdline, signs[i]))
			return 1;
	/* GRUB_FORCE_PARTUUID: panic=-1 makes a boot that finds no root try again. */
	if (strstr(cmdline, "root=PARTUUID=") && strstr(cmdline, "panic=-1"))
		return 0;
	return -1;
}
