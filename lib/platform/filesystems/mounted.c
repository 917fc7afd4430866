/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/mounted.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/filesystems/block_device.h"
#include "platform/filesystems/mountinfo.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Seconds, as the module's parameter zfs_txg_timeout is by default, and the most. */
#define ZFS_TIMEOUT 5
#define ZFS_TIMEOUT_MAX 30

/* Not on a block device of this machine, yet not one of the kernel's own. */
static bool is_elsewhere(const char *kind)
{
	static const char *const kinds[] = { "9p",  "afs",  "ceph", "cifs",   "ecryptfs",
					     "nfs", "nfs4", "smb3", "vboxsf", "virtiofs" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return text_starts(kind, "fuse.") || strcmp(kind, "fuse") == 0;
}

/* Served by a program, which is frozen. */
static bool needs_program(const char *kind)
{
	return text_starts(kind, "fuse");
}

/* For others the source is any word: "mount -t tmpfs /dev/sdb1". */
static bool has_devices(const char *kind)
{
	return strcmp(kind, "btrfs") == 0 || strcmp(kind, "bcachefs") == 0;
}

/* btrfs has no device number in mountinfo, but the path of a device. */
static bool find_device(const char *root, const struct mount_line *mount, char *path, size_t size)
{
	char name[64];

	if (mount->high != 0) {
		if (!tree_link(root, name, sizeof(name), "/sys/dev/block/%u:%u", mount->high,
			       mount->low))
			return false;
		block_device_path(name, path, size);
		return true;
	}
	return has_devices(mount->kind) && text_starts(mount->source, "/dev/") &&
	       text_copy(path, size, mount->source);
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
	text_make_line(item->filesystem.device, ' ');
	text_copy(item->filesystem.place, sizeof(item->filesystem.place), place);
	text_make_line(item->filesystem.place, ' ');
	text_copy(item->kind, sizeof(item->kind), kind);
	text_make_line(item->kind, ' ');
	return item;
}

/* Another file system may be mounted over it, or be there by now. */
static bool is_mount(int fd, uint64_t id)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 && st.stx_mask & STATX_MNT_ID &&
	       st.stx_mnt_id == id;
}

/* Lies it below a directory that a program serves? Users' sessions may be frozen already, and the
 * lookup would wait for the program. */
static bool is_below_served(const struct mounted *mounted, const char *place)
{
	for (size_t i = 0; i < mounted->served.count; i++) {
		const char *served = mounted->served.items[i];
		size_t length = strlen(served);

		if (strncmp(place, served, length) == 0 &&
		    (served[length - 1] == '/' || place[length] == '/' || !place[length]))
			return true;
	}
	return false;
}

