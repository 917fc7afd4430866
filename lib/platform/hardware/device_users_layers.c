/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_users: which mounts lie below what is mounted on /. */
#include "platform/hardware/device_users_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define LAYERS_MAX_FOLLOWED 512 /* overlay's own limit is 500 */

enum layer_path {
	PATH_OF_FILE, /* from the kernel: no links in it, and as it is now */
	PATH_OF_LOWER,
	PATH_OF_UPPER,
};

struct layer {
	enum layer_path kind;
	char *path;
};

struct follow {
	const char *root;
	struct network_users *network;
	bool lost; /* a layer is not known */
	LIST_OF(struct layer) layers;
};

static int add_layer(struct follow *follow, enum layer_path kind, const char *path)
{
	struct layer layer = { kind, NULL };
	size_t length = strlen(path);
	int r;

	/* A relative path, or with an escape of overlay's own. */
	if (*path != '/' || (kind != PATH_OF_FILE && strchr(path, '\\')) ||
	    follow->layers.count == LAYERS_MAX_FOLLOWED) {
		follow->lost = true;
		return 0;
	}
	while (length > 1 && path[length - 1] == '/')
		length--;
	for (size_t i = 0; i < follow->layers.count; i++) {
		const struct layer *other = &follow->layers.items[i];

		if (other->kind == kind && strlen(other->path) == length &&
		    strncmp(other->path, path, length) == 0)
			return 0;
	}
	layer.path = strndup(path, length);
	r = layer.path ? list_append(&follow->layers, layer) : -ENOMEM;
	if (r < 0)
		free(layer.path);
	return r;
}

/* "/a:/b::/c", the last of which has data only. */
static int add_lowers(struct follow *follow, char *paths)
{
	char *path;
	int r = 0;

	while (r == 0 && (path = strsep(&paths, ":")))
		if (*path)
			r = add_layer(follow, PATH_OF_LOWER, path);
	return r;
}

/* "rw,lowerdir=/a:/b,upperdir=/c,workdir=/d" (ovl_show_options() in fs/overlayfs), with "lowerdir+"
 * and "datadir+" for each one since Linux 6.8, as they were given to mount(2). The work directory
 * is on the upper layer's file system. */
static int add_overlay(struct follow *follow, const struct mount_line *mount)
{
	static const char *const lowers[] = { "lowerdir=", "lowerdir+=", "datadir+=" };
	_cleanup_free_ char *options = strdup(mount->options);
	char *at = options, *option;
	bool found = false;
	int r = options ? 0 : -ENOMEM;

	while (r == 0 && (option = strsep(&at, ","))) {
		/* It is unescaped in place. */
		if (!text_unescape_octal(option, strlen(option), option, strlen(option) + 1))
			follow->lost = true;
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lowers); i++) {
			if (!text_starts(option, lowers[i]))
				continue;
			found = true;
			r = add_lowers(follow, option + strlen(lowers[i]));
		}
		if (r == 0 && text_starts(option, "upperdir="))
			r = add_layer(follow, PATH_OF_UPPER, option + strlen("upperdir="));
	}
	follow->lost = follow->lost || !found;
	return r;
}

/* The file of a loop device may come from anywhere. */
static int add_loops(struct follow *follow, dev_t dev)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	int r = stack ? device_stack_read(follow->root, dev, stack, NULL) : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	if (r < 0 || stack->cut)
		follow->lost = true;
	for (size_t i = 0; r == 0 && i < stack->count; i++) {
		const struct device_layer *layer = &stack->layers[i];

		/* A path that fills its place may be cut off. */
		if (layer->kind == LAYER_LOOP && strlen(layer->detail) + 1 == sizeof(layer->detail))
			follow->lost = true;
		else if (layer->kind == LAYER_LOOP)
			r = add_layer(follow, PATH_OF_FILE, layer->detail);
	}
	return r == -ENOMEM ? r : 0;
}

