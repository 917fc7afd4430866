/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hardware/device_drivers.h"

#include "base/cleanup.h"
#include "base/look.h"
#include "base/text.h"
#include "platform/filesystems/block_device.h"
#include "base/tree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

/* The disk below all layers, if there is one. */
static bool find_disk(const char *root, const char *name, char *disk, size_t size)
{
	char path[300];
	char at[64];

	if (!text_copy(at, sizeof(at), name))
		return false;
	for (unsigned int depth = 0; depth < DEPTH_MAX; depth++) {
		_cleanup_names_ struct tree_names slaves = { 0 };

		snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", at);
		if (tree_list(root, path, &slaves) < 0 || slaves.count == 0) {
			snprintf(path, sizeof(path), "/sys/class/block/%s/partition", at);
			return tree_exists(root, path) ? block_device_whole(root, at, disk, size)
						       : text_copy(disk, size, at);
		}
		if (slaves.count > 1 || !text_copy(at, sizeof(at), slaves.items[0]))
			return false;
	}
	return false;
}

/* What does not fit is dropped. True for a driver of the hardware that the disks are
 * attached to. */
static bool add_driver(const char *root, const char *directory, char *text, size_t size)
{
	char driver[64], bus[64], word[140];
	size_t used = strlen(text);

	if (!tree_link(root, driver, sizeof(driver), "%s/driver", directory) ||
	    !tree_link(root, bus, sizeof(bus), "%s/subsystem", directory) || strchr(driver, ','))
		return false;
	snprintf(word, sizeof(word), "%s%s/%s", used ? "," : "", bus, driver);
	if (used + strlen(word) < size)
		strcpy(text + used, word);
	return strcmp(bus, "scsi") != 0;
}

void device_drivers(const char *root, const char *name, char *text, size_t size)
{
	_cleanup_free_ char *place = NULL, *top = NULL;
	char disk[64], path[PATH_MAX];
	bool plugged = false;
	char *end;

	*text = '\0';
	if (!find_disk(root, name, disk, sizeof(disk)) ||
	    snprintf(path, sizeof(path), "%s/sys/class/block/%s", root, disk) >= (int)sizeof(path))
		return;
	look_note("", path, LOOK_NAME);
	place = realpath(path, NULL);
	top = realpath(*root ? root : "/", NULL);
	if (!place || !top)
		return;
	/* /sys/devices/pci0000:00/0000:00:1f.2/…/block/sda, from the end. */
	end = place + (strcmp(top, "/") == 0 ? 0 : strlen(top));
	while (text_starts(end, "/sys/devices/")) {
		plugged = add_driver(root, end, text, size) || plugged;
		*strrchr(end, '/') = '\0';
	}
	/* iSCSI: a disk that no local hardware provides. */
	if (!plugged)
		*text = '\0';
}

/* bus/driver, and nothing that leads elsewhere. */
static bool driver_here(const char *root, const char *word, size_t length)
{
	const char *slash = memchr(word, '/', length);
	size_t bus = slash ? (size_t)(slash - word) : 0;
	char path[400];

	if (bus == 0 || bus + 1 == length || *word == '.' || slash[1] == '.' ||
	    memchr(slash + 1, '/', length - bus - 1))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/%.*s/drivers/%.*s", (int)bus, word,
		 (int)(length - bus - 1), slash + 1);
	return tree_exists(root, path);
}

bool device_drivers_here(const char *root, const char *text)
{
	if (!*text)
		return false;
	for (;;) {
		size_t length = strcspn(text, ",");

		if (!driver_here(root, text, length))
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}
