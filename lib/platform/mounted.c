/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/mounted.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/block_device.h"
#include "platform/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTINFO_LIMIT (4u << 20)

/* A line of mountinfo (proc_pid_mountinfo(5)): 36 35 98:0 / /mnt rw … - ext3
 * /dev/root rw. */
struct mount {
	uint64_t id;
	unsigned int high, low;
	char place[PATH_MAX];
	char kind[64];
	char source[PATH_MAX];
};

static bool parse_mount(const char *line, struct mount *ret)
{
	const char *rest = strstr(line, " - ");

	if (!rest ||
	    sscanf(line, "%" SCNu64 " %*u %u:%u %*s %4095s", &ret->id, &ret->high, &ret->low,
		   ret->place) != 4 ||
	    sscanf(rest, " - %63s %4095s", ret->kind, ret->source) != 2)
		return false;
	if (!text_unescape_octal(ret->place, strlen(ret->place), ret->place, sizeof(ret->place)) ||
	    !text_unescape_octal(ret->source, strlen(ret->source), ret->source,
				 sizeof(ret->source)))
		return false;
	return true;
}

/* On no block device of this machine, and yet not the kernel's own. */
static bool is_elsewhere(const char *kind)
{
	static const char *const kinds[] = { "9p",	 "afs",	     "ceph", "cifs",
					     "ecryptfs", "nfs",	     "nfs4", "smb3",
					     "vboxsf",	 "virtiofs", "zfs" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return text_starts(kind, "fuse.") || strcmp(kind, "fuse") == 0;
}

/* A program answers for it, and is frozen. */
static bool needs_program(const char *kind)
{
	return text_starts(kind, "fuse");
}

/* btrfs has no device number in mountinfo, but the path of a device. */
static bool find_device(const char *root, const struct mount *mount, char *path, size_t size)
{
	char name[64];

	if (mount->high != 0) {
		if (!tree_link(root, name, sizeof(name), "/sys/dev/block/%u:%u", mount->high,
			       mount->low))
			return false;
		block_device_path(name, path, size);
		return true;
	}
	return text_starts(mount->source, "/dev/") && text_copy(path, size, mount->source);
}

static struct mounted_item *find_item(struct mounted *mounted, const char *device)
{
	for (size_t i = 0; i < mounted->count; i++)
		if (strcmp(mounted->items[i].filesystem.device, device) == 0)
			return &mounted->items[i];
	return NULL;
}

static struct mounted_item *add_item(struct mounted *mounted, const char *device, const char *place,
				     const char *kind)
{
	struct mounted_item *item;

	if (mounted->count >= FILESYSTEMS_MAX)
		return NULL;
	if (mounted->count == mounted->room) {
		size_t room = mounted->room ? 2 * mounted->room : 16;

		item = reallocarray(mounted->items, room, sizeof(*item));
		if (!item)
			return NULL;
		mounted->items = item;
		mounted->room = room;
	}
	item = &mounted->items[mounted->count++];
	*item = (struct mounted_item){ .device = -1, .directory = -1 };
	text_copy(item->filesystem.device, sizeof(item->filesystem.device), device);
	tree_one_line(item->filesystem.device);
	text_copy(item->filesystem.place, sizeof(item->filesystem.place), place);
	tree_one_line(item->filesystem.place);
	text_copy(item->kind, sizeof(item->kind), kind);
	tree_one_line(item->kind);
	return item;
}

/* Another file system may be mounted on it, or be there by now. */
static bool is_mount(int fd, uint64_t id)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 && st.stx_mask & STATX_MNT_ID &&
	       st.stx_mnt_id == id;
}

static int open_directory(const char *root, const struct mount *mount)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX];

	if (needs_program(mount->kind) ||
	    snprintf(full, sizeof(full), "%s%s", root, mount->place) >= (int)sizeof(full))
		return -1;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && is_mount(fd, mount->id) ? steal_fd(&fd) : -1;
}

static int read_page(void *context, uint64_t offset, unsigned char *page)
{
	return io_pread_full(*(const int *)context, page, FILESYSTEM_PAGE, offset);
}

static int identify(struct mounted *mounted, int device, struct filesystem *ret)
{
	const struct filesystem_source source = { .read = read_page, .context = &device };

	return filesystem_identify(&source, mounted->page, ret);
}

/* What it is until it can be stamped. */
static void set_unstamped(struct mounted_item *item, enum filesystem_unstamped reason)
{
	text_copy(item->filesystem.type, sizeof(item->filesystem.type), item->kind);
	memset(item->filesystem.uuid, 0, sizeof(item->filesystem.uuid));
	memset(item->filesystem.stamp, 0, sizeof(item->filesystem.stamp));
	memset(item->filesystem.member, 0, sizeof(item->filesystem.member));
	item->filesystem.unstamped = reason;
}

