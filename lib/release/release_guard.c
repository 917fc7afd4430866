/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_guard.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMED_LIMIT 65536
#define CLAIM_SECONDS 10 /* a disk that sleeps may have to wake */
#define NOT_KNOWN "it is not known whether it is in use: "

/* Those of the kernel: "tty0 ttyS0". Virtual ones are below no device. */
static int add_consoles(const char *root, struct device_users *users)
{
	char names[256], *at = names, *name;
	int r = 0;

	if (!tree_text(root, names, sizeof(names), "/sys/class/tty/console/active"))
		return 0;
	while (r == 0 && (name = strsep(&at, " "))) {
		char path[PATH_MAX], what[96];

		if (!*name || strchr(name, '/'))
			continue;
		snprintf(path, sizeof(path), "/sys/class/tty/%s", name);
		snprintf(what, sizeof(what), "%.40s, a console of the kernel", name);
		r = device_users_add(users, tree_path(root, path), what);
	}
	return r;
}

/* A 3D controller (03, 02) has no output; nor has an adapter that a virtual machine gets, or one
 * without a driver, but for that of the firmware's frame buffer. */
static bool is_display(const char *root, const struct device *device)
{
	uint64_t boot = 0;

	if (strcmp(device->bus, "vmbus") == 0)
		return strcmp(device_kind(device), "display") == 0;
	if (strcmp(device->bus, "pci") != 0 || device->class >> 16 != 3 ||
	    text_starts(device->driver, "vfio") || strcmp(device->driver, "pci-stub") == 0)
		return false;
	tree_u64(root, &boot, "/sys/bus/pci/devices/%s/boot_vga", device->address);
	return boot || (*device->driver && (device->class >> 8 & 0xff) != 2);
}

/* path is freed, or kept in the list. */
static int add_display(struct release_guard *guard, char *path)
{
	struct release_display display = { .path = path };
	int r = path ? list_append(&guard->displays, display) : 0;

	if (r < 0)
		free(path);
	return r;
}

/* The firmware's is named so; other platform devices are displays of their own. */
static bool is_firmwares(const char *path)
{
	return text_starts(path, "/sys/devices/platform/") &&
	       (strstr(path, "framebuffer") || strstr(path, "/efifb") || strstr(path, "/vesafb"));
}

static int add_frame_buffer(const char *root, const char *link, struct release_guard *guard)
{
	char *path = tree_path(root, link);

	if (path && is_firmwares(path)) {
		free(path);
		return 0;
	}
	return add_display(guard, path);
}

/* Displays by their kind, and by their frame buffers. The firmware's is that of one of them. */
static int add_displays(const char *root, const struct devices *devices,
			struct release_guard *guard)
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
		r = add_display(guard, tree_path(root, path));
	}
	if (r == 0) {
		r = tree_list(root, "/sys/class/graphics", &names);
		r = r < 0 ? device_users_unread(&guard->users, "/sys/class/graphics", r) : 0;
	}
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		snprintf(path, sizeof(path), "/sys/class/graphics/%s/device", names.items[i]);
		if (text_starts(names.items[i], "fb") && strcmp(names.items[i], "fbcon") != 0)
			r = add_frame_buffer(root, path, guard);
	}
	return r;
}

int release_guard_look(const char *root, const struct devices *devices, dev_t keep,
		       struct release_guard *ret)
{
	struct release_guard guard = { 0 };
	int r = device_users_look(root, keep, &guard.users);

	if (r == 0)
		r = add_consoles(root, &guard.users);
	if (r == 0)
		r = add_displays(root, devices, &guard);
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
	for (size_t i = 0; i < guard->displays.count; i++)
		free(guard->displays.items[i].path);
	list_free(&guard->displays);
}

static bool is_only_display(const struct release_guard *guard, const char *path)
{
	size_t here = 0, others = 0;

	for (size_t i = 0; i < guard->displays.count; i++) {
		if (guard->displays.items[i].goes)
			continue;
		if (device_path_within(guard->displays.items[i].path, path))
			here++;
		else
			others++;
	}
	return here > 0 && others == 0;
}