static int open_directory(const char *root, const struct mounted *mounted,
			  const struct mount_line *mount)
{
	_cleanup_close_ int fd = -1;

	if (!*mount->place || is_below_served(mounted, mount->place))
		return -1;
	fd = io_open_below(root, mount->place, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
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

/* Its initial state, until it can be stamped. */
static void set_unstamped(struct mounted_item *item, enum filesystem_unstamped reason)
{
	text_copy(item->filesystem.type, sizeof(item->filesystem.type), item->kind);
	memset(item->filesystem.uuid, 0, sizeof(item->filesystem.uuid));
	memset(item->filesystem.stamp, 0, sizeof(item->filesystem.stamp));
	memset(item->filesystem.member, 0, sizeof(item->filesystem.member));
	item->filesystem.unstamped = reason;
}

/* path is longer than the item's if that is cut. */
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

/* The other devices of a btrfs, as listed by the kernel. */
static void open_members(const char *root, struct mounted *mounted, size_t first)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct filesystem found = { 0 };
	char uuid[TEXT_UUID_SIZE], directory[128], path[300];

	if (mounted->items[first].device < 0 ||
	    identify(mounted, mounted->items[first].device, &found) < 0 ||
	    strcmp(found.type, "btrfs") != 0)
		return;
	text_uuid(found.uuid, uuid);
	snprintf(directory, sizeof(directory), "/sys/fs/btrfs/%s/devices", uuid);
	if (tree_list(root, directory, &names) < 0)
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

/* The pool that a device is a member of, if it has that name; otherwise 0. */
static uint64_t pool_of(const char *root, struct mounted *mounted, const char *name,
			const char *pool)
{
	_cleanup_close_ int fd = -1;
	const struct filesystem_source source = { .read = read_page, .context = &fd };
	char path[300], found[POOL_NAME_SIZE];
	struct filesystem filesystem = { 0 };

	/* Not a device of the pool itself (zvol). */
	if (!block_device_worth_a_look(name) || text_starts(name, "zd"))
		return 0;
	block_device_path(name, path, sizeof(path));
	fd = block_device_open(root, path);
	if (fd < 0 || filesystem_pool_name(&source, mounted->page, found) < 0 ||
	    strcmp(found, pool) != 0 || identify(mounted, fd, &filesystem) < 0 ||
	    strcmp(filesystem.type, "zfs") != 0)
		return 0;
	return get_le64(filesystem.uuid);
}

/* The pool of the members with that name; 0: there are none, or they belong to two pools,
 * and the kernel does not show which is in use. */
static uint64_t find_pool(const char *root, struct mounted *mounted, const struct tree_names *names,
			  const char *pool)
{
	uint64_t found = 0, guid;

	if (tree_u64(root, &guid, "/proc/spl/kstat/zfs/%s/guid", pool))
		return guid;
	for (size_t i = 0; i < names->count; i++) {
		guid = pool_of(root, mounted, names->items[i], pool);
		if (guid && found && guid != found)
			return 0;
		if (guid)
			found = guid;
	}
	return found;
}

static void open_pool_members(const char *root, struct mounted *mounted,
			      const struct mount_line *mount, const char *pool)
{
	_cleanup_names_ struct tree_names names = { 0 };
	uint64_t guid, timeout;
	char path[300];

	if (tree_list(root, "/sys/class/block", &names) < 0)
		return;
	guid = find_pool(root, mounted, &names, pool);
	for (size_t i = 0; i < names.count && guid; i++) {
		struct mounted_item *item;

		if (pool_of(root, mounted, names.items[i], pool) != guid)
			continue;
		block_device_path(names.items[i], path, sizeof(path));
		item = add_item(mounted, path, mount->place, mount->kind);
		if (!item)
			return;
		text_copy(item->pool, sizeof(item->pool), pool);
		open_item_device(root, item, path);
		item->directory = open_directory(root, mounted, mount);
		if (!tree_u64(root, &timeout, "/sys/module/zfs/parameters/zfs_txg_timeout"))
			timeout = ZFS_TIMEOUT;
		mounted->settle_seconds = (unsigned int)min_u64(timeout, ZFS_TIMEOUT_MAX) + 1;
	}
}

/* Its mounts have no device, but the pool's name: "tank/home". */
static void open_pool(const char *root, struct mounted *mounted, const struct mount_line *mount)
{
	struct mounted_item *item;
	char pool[POOL_NAME_SIZE];
	size_t length = strcspn(mount->source, "/"), before = mounted->count;

	if (length >= sizeof(pool))
		return;
	memcpy(pool, mount->source, length);
	pool[length] = '\0';
	for (size_t i = 0; i < mounted->count; i++)
		if (strcmp(mounted->items[i].pool, pool) == 0)
			return;
	open_pool_members(root, mounted, mount, pool);
	if (mounted->count > before)
		return;
	item = add_item(mounted, mount->source, mount->place, mount->kind);
	if (!item)
		return;
	text_copy(item->pool, sizeof(item->pool), pool);
	set_unstamped(item, FILESYSTEM_UNKNOWN);
}

static bool is_read_only(const struct mount_line *mount)
{
	return strcmp(mount->options, "ro") == 0 || text_starts(mount->options, "ro,");
}

static void open_mount(const char *root, struct mounted *mounted, const struct mount_line *mount)
{
	struct mounted_item *item;
	char device[PATH_MAX];

	if (strcmp(mount->kind, "zfs") == 0) {
		open_pool(root, mounted, mount);
		return;
	}
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
		/* All mounts of one have its options. It may have moved. */
		for (size_t i = index; i < mounted->count; i++)
			mounted->items[i].filesystem.read_only = is_read_only(mount);
		item = &mounted->items[index];
	}
	if (item->device >= 0 && item->directory < 0)
		item->directory = open_directory(root, mounted, mount);
}

static int add_served(struct tree_names *served, const char *place)
{
	char **items = reallocarray(served->items, served->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	served->items = items;
	items[served->count] = strdup(place);
	if (!items[served->count])
		return -ENOMEM;
	served->count++;
	return 0;
}

/* One that is mounted over another hides it; both count. */
static int find_served(const char *root, struct tree_names *ret)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	int r = mountinfo_read(root, &mountinfo);

	while (r == 0 && (mount = mountinfo_next(mountinfo)))
		if (needs_program(mount->kind) && *mount->place)
			r = add_served(ret, mount->place);
	return r;
}

static int make_room(struct mounted *mounted, struct filesystems *ret)
{
	if (mounted->count > 0)
		ret->items.items = calloc(mounted->count, sizeof(*ret->items.items));
	return mounted->count == 0 || ret->items.items ? 0 : -ENOMEM;
}

int mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	int r = mountinfo_read(root, &mountinfo);

	*mounted = (struct mounted){ 0 };
	*ret = (struct filesystems){ 0 };
	if (r == 0)
		r = find_served(root, &mounted->served);
	if (r < 0) {
		tree_names_free(&mounted->served);
		return r == -ENOMEM ? r : 0;
	}
	tzset(); /* Otherwise filesystem_words() would read /etc/localtime when frozen. */
	mounted->page = aligned_alloc(FILESYSTEM_PAGE, FILESYSTEM_PAGE);
	while (mounted->page && (mount = mountinfo_next(mountinfo)))
		open_mount(root, mounted, mount);
	r = mounted->page ? make_room(mounted, ret) : -ENOMEM;
	if (r < 0)
		mounted_close(mounted);
	return r;
}