/* path is longer than the item's where that is cut. */
static void open_item_device(const char *root, struct mounted_item *item, const char *path)
{
	_cleanup_close_ int fd = block_device_open(root, path);

	if (fd < 0 || !block_device_name(root, fd, path, item->name, sizeof(item->name))) {
		set_unstamped(item, FILESYSTEM_UNREADABLE);
	} else if (!block_device_answers_frozen(root, item->name)) {
		set_unstamped(item, FILESYSTEM_BLOCKED);
	} else {
		device_identity(root, item->name, item->filesystem.identity);
		item->device = steal_fd(&fd);
	}
}

/* The other devices of a btrfs, as the kernel has them. */
static void open_members(const char *root, struct mounted *mounted, size_t first)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct filesystem found = { 0 };
	char uuid[TEXT_UUID_SIZE], folder[128], path[300];

	if (mounted->items[first].device < 0 ||
	    identify(mounted, mounted->items[first].device, &found) < 0 ||
	    strcmp(found.type, "btrfs") != 0)
		return;
	text_uuid(found.uuid, uuid);
	snprintf(folder, sizeof(folder), "/sys/fs/btrfs/%s/devices", uuid);
	if (tree_list(root, folder, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		struct mounted_item *item;

		if (strcmp(names.items[i], mounted->items[first].name) == 0)
			continue;
		block_device_path(names.items[i], path, sizeof(path));
		item = find_item(mounted, path)
			       ? NULL
			       : add_item(mounted, path, mounted->items[first].filesystem.place,
					  mounted->items[first].kind);
		if (item)
			open_item_device(root, item, path);
	}
}

static void open_mount(const char *root, struct mounted *mounted, const struct mount *mount)
{
	struct mounted_item *item;
	char device[PATH_MAX];

	if (mount->high == 0 && is_elsewhere(mount->kind)) {
		item = add_item(mounted, mount->source, mount->place, mount->kind);
		if (item)
			set_unstamped(item, FILESYSTEM_ELSEWHERE);
		return;
	}
	if (!find_device(root, mount, device, sizeof(device)))
		return;
	item = find_item(mounted, device);
	if (!item) {
		size_t index = mounted->count;

		item = add_item(mounted, device, mount->place, mount->kind);
		if (!item)
			return;
		open_item_device(root, item, device);
		open_members(root, mounted, index);
		item = &mounted->items[index]; /* it may have moved */
	}
	if (item->device >= 0 && item->directory < 0)
		item->directory = open_directory(root, mount);
}

static int make_room(struct mounted *mounted, struct filesystems *ret)
{
	if (mounted->count > 0)
		ret->items.items = calloc(mounted->count, sizeof(*ret->items.items));
	return mounted->count == 0 || ret->items.items ? 0 : -ENOMEM;
}

int mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret)
{
	_cleanup_free_ struct mount *mount = malloc(sizeof(*mount));
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	int r = io_read_file(root, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, NULL);

	*mounted = (struct mounted){ 0 };
	*ret = (struct filesystems){ 0 };
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	mounted->page = aligned_alloc(FILESYSTEM_PAGE, FILESYSTEM_PAGE);
	for (rest = text; mount && mounted->page && (line = strsep(&rest, "\n"));)
		if (parse_mount(line, mount))
			open_mount(root, mounted, mount);
	r = mount && mounted->page ? make_room(mounted, ret) : -ENOMEM;
	if (r < 0)
		mounted_close(mounted);
	return r;
}

void mounted_settle(const struct mounted *mounted)
{
	for (size_t i = 0; i < mounted->count; i++)
		if (mounted->items[i].directory >= 0)
			syncfs(mounted->items[i].directory);
}

void mounted_stamp(struct mounted *mounted, struct filesystems *ret)
{
	ret->items.count = 0;
	ret->items.known = mounted->page != NULL;
	for (size_t i = 0; i < mounted->count; i++) {
		struct mounted_item *item = &mounted->items[i];
		int r = item->device < 0 ? 0 : identify(mounted, item->device, &item->filesystem);

		if (r < 0)
			set_unstamped(item,
				      r == -ENODEV ? FILESYSTEM_UNKNOWN : FILESYSTEM_UNREADABLE);
		ret->items.items[ret->items.count++] = item->filesystem;
	}
}

enum mounted_state mounted_look_again(struct mounted *mounted, size_t index, struct filesystem *ret)
{
	const struct mounted_item *item = &mounted->items[index];
	int r;

	*ret = item->filesystem;
	if (item->device < 0 || item->filesystem.unstamped != FILESYSTEM_STAMPED)
		return MOUNTED_UNSEEN;
	r = identify(mounted, item->device, ret);
	if (r < 0 && r != -ENODEV)
		return MOUNTED_UNSEEN;
	return r == 0 && filesystem_same(ret, &item->filesystem) &&
			       filesystem_unchanged(&item->filesystem, ret)
		       ? MOUNTED_SAME
		       : MOUNTED_CHANGED;
}

void mounted_close(struct mounted *mounted)
{
	for (size_t i = 0; i < mounted->count; i++) {
		if (mounted->items[i].device >= 0)
			close(mounted->items[i].device);
		if (mounted->items[i].directory >= 0)
			close(mounted->items[i].directory);
	}
	free(mounted->items);
	free(mounted->page);
	*mounted = (struct mounted){ 0 };
}