bool release_guard_holds(const struct release_guard *guard, const char *path, char *why,
			 size_t size)
{
	const struct device_user *user = device_users_find(&guard->users, path);

	if (user) {
		snprintf(why, size, "it %s %s", strcmp(user->path, path) == 0 ? "is" : "has",
			 user->what);
		return true;
	}
	if (!guard->users.items.known) {
		snprintf(why, size, NOT_KNOWN "%s", guard->users.unknown);
		return true;
	}
	if (!is_only_display(guard, path))
		return false;
	snprintf(why, size, "it is the only display");
	return true;
}

/* A described system has a list of them. */
static bool is_listed(const char *root, const char *block)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;

	if (!*root || io_read_file(root, RELEASE_CLAIMED, CLAIMED_LIMIT, &text, NULL) < 0)
		return false;
	at = text;
	while ((line = strsep(&at, "\n")))
		if (strcmp(line, block) == 0)
			return true;
	return false;
}

/* O_NONBLOCK: no drive is closed, and none without a medium is waited for. 0 or a negative errno.
 */
static int claim(const char *root, const char *block)
{
	_cleanup_close_ int fd = -1;
	char path[NAME_MAX + 8];

	snprintf(path, sizeof(path), "/dev/%s", block);
	for (char *c = path; *c; c++)
		if (*c == '!')
			*c = '/';
	fd = io_open_below(root, path, O_RDONLY | O_EXCL | O_NONBLOCK);
	if (fd == -EBUSY || is_listed(root, block))
		return -EBUSY;
	/* A user who only looks may not open it: what root would do is not known, and not asked. */
	if (fd == -EACCES && geteuid() != 0)
		return 0;
	/* No such file, disk or medium: none of these is in use. */
	if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV || fd == -ENOMEDIUM)
		return 0;
	return fd < 0 ? fd : 0;
}

struct claimed {
	const char *root;
	const char *block;
};

/* 0: it is not in use. */
static int claim_block(void *context, struct why *w)
{
	const struct claimed *claimed = context;
	int r = claim(claimed->root, claimed->block);

	if (r == -EBUSY)
		return why(w, r, "its disk %.60s is in use", claimed->block);
	return r < 0 ? why(w, r, NOT_KNOWN "its disk %.60s cannot be opened: %s", claimed->block,
			   strerror(-r))
		     : 0;
}

/* The open of a disk that is dead may wait in the kernel for ever. */
static int claim_in_child(const char *root, const char *block, pid_t *left, struct why *w)
{
	const struct child_limits limits = { .seconds = CLAIM_SECONDS, .left = left };
	struct claimed claimed = { root, block };
	int r = release_child_run(claim_block, &claimed, &limits, w);

	if (r == -EINPROGRESS)
		return why(w, r, NOT_KNOWN "its disk %.60s does not answer", block);
	/* There was no child, or it was killed. */
	if (r == -EINTR || (r < 0 && !w->text[0]))
		return why(w, r, NOT_KNOWN "%s", strerror(-r));
	return r;
}

bool release_guard_claimed_disk(const char *root, const char *block)
{
	struct why w = { "" };

	return claim_in_child(root, block, NULL, &w) == -EBUSY;
}

bool release_guard_is_claimed(const char *root, const char *path, char *why, size_t size,
			      pid_t *left)
{
	_cleanup_names_ struct tree_names blocks = { 0 };
	int r = tree_list(root, "/sys/class/block", &blocks);
	struct why w = { "" };

	*left = 0;
	if (r < 0 && r != -ENOENT) {
		snprintf(why, size, NOT_KNOWN "/sys/class/block cannot be read: %s", strerror(-r));
		return true;
	}
	for (size_t i = 0; i < blocks.count; i++) {
		_cleanup_free_ char *block = NULL;
		char link[NAME_MAX + 32];

		snprintf(link, sizeof(link), "/sys/class/block/%s", blocks.items[i]);
		block = tree_path(root, link);
		if (!block || !device_path_within(block, path) ||
		    claim_in_child(root, blocks.items[i], left, &w) == 0)
			continue;
		text_copy(why, size, w.text);
		return true;
	}
	return false;
}

void release_guard_let_go(struct release_guard *guard, const char *path)
{
	for (size_t i = 0; i < guard->displays.count; i++)
		if (device_path_within(guard->displays.items[i].path, path))
			guard->displays.items[i].goes = true;
}
