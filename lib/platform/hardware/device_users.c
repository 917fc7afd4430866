/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hardware/device_users.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "platform/filesystems/mountinfo.h"
#include "platform/hardware/device_users_private.h"
#include "swap/device_stack.h"
#include "swap/swap_area.h"
#include "swap/wiped_disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define SWAPS_MAX 64
#define DEPTH_MAX 8

struct search {
	const char *root;
	struct device_users *users;
	bool all;   /* something lies on disks that are not known */
	bool btrfs; /* is mounted */
	struct network_users network;
	unsigned int depth; /* of loop devices and the like in each other */
	LIST_OF(dev_t) seen;
};

int device_users_add(struct device_users *users, char *path, const char *what)
{
	struct device_user user = { .path = path };
	int r;

	if (!path)
		return 0;
	text_copy(user.what, sizeof(user.what), what);
	r = list_append(&users->items, user);
	if (r < 0)
		free(path);
	return r;
}

int device_users_add_network(struct device_users *users, char *path, const char *what, bool waits)
{
	size_t before = users->items.count;
	int r = device_users_add(users, path, what);

	if (users->items.count > before)
		users->items.items[before].waits = waits;
	return r;
}

int device_users_unread(struct device_users *users, const char *path, int error)
{
	if (error == -ENOMEM || error == -ENOENT)
		return error == -ENOMEM ? error : 0;
	/* The first one is as good as the others. */
	if (!users->unknown[0])
		snprintf(users->unknown, sizeof(users->unknown), "%.100s cannot be read: %s", path,
			 strerror(-error));
	users->items.known = false;
	return 0;
}

static int add_link(struct search *search, const char *link, const char *what)
{
	return device_users_add(search->users, tree_path(search->root, link), what);
}

/* With several paths to a namespace, its disk is below no controller, but the subsystem lists
 * them: drivers/nvme/host/multipath.c. */
static int add_controllers(struct search *search, const char *path, const char *what)
{
	const char *subsystem = strstr(path, "/nvme-subsystem/");
	_cleanup_names_ struct tree_names names = { 0 };
	char above[PATH_MAX], link[PATH_MAX + NAME_MAX + 2];
	const char *end;
	int r = 0;

	if (!subsystem)
		return 0;
	end = strchrnul(subsystem + strlen("/nvme-subsystem/"), '/');
	snprintf(above, sizeof(above), "%.*s", (int)(end - path), path);
	r = tree_list(search->root, above, &names);
	if (r < 0)
		return device_users_unread(search->users, above, r);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		snprintf(link, sizeof(link), "%s/%s", above, names.items[i]);
		if (text_starts(names.items[i], "nvme") &&
		    !strchr(names.items[i] + strlen("nvme"), 'n'))
			r = add_link(search, link, what);
	}
	return r;
}

static int add_block_path(struct search *search, const char *path, const char *holds);

/* What sysfs does not list as a layer below: a loop device's file may be a block device, and zram
 * writes to one. The file system that a file is on is mounted. */
static int add_hidden(struct search *search, const struct device_layer *layer, const char *what)
{
	char path[300];

	if (layer->kind == LAYER_LOOP)
		return text_starts(layer->detail, "/dev/")
			       ? add_block_path(search, layer->detail, what)
			       : 0;
	if (layer->kind == LAYER_MEMORY &&
	    tree_text(search->root, path, sizeof(path), "/sys/class/block/%s/backing_dev",
		      layer->name))
		return add_block_path(search, path, what);
	/* A program and ZFS may have it anywhere. */
	if (layer->kind == LAYER_SERVED || layer->kind == LAYER_ZVOL)
		search->all = true;
	return 0;
}

static int add_layer(struct search *search, const struct device_layer *layer, const char *holds)
{
	char *path = device_path(search->root, layer->dev);
	char what[96];
	int r;

	if (layer->kind == LAYER_NETWORK)
		search->users->network = true;
	if (!path) {
		search->all = true;
		return 0;
	}
	snprintf(what, sizeof(what), "%s, which holds %s", layer->name, holds);
	r = add_controllers(search, path, what);
	if (r == 0)
		r = add_hidden(search, layer, holds);
	if (r < 0)
		free(path);
	return r < 0 ? r : device_users_add(search->users, path, what);
}

