/* SPDX-License-Identifier: GPL-2.0-or-later */
/* release_plan: devices that are known not to hibernate, or not to be there afterwards. */
#include "release/release_plan_private.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/file_users.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool block_if_open(const char *root, const char *file, struct release_entry *entry)
{
	char who[128];

	if (file_users_find(root, file, who, sizeof(who)) == 0)
		return false;
	snprintf(entry->blocked, sizeof(entry->blocked), "%.40s is in use by %.120s", file, who);
	return true;
}

/* The group's file, or the device's own (since Linux 6.6). */
static void keep_vfio(const char *root, const char *device, struct release_entry *entry)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX], group[32];

	if (tree_link(root, group, sizeof(group), "%s/iommu_group", device)) {
		snprintf(path, sizeof(path), "/dev/vfio/%s", group);
		if (block_if_open(root, path, entry))
			return;
	}
	snprintf(path, sizeof(path), "%s/vfio-dev", device);
	if (tree_list(root, path, &names) < 0)
		return;
	for (size_t i = 0; i < names.count && !entry->blocked[0]; i++) {
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", names.items[i]);
		block_if_open(root, path, entry);
	}
}

void plan_keep_users(const struct planner *planner, const char *path, struct release_entry *entry)
{
	const struct devices *devices = &planner->platform->devices;

	for (size_t i = 0; i < devices->items.count && !entry->blocked[0]; i++) {
		const struct device *device = &devices->items.items[i];
		_cleanup_free_ char *real = NULL;
		char link[128];

		if (strcmp(device->bus, "pci") != 0 || !text_starts(device->driver, "vfio"))
			continue;
		snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", device->address);
		real = tree_path(planner->root, link);
		if (real && device_path_within(real, path))
			keep_vfio(planner->root, real, entry);
	}
}

/* A program that uses a device through uio must let go of it by itself. */
static int find_users(const char *root, const char *name, struct release_entry *entry)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/vmbus/devices/%s/uio", name);
	r = tree_list(root, path, &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && !entry->blocked[0]; i++) {
		snprintf(path, sizeof(path), "/dev/%s", names.items[i]);
		block_if_open(root, path, entry);
	}
	return 0;
}

static struct release_entry vmbus_entry(const struct device *device, const char *reason)
{
	struct release_entry entry = {
		.kind = RELEASE_UNBIND,
		.reason = reason,
		.source = RELEASE_BUILT_IN,
	};

	text_copy(entry.bus, sizeof(entry.bus), device->bus);
	text_copy(entry.name, sizeof(entry.name), device->address);
	text_copy(entry.driver, sizeof(entry.driver), device->driver);
	snprintf(entry.what, sizeof(entry.what), "VMBus %s %s", device_kind(device),
		 device->address);
	return entry;
}

/* uio_hv_generic has no suspend callback, so vmbus_suspend() of drivers/hv/vmbus_drv.c fails. */
static int plan_uio(struct planner *planner, const struct device *device)
{
	struct release_entry entry =
		vmbus_entry(device, "its driver uio_hv_generic does not hibernate");
	int r;

	entry.needed = true;
	r = find_users(planner->root, device->address, &entry);
	return r < 0 ? r : plan_device(planner, &entry);
}

/* The PCI devices below it go with its driver; on a new virtual machine it has another id. */
static int plan_vmbus_pci(struct planner *planner, const struct device *device)
{
	struct release_entry entry =
		vmbus_entry(device,
			    "the host may not offer the same device when the machine starts again");

	return plan_device(planner, &entry);
}

int plan_known_devices(struct planner *planner)
{
	const struct devices *devices = &planner->platform->devices;
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->items.count; i++) {
		const struct device *device = &devices->items.items[i];

		if (device_is_uio(device))
			r = plan_uio(planner, device);
		else if (device_is_vmbus_pci(device) && *device->driver)
			r = plan_vmbus_pci(planner, device);
	}
	return r;
}
