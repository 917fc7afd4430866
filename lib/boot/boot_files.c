/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_files.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"
#include "boot/efi_variable.h"

#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ENTRIES_MAX 20000 /* below each of the topmost */

/* Time unknown: FAT's root directory has no times, and some files are skipped. */
#define NO_TIME ((time_t)1 << 40)

/* Of a PE program (Microsoft, "PE Format"): the headers are within the first bytes. */
#define HEADERS_SIZE 65536u
#define FILE_HEADER_SIZE 24u /* including the signature */
#define SECTION_SIZE 40u

struct walk {
	const char *root, *top;
	struct boot_files *ret;
	char started[256]; /* path on the ESP of the unified image that booted; "" for none */
	unsigned int entries;
	dev_t dev; /* of /boot */
};

static void later(time_t *time, time_t than)
{
	if (than > *time)
		*time = than;
}

static const char wanted[] = "@(*initrd*|*initramfs*|booster-*|*.efi)";

/* Backup copies, signatures, and crash kernels. */
static const char others[] =
	"@(*.old*|*.bak|*.dpkg-*|*~|*.new|*.tmp|*.sig|*.conf|*kdump*|*plymouth*)";

/* Of whole paths. */
static const char spare[] = "@(*rescue*|*fallback*|*/recovery-*/*|*/limine_history/*|*/zbm/*)";

static bool matches(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, FNM_CASEFOLD | FNM_EXTMATCH) == 0;
}

/* When the list is full, the oldest entry is dropped. */
static void insert(struct boot_files *files, const struct boot_file *file)
{
	size_t at = files->count;

	for (; at > 0 && files->files[at - 1].changed < file->changed; at--)
		if (at < BOOT_FILES_MAX)
			files->files[at] = files->files[at - 1];
	if (at == BOOT_FILES_MAX)
		return;
	files->files[at] = *file;
	files->count += files->count < BOOT_FILES_MAX;
}

static bool take_section(const unsigned char *section, uint64_t file_size, struct boot_section *to)
{
	uint64_t length = get_le32(section + 16), offset = get_le32(section + 20);

	/* In the file it may be padded; in memory it may have no size. */
	if (get_le32(section + 8))
		length = min_u64(length, get_le32(section + 8));
	if (to->length == 0)
		*to = (struct boot_section){ offset, length };
	return offset <= file_size && length <= file_size - offset;
}

bool boot_file_parse(const unsigned char *header, size_t length, uint64_t file_size,
		     struct boot_file *ret)
{
	uint64_t at = length < 64 ? UINT32_MAX : get_le32(header + 60), end;

	ret->initrd = ret->cmdline = (struct boot_section){ 0 };
	if (at + FILE_HEADER_SIZE > length || memcmp(header, "MZ", 2) != 0 ||
	    memcmp(header + at, "PE\0\0", 4) != 0)
		return false;
	end = get_le16(header + at + 6) * SECTION_SIZE;
	at += FILE_HEADER_SIZE + get_le16(header + at + 20);
	end += at;
	for (; at < end && end <= length; at += SECTION_SIZE)
		if ((memcmp(header + at, ".initrd\0", 8) == 0 &&
		     !take_section(header + at, file_size, &ret->initrd)) ||
		    (memcmp(header + at, ".cmdline", 8) == 0 &&
		     !take_section(header + at, file_size, &ret->cmdline)))
			return false;
	return ret->initrd.length > 0;
}

/* Does it boot Linux? Most EFI programs do not, and NixOS gives its initramfs the suffix
 * .efi, too. In a report a unified image is a bare archive. */