static int add_layers(struct search *search, dev_t dev, const char *holds)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r = stack ? device_stack_read(search->root, dev, stack, NULL) : -ENOMEM;

	/* A device that is gone lies on nothing any more. */
	if (r == -ENOMEM || r == -ENODEV)
		return r == -ENOMEM ? r : 0;
	if (r < 0 || stack->cut) {
		search->all = true;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < stack->count; i++)
		r = add_layer(search, &stack->layers[i], holds);
	return r;
}

/* Everything that the block device lies on. */
static int add_block(struct search *search, dev_t dev, const char *holds)
{
	int r;

	for (size_t i = 0; i < search->seen.count; i++)
		if (search->seen.items[i] == dev)
			return 0;
	if (search->depth == DEPTH_MAX) {
		search->all = true;
		return 0;
	}
	if (list_append(&search->seen, dev) < 0)
		return -ENOMEM;
	search->depth++;
	r = add_layers(search, dev, holds);
	search->depth--;
	return r;
}

static bool find_number(const char *root, const char *name, dev_t *ret)
{
	char numbers[32];
	unsigned int high, low;

	if (!tree_text(root, numbers, sizeof(numbers), "/sys/class/block/%s/dev", name) ||
	    sscanf(numbers, "%u:%u", &high, &low) != 2)
		return false;
	*ret = makedev(high, low);
	return true;
}

/* What is no block device is not listed. */
static int add_named_block(struct search *search, const char *name, const char *holds)
{
	dev_t dev;

	return find_number(search->root, name, &dev) ? add_block(search, dev, holds) : 0;
}

/* "/dev/mapper/x" is a link for users; the kernel has "/dev/dm-0" there, too. */
bool device_users_block(const char *root, const char *path, dev_t *ret)
{
	char name[64];

	if (!text_starts(path, "/dev/") || !text_copy(name, sizeof(name), path + strlen("/dev/")))
		return false;
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '!';
	return find_number(root, name, ret);
}

static int add_block_path(struct search *search, const char *path, const char *holds)
{
	dev_t dev;

	if (device_users_block(search->root, path, &dev))
		return add_block(search, dev, holds);
	/* FUSE programs that name nothing else are called that. */
	if (text_starts(path, "/dev/") && strcmp(path, "/dev/fuse") != 0)
		search->all = true;
	return 0;
}

/* Devices of these drivers serve file systems without a block device. */
static int add_served(struct search *search, const char *driver, const char *holds)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX], what[96];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/virtio/drivers/%s", driver);
	r = tree_list(search->root, path, &names);
	if (r < 0)
		return device_users_unread(search->users, path, r);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (!text_starts(names.items[i], "virtio"))
			continue;
		snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s", names.items[i]);
		snprintf(what, sizeof(what), "%s, which holds %s", names.items[i], holds);
		r = add_link(search, path, what);
	}
	return r;
}

static int add_mount(struct search *search, const struct mount_line *mount)
{
	dev_t dev;

	if (network_users_note(&search->network, mount) < 0)
		return -ENOMEM;
	if (mount->high != 0)
		return add_block(search, makedev(mount->high, mount->low), mount->place);
	if (strcmp(mount->kind, "virtiofs") == 0)
		return add_served(search, "virtiofs", mount->place);
	if (strcmp(mount->kind, "9p") == 0)
		return add_served(search, "9pnet_virtio", mount->place);
	if (strcmp(mount->kind, "zfs") == 0)
		search->all = true;
	if (strcmp(mount->kind, "btrfs") != 0)
		return add_block_path(search, mount->source, mount->place);
	/* Its members are listed; its source may be a name that only users know. */
	search->btrfs = true;
	return device_users_block(search->root, mount->source, &dev)
		       ? add_block(search, dev, mount->place)
		       : 0;
}

