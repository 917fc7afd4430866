/* SPDX-License-Identifier: GPL-2.0-or-later */
/* release_plan: devices that are known not to hibernate, or not to be there afterwards. */
#include "release/release_plan_private.h"

#include "base/text.h"
#include "base/tree.h"
#include "kernel/file_users.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A program that uses a device through uio must let go of it by itself. */
static int find_users(const char *root, const char *name, struct release_entry *entry)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX], who[128];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/vmbus/devices/%s/uio", name);
	r = tree_list(root, path, &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "/dev/%s", names.items[i]);
		if (file_users_find(root, path, who, sizeof(who)) == 0)
			continue;
		snprintf(entry->blocked, sizeof(entry->blocked), "%.40s is in use by %.120s", path,
			 who);
		break;
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