static bool look_into(struct boot_file *file, const FTSENT *entry)
{
	_cleanup_free_ unsigned char *header = calloc(1, HEADERS_SIZE);
	_cleanup_close_ int fd =
		open(entry->fts_accpath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t length = fd < 0 || !header ? -1 : pread(fd, header, HEADERS_SIZE, 0);

	/* An addon to unified images boots nothing. */
	if (length < 0 || fnmatch("*.addon.efi", entry->fts_name, FNM_CASEFOLD) == 0)
		return false;
	if (memcmp(header, "MZ", 2) == 0)
		return boot_file_parse(header, (size_t)length, (uint64_t)entry->fts_statp->st_size,
				       file);
	return fnmatch("*.efi", entry->fts_name, FNM_CASEFOLD) != 0 ||
	       fnmatch("*initr*", entry->fts_name, FNM_CASEFOLD) == 0 ||
	       memcmp(header, "070701", 6) == 0;
}

static bool has_release(const char *path, const char *release)
{
	size_t length = strlen(release);
	const char *at = path;

	/* 6.12.5 is not part of 6.12.50, nor 6.12 of 6.12.5; but .img may follow. */
	for (; length > 0 && (at = strstr(at, release)); at++)
		if (!isalnum((unsigned char)at[length]) &&
		    !(at[length] == '.' && isdigit((unsigned char)at[length + 1])))
			return true;
	return false;
}

/* Is path, below the mount point, that on the ESP, in whose file system case does not matter? */
static bool was_started(const char *path, const char *started)
{
	size_t length = strlen(path), end = strlen(started);

	return started[0] == '/' && end <= length && strcasecmp(path + length - end, started) == 0;
}

static void take_file(const struct walk *walk, const char *path, const FTSENT *entry)
{
	const struct stat *st = entry->fts_statp;
	struct boot_file file = { .mode = st->st_mode, .changed = st->st_mtim.tv_sec };

	if (!matches(wanted, entry->fts_name) || matches(others, entry->fts_name) ||
	    !text_copy(file.path, sizeof(file.path), path))
		return;
	text_make_printable(file.path);
	if (strcmp(file.path, path) != 0 || strchr(path, '\n')) {
		text_copy(walk->ret->cut, sizeof(walk->ret->cut), walk->top);
		return;
	}
	look_note(walk->root, path, LOOK_NAME);
	/* Whatever its name: what is running now is not a rescue image. */
	file.running = has_release(path, walk->ret->release) || was_started(path, walk->started);
	file.spare = !file.running && matches(spare, path);
	if (!walk->root[0])
		later(&file.changed, st->st_ctim.tv_sec);
	if (look_into(&file, entry))
		insert(walk->ret, &file);
}

/* false: it is not to be read. O_PATH does not trigger an automount. */
static bool enter(struct walk *walk, const char *path, const FTSENT *entry)
{
	_cleanup_close_ int fd = open(entry->fts_accpath, O_PATH | O_CLOEXEC);
	const time_t changed = entry->fts_statp->st_mtim.tv_sec;
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return false;
	if (fs.f_type == AUTOFS_SUPER_MAGIC) {
		text_copy(walk->ret->unmounted, sizeof(walk->ret->unmounted), path);
		text_make_printable(walk->ret->unmounted);
		return false;
	}
	look_note(walk->root, path, LOOK_LIST);
	later(&walk->ret->directories_changed, changed ? changed : NO_TIME);
	return true;
}

static void walk_below(struct walk *walk, const char *top)
{
	/* O_DIRECTORY would trigger an automount. */
	_cleanup_close_ int fd = io_open_below(walk->root, top, O_PATH);
	char start[32], path[PATH_MAX];
	char *const starts[] = { start, NULL };
	const FTSENT *entry;
	FTS *fts;

	walk->top = top;
	walk->entries = 0;
	/* The only symbolic link that is followed. */
	snprintf(start, sizeof(start), "/proc/self/fd/%d", fd);
	fts = fd < 0 ? NULL : fts_open(starts, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	while (fts && (entry = fts_read(fts))) {
		if (++walk->entries > ENTRIES_MAX) {
			walk->ret->written = NO_TIME;
			text_copy(walk->ret->cut, sizeof(walk->ret->cut), top);
			break;
		}
		if (entry->fts_level == 0 && walk->dev == 0)
			walk->dev = entry->fts_statp->st_dev;
		if (entry->fts_info != FTS_DP && entry->fts_statp->st_dev == walk->dev)
			later(&walk->ret->written, entry->fts_statp->st_ctim.tv_sec);
		snprintf(path, sizeof(path), "%s%s", top, entry->fts_path + strlen(start));
		if (entry->fts_info == FTS_F)
			take_file(walk, path, entry);
		else if (entry->fts_info == FTS_D && !enter(walk, path, entry))
			fts_set(fts, (FTSENT *)(uintptr_t)entry, FTS_SKIP);
	}
	if (fts)
		fts_close(fts);
}

void boot_files_find(const char *root, struct boot_files *ret)
{
	static const char *const tops[] = { "/boot", "/efi", "/esp" };
	struct walk walk = { .root = root, .ret = ret };

	*ret = (struct boot_files){ 0 };
	io_read_text(root, "/proc/sys/kernel/osrelease", ret->release, sizeof(ret->release));
	ret->release[strcspn(ret->release, "\n")] = '\0';
	efi_variable_text(root, "StubImageIdentifier", EFI_VENDOR_LOADER, walk.started,
			  sizeof(walk.started));
	for (char *at = walk.started; *at; at++)
		*at = *at == '\\' ? '/' : *at;
	for (size_t i = 0; i < ARRAY_SIZE(tops); i++)
		walk_below(&walk, tops[i]);
}

time_t boot_modules_changed(const char *root)
{
	_cleanup_close_ int fd = io_open_below(root, "/usr/lib/modules", O_PATH);
	struct stat st;

	look_note(root, "/usr/lib/modules", LOOK_NAME);
	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_mtim.tv_sec : 0;
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

/* Bytes of struct boot_params, and where it has ramdisk_size and ext_ramdisk_size. */
#define BOOT_PARAMS_SIZE 4096
#define AT_RAMDISK_SIZE 0x21c
#define AT_EXT_RAMDISK_SIZE 0xc4

/* false: the kernel does not show it. */
static bool read_initramfs_size(const char *root, uint64_t *ret)
{
	char params[BOOT_PARAMS_SIZE + 1];
	ssize_t length = io_read_text(root, "/sys/kernel/boot_params/data", params, sizeof(params));

	if (length < AT_RAMDISK_SIZE + 4)
		return false;
	*ret = (uint64_t)get_le32(params + AT_EXT_RAMDISK_SIZE) << 32 |
	       get_le32(params + AT_RAMDISK_SIZE);
	return true;
}

uint64_t boot_initramfs_size(const char *root)
{
	uint64_t size = 0;

	return read_initramfs_size(root, &size) ? size : 0;
}

int boot_had_initramfs(const char *root)
{
	_cleanup_close_ int made = io_open_below(root, "/run/initramfs", O_PATH);
	char text[4096];
	uint64_t size;

	look_note(root, "/run/initramfs", LOOK_NAME);
	if (made >= 0)
		return 1;
	if (read_initramfs_size(root, &size))
		return size > 0;
	if (io_read_text(root, "/proc/cmdline", text, sizeof(text)) < 0)
		return -1;
	if (strstr(text, "initrd=") || strstr(text, "root=UUID=") || strstr(text, "root=LABEL="))
		return 1;
	/* GRUB_FORCE_PARTUUID: with panic=-1 a boot that finds no root tries again. */
	return strstr(text, "root=PARTUUID=") && strstr(text, "panic=-1") ? 0 : -1;
}