static int add_swaps(struct search *search)
{
	struct swap_entry *entries = calloc(SWAPS_MAX, sizeof(*entries));
	int count, r = 0;

	if (!entries)
		return -ENOMEM;
	count = swaps_read(search->root, entries, SWAPS_MAX);
	if (count < 0) /* -ENOENT: a kernel without swap */
		r = device_users_unread(search->users, "/proc/swaps", count);
	/* A swap file's file system is mounted. */
	for (int i = 0; r == 0 && i < count && i < SWAPS_MAX; i++) {
		search->all = search->all || !entries[i].path[0];
		if (!entries[i].file)
			r = add_block_path(search, entries[i].path, "swap");
	}
	free(entries);
	return r;
}

/* Each block device that a directory of sysfs names; *found: there is one. */
static int add_listed(struct search *search, const char *directory, const char *holds, bool *found)
{
	_cleanup_names_ struct tree_names names = { 0 };
	int r = tree_list(search->root, directory, &names);
	dev_t dev;

	if (r < 0)
		return device_users_unread(search->users, directory, r);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (!find_number(search->root, names.items[i], &dev))
			continue;
		*found = true;
		r = add_block(search, dev, holds);
	}
	return r;
}

/* All members of each btrfs that is mounted. */
static int add_btrfs(struct search *search)
{
	_cleanup_names_ struct tree_names uuids = { 0 };
	bool found = false;
	int r = tree_list(search->root, "/sys/fs/btrfs", &uuids);

	if (r < 0)
		r = device_users_unread(search->users, "/sys/fs/btrfs", r);
	for (size_t i = 0; r == 0 && i < uuids.count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "/sys/fs/btrfs/%s/devices", uuids.items[i]);
		r = add_listed(search, path, "a btrfs", &found);
	}
	if (search->btrfs && !found)
		search->all = true;
	return r;
}

/* Other mount namespaces have file systems as well. These list theirs by device in sysfs; of ext4
 * and ocfs2 the external journals are "sdb1" for jbd2, others "sda1-8" (jbd2_journal_init_dev() and
 * _inode() in fs/jbd2/journal.c). */
static int add_by_kind(struct search *search)
{
	static const char *const directories[] = { "/sys/fs/ext4",  "/sys/fs/xfs",
						   "/sys/fs/f2fs",  "/sys/fs/nilfs2",
						   "/sys/fs/erofs", "/proc/fs/jbd2" };
	bool found = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++)
		r = add_listed(search, directories[i], "a file system", &found);
	return r;
}

/* An imported ZFS pool, mounted or not. */
static int find_pools(struct search *search)
{
	static const char *const directory = "/proc/spl/kstat/zfs";
	_cleanup_names_ struct tree_names names = { 0 };
	int r = tree_list(search->root, directory, &names);

	if (r < 0)
		return device_users_unread(search->users, directory, r);
	for (size_t i = 0; i < names.count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s/txgs", directory, names.items[i]);
		search->all = search->all || tree_exists(search->root, path);
	}
	return 0;
}

/* What the device mapper, MD or bcache has on it, mounted or not; all block devices where those in
 * use are not known. */
static int add_held(struct search *search)
{
	_cleanup_names_ struct tree_names blocks = { 0 };
	int r = tree_list(search->root, "/sys/class/block", &blocks);

	if (r < 0)
		return device_users_unread(search->users, "/sys/class/block", r);
	for (size_t i = 0; r == 0 && i < blocks.count; i++) {
		_cleanup_names_ struct tree_names holders = { 0 };
		char path[PATH_MAX], holds[80];

		snprintf(path, sizeof(path), "/sys/class/block/%s/holders", blocks.items[i]);
		r = tree_list(search->root, path, &holders);
		if (r < 0)
			r = device_users_unread(search->users, path, r);
		snprintf(holds, sizeof(holds), "%s",
			 holders.count > 0 ? holders.items[0]
					   : "perhaps a file system whose disks are not known");
		if (r == 0 && (holders.count > 0 || search->all))
			r = add_named_block(search, blocks.items[i], holds);
	}
	return r;
}

