/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap/wiped_disk.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Hyper-V also runs elsewhere, where these are ordinary disks. */
#define AZURE_TAG "7783-7084-3265-9085-8269-3286-77"

/* Generation 1: the second IDE channel. Generation 2: the second disk of the controller
 * that has the system disk first. */
static bool is_azure_resource(const char *path)
{
	const char *controller = strstr(path, "/f8b3781a-1e82-4818-a1c3-63d806ec15bb/");

	return strstr(path, "/00000000-0001-8899-0000-000000000000/") ||
	       (controller && strstr(controller, ":0:0:1/"));
}

/* Persistent disks are "nvme_card-pd". */
static bool is_google_nvme(const char *model)
{
	static const char name[] = "nvme_card";

	return text_starts(model, name) &&
	       model[strlen(name) + strspn(model + strlen(name), "0123456789 ")] == '\0';
}

const char *wiped_disk_by_name(const char *model, const char *path, const char *asset_tag)
{
	if (text_starts(model, "Amazon EC2 NVMe Instance Storage"))
		return "instance store of EC2";
	if (text_starts(model, "EphemeralDisk") || is_google_nvme(model))
		return "local SSD of Google's cloud";
	if (text_starts(model, "Microsoft NVMe Direct Disk"))
		return "local disk of Azure";
	if (strcmp(asset_tag, AZURE_TAG) == 0 && is_azure_resource(path))
		return "resource disk of Azure";
	return NULL;
}

char *device_path(const char *root, dev_t dev)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	return tree_path(root, path);
}

static void read_line(const char *root, const char *path, char *text, size_t size)
{
	if (io_read_text(root, path, text, size) < 0)
		text[0] = '\0';
	*strchrnul(text, '\n') = '\0';
}

const char *wiped_disk_kind(const char *root, dev_t dev)
{
	_cleanup_free_ char *path = device_path(root, dev);
	char attribute[96], model[96], tag[96];

	snprintf(attribute, sizeof(attribute), "/sys/dev/block/%u:%u/device/model", major(dev),
		 minor(dev));
	read_line(root, attribute, model, sizeof(model));
	read_line(root, "/sys/class/dmi/id/chassis_asset_tag", tag, sizeof(tag));
	return wiped_disk_by_name(model, path ? path : "", tag);
}
