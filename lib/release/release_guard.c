/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_guard.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int add_network(const char *root, struct device_users *users)
{
	_cleanup_names_ struct tree_names names = { 0 };
	int r = tree_list(root, "/sys/class/net", &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char path[PATH_MAX], what[96];

		snprintf(path, sizeof(path), "/sys/class/net/%s", names.items[i]);
		snprintf(what, sizeof(what),
			 "the network interface %s, over which a file system or a disk may come",
			 names.items[i]);
		r = device_users_add(users, tree_path(root, path), what);
	}
	return r;
}

/* A 3D controller (03, 02) has no output. */
static bool is_display(const char *root, const struct device *device)
{
	uint64_t boot = 0;

	if (strcmp(device->bus, "vmbus") == 0)
		return strcmp(device_kind(device), "display") == 0;
	if (strcmp(device->bus, "pci") != 0 || device->class >> 16 != 3)
		return false;
	tree_u64(root, &boot, "/sys/bus/pci/devices/%s/boot_vga", device->address);
	return boot || (device->class >> 8 & 0xff) != 2;
}

static int add_frame_buffer(const char *root, const char *link, const char *name,
			    struct device_users *displays)
{
	char *path = tree_path(root, link);

	if (path && text_starts(path, "/sys/devices/platform/")) {
		free(path);
		return 0;
	}
	return device_users_add(displays, path, name);
}

/* Displays by their kind, and by their frame buffers. The firmware's (a platform device) is that
 * of one of them. */
static int add_displays(const char *root, const struct devices *devices,
			struct device_users *displays)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		if (!is_display(root, device))
			continue;
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", device->bus,
			 device->address);
		r = device_users_add(displays, tree_path(root, path), device->address);
	}
	if (r == 0 && tree_list(root, "/sys/class/graphics", &names) == -ENOMEM)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		snprintf(path, sizeof(path), "/sys/class/graphics/%s/device", names.items[i]);
		if (text_starts(names.items[i], "fb") && strcmp(names.items[i], "fbcon") != 0)
			r = add_frame_buffer(root, path, names.items[i], displays);
	}
	return r;
}

int release_guard_look(const char *root, const struct devices *devices, dev_t keep,
		       struct release_guard *ret)
{
	struct release_guard guard = { 0 };
	int r = device_users_look(root, keep, &guard.users);

	if (r == 0 && guard.users.network)
		r = add_network(root, &guard.users);
	if (r == 0)
		r = add_displays(root, devices, &guard.displays);
	if (r < 0) {
		release_guard_free(&guard);
		return r;
	}
	*ret = guard;
	return 0;
}

void release_guard_free(struct release_guard *guard)
{
	device_users_free(&guard->users);
	device_users_free(&guard->displays);
}

bool release_guard_holds(const struct release_guard *guard, const char *path, char *why,
			 size_t size)
{
	const struct device_user *user = device_users_find(&guard->users, path);
	size_t here = 0;

	if (user) {
		snprintf(why, size, "it %s %s", strcmp(user->path, path) == 0 ? "is" : "has",
			 user->what);
		return true;
	}
	for (size_t i = 0; i < guard->displays.items.count; i++)
		here += device_path_within(guard->displays.items.items[i].path, path);
	if (here == 0 || here < guard->displays.items.count)
		return false;
	snprintf(why, size, "it is the only display");
	return true;
}