/* The number in mountinfo is btrfs' own. */
static int add_btrfs(struct follow *follow, const struct mount_line *mount)
{
	dev_t dev;

	if (device_users_block(follow->root, mount->source, &dev))
		return add_loops(follow, dev);
	follow->lost = true;
	return 0;
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* Takes a mount that a layer lies on; top: it is the one on /. */
static int take_mount(struct follow *follow, const struct mount_line *mount, bool top)
{
	/* These have no block device of their own, and do not come over the network. */
	static const char *const local[] = { "tmpfs", "ramfs",	  "rootfs", "devtmpfs",
					     "zfs",   "virtiofs", NULL };
	static const char *const layered[] = { "aufs", "unionfs", "fuse.overlayfs", NULL };

	if (network_users_take(follow->network, mount->id))
		return 0;
	if (strcmp(mount->kind, "overlay") == 0)
		return add_overlay(follow, mount);
	if (strcmp(mount->kind, "btrfs") == 0)
		return add_btrfs(follow, mount);
	if (mount->high != 0)
		return add_loops(follow, makedev(mount->high, mount->low));
	if (top ? is_one_of(mount->kind, layered) : !is_one_of(mount->kind, local))
		follow->lost = true;
	return 0;
}

/* The bytes of a path that are the place of a mount on it; 0: it is not below it. */
static size_t place_of(const struct mount_line *mount, const char *path)
{
	size_t length = strlen(mount->place);

	if (strcmp(mount->place, "/") == 0)
		return 1;
	return length > 0 && text_starts(path, mount->place) &&
			       (path[length] == '/' || path[length] == '\0')
		       ? length
		       : 0;
}

static int longest_place(const struct follow *follow, const char *path, size_t *ret)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	int r = mountinfo_read(follow->root, &mountinfo);

	*ret = 0;
	while (r == 0 && (mount = mountinfo_next(mountinfo)))
		if (place_of(mount, path) > *ret)
			*ret = place_of(mount, path);
	return r;
}

/* A path through what is mounted by a server or a program that does not answer is not looked at: it
 * may be waited for in the kernel. */
static bool may_hang(const struct follow *follow, const char *path)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;

	if (mountinfo_read(follow->root, &mountinfo) < 0)
		return true;
	while ((mount = mountinfo_next(mountinfo))) {
		if (place_of(mount, path) <= 1)
			continue;
		if (text_starts(mount->kind, "fuse"))
			return true;
		for (size_t i = 0; i < follow->network->mounts.count; i++)
			if (follow->network->mounts.items[i].id == mount->id)
				return true;
	}
	return false;
}

/* A link, or a directory that is not there any more, says nothing of where the layer is. */
static bool is_straight(const struct follow *follow, const char *path, size_t place)
{
	_cleanup_free_ char *part = strdup(path);
	char target[PATH_MAX];

	if (!part)
		return false;
	for (size_t i = place + 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		if (text_ends(part, "/.") || text_ends(part, "/..") ||
		    tree_target(follow->root, part, target))
			return false;
		part[i] = path[i];
	}
	return tree_exists(follow->root, path);
}

/* Paths are those of the mount namespace, and of the time, in which overlay was mounted: in an
 * initramfs, perhaps. What was mounted then on a lower directory may not be there any more, so that
 * is known only where one is mounted on it now, and none lies on / itself. */
static bool is_known(const struct follow *follow, const struct layer *layer, size_t place)
{
	if (place <= 1)
		return false;
	switch (layer->kind) {
	case PATH_OF_FILE:
		return true;
	case PATH_OF_LOWER:
		return place == strlen(layer->path);
	case PATH_OF_UPPER:
		return !may_hang(follow, layer->path) && is_straight(follow, layer->path, place);
	}
	return false;
}

/* All that are mounted at that place: each may have been the first one. */
static int follow_layer(struct follow *follow, const struct layer *layer)
{
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	bool top = strcmp(layer->path, "/") == 0 && layer->kind == PATH_OF_FILE;
	const struct mount_line *mount;
	size_t place = 0;
	int r = longest_place(follow, layer->path, &place);

	if (r == 0)
		r = mountinfo_read(follow->root, &mountinfo);
	if (r < 0 || (!top && !is_known(follow, layer, place))) {
		follow->lost = true;
		return r == -ENOMEM ? r : 0;
	}
	while (r == 0 && (mount = mountinfo_next(mountinfo)))
		if (place > 0 && place_of(mount, layer->path) == place)
			r = take_mount(follow, mount, top);
	return r;
}

int network_users_follow(const char *root, struct network_users *network)
{
	struct follow follow = { .root = root, .network = network };
	int r = add_layer(&follow, PATH_OF_FILE, "/");

	/* The list grows. Without a mount over the network nothing is to be found. */
	for (size_t i = 0; r == 0 && network->mounts.count > 0 && i < follow.layers.count; i++) {
		const struct layer layer = follow.layers.items[i];

		r = follow_layer(&follow, &layer);
	}
	network->layered = network->layered || follow.lost;
	for (size_t i = 0; i < follow.layers.count; i++)
		free(follow.layers.items[i].path);
	list_free(&follow.layers);
	return r;
}