static int add_mounts(struct search *search)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	int r = mountinfo_read(search->root, &mountinfo);

	/* Without the list nothing is known to be unused. It is there wherever /proc is. */
	if (r < 0 && r != -ENOMEM) {
		search->all = search->users->network = true;
		return device_users_unread(search->users, "/proc/self/mountinfo",
					   r == -ENOENT ? -ENODATA : r);
	}
	while (r == 0 && (mount = mountinfo_next(mountinfo)))
		r = add_mount(search, mount);
	if (r == 0)
		r = network_users_follow(search->root, &search->network);
	search->users->network |= network_users_have_system(&search->network);
	return r;
}

/* Words of the kernel, initramfs-tools and dracut for a root file system over the network. */
static bool names_network(const char *word)
{
	static const char *const words[] = {
		"root=/dev/nfs",  "root=/dev/nbd", "root=nfs", "root=nbd",  "root=iscsi",
		"root=fcoe",	  "root=cifs",	   "root=smb", "root=dhcp", "root=http",
		"root=live:http", "netroot=",	   "nfsroot=", "nbdroot=",  "boot=nfs",
		"boot=cifs",	  "iscsi_",	   "ISCSI_",   "rd.iscsi.", "rd.nvmf.",
		"fcoe=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (text_starts(word, words[i]))
			return true;
	return false;
}

/* A disk over the network, used or not. 1, 0 or -ENOMEM. */
static int has_network_disk(const struct search *search)
{
	_cleanup_names_ struct tree_names names = { 0 };
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r = tree_list(search->root, "/sys/class/block", &names);
	bool found = false;
	dev_t dev;

	if (!stack || r == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; !found && i < names.count; i++)
		found = find_number(search->root, names.items[i], &dev) &&
			device_stack_read(search->root, dev, stack, NULL) == 0 &&
			device_stack_has(stack, LAYER_NETWORK);
	return found;
}

/* In an initramfs nothing is mounted yet: is the root file system going to come over the network?
 * The firmware's iSCSI has a table of its own (drivers/firmware/iscsi_ibft.c). */
static int look_ahead(struct search *search)
{
	char line[4096], *at = line, *word;
	bool named = tree_exists(search->root, "/sys/firmware/ibft");
	int r = has_network_disk(search);

	if (tree_text(search->root, line, sizeof(line), "/proc/cmdline"))
		while (!named && (word = strsep(&at, " \t")))
			named = names_network(word);
	if (r >= 0)
		search->users->network |= named || r > 0;
	return r < 0 ? r : 0;
}

static int look(struct search *search)
{
	int r = add_mounts(search);

	if (r == 0)
		r = add_swaps(search);
	if (r == 0)
		r = add_btrfs(search);
	if (r == 0)
		r = add_by_kind(search);
	if (r == 0)
		r = find_pools(search);
	if (r == 0)
		r = add_held(search);
	return r == 0 ? network_users_add(search->root, &search->network, search->users) : r;
}

int device_users_look(const char *root, dev_t keep, struct device_users *ret)
{
	struct device_users users = { .items.known = true };
	struct search search = { .root = root, .users = &users };
	int r = keep ? look_ahead(&search) : 0;

	if (r == 0 && keep)
		r = add_block(&search, keep, "the image");
	if (r == 0)
		r = look(&search);
	list_free(&search.seen);
	network_users_free(&search.network);
	if (r < 0) {
		device_users_free(&users);
		return r;
	}
	*ret = users;
	return 0;
}

void device_users_free(struct device_users *users)
{
	for (size_t i = 0; i < users->items.count; i++)
		free(users->items.items[i].path);
	list_free(&users->items);
}

bool device_path_within(const char *path, const char *device)
{
	size_t length = strlen(device);

	return text_starts(path, device) && (path[length] == '/' || path[length] == '\0');
}

const struct device_user *device_users_find(const struct device_users *users, const char *path)
{
	for (size_t i = 0; i < users->items.count; i++)
		if (device_path_within(users->items.items[i].path, path))
			return &users->items.items[i];
	return NULL;
}

bool device_users_need(const struct device_users *users, const char *path)
{
	for (size_t i = 0; i < users->items.count; i++)
		if (!users->items.items[i].waits &&
		    device_path_within(users->items.items[i].path, path))
			return true;
	return false;
}