static bool is_changeable(const struct mount_line *mount)
{
	bool block = mount->high || text_starts(mount->source, "/dev/") ||
		     strcmp(mount->kind, "zfs") == 0;

	return block && strcmp(mount->kind, "squashfs") != 0 && strcmp(mount->kind, "erofs") != 0 &&
	       !text_starts(mount->place, "/run/systemd/cryptsetup/keydev-");
}

bool mounted_any(const char *root)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;

	if (mountinfo_read(root, &mountinfo) < 0)
		return true;
	do
		mount = mountinfo_next(mountinfo);
	while (mount && !is_changeable(mount));
	return mount;
}

void mounted_settle(const struct mounted *mounted)
{
	const struct timespec pause = { .tv_sec = mounted->settle_seconds };

	for (size_t i = 0; i < mounted->count; i++) {
		if (mounted->items[i].directory >= 0)
			syncfs(mounted->items[i].directory);
		if (mounted->items[i].device >= 0)
			fsync(mounted->items[i].device);
	}
	if (mounted->settle_seconds)
		nanosleep(&pause, NULL);
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

static bool is_another(const struct filesystem *now, const struct filesystem *then)
{
	return *now->type && !filesystem_same(now, then);
}

enum mounted_state mounted_look_again(struct mounted *mounted, size_t index, struct filesystem *ret)
{
	const struct mounted_item *item = &mounted->items[index];
	int r;

	*ret = item->filesystem;
	if (item->device < 0 || item->filesystem.unstamped != FILESYSTEM_STAMPED)
		return MOUNTED_UNSEEN;
	r = identify(mounted, item->device, ret);
	/* A member that can be identified was read, though what it points to could not be. */
	if (r < 0 && r != -ENODEV && r != -EUCLEAN && !is_another(ret, &item->filesystem))
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
	tree_names_free(&mounted->served);
	*mounted = (struct mounted){ 0 };
}
