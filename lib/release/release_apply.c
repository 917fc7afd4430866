/* SPDX-License-Identifier: GPL-2.0-or-later */
/* release_plan: the machine as it will be. */
#include "release/release_plan.h"

#include <string.h>

static void forget_device(struct devices *devices, const char *bus, const char *name, bool removed)
{
	size_t kept = 0;

	for (size_t i = 0; i < devices->items.count; i++) {
		struct device *device = &devices->items.items[i];
		bool same = strcmp(device->bus, bus) == 0 && strcmp(device->address, name) == 0;

		if (same && removed)
			continue;
		if (same)
			device->driver[0] = '\0';
		devices->items.items[kept++] = *device;
	}
	devices->items.count = kept;
}

/* An offline block is none of those that a device has plugged. */
static void take_block(struct ram *ram, const struct release_entry *entry)
{
	const struct byte_range range = { entry->start, entry->end };
	uint64_t size = entry->end - entry->start + 1;

	for (size_t i = 0; i < ram->virtio.count; i++) {
		struct virtio_mem *device = &ram->virtio.items[i];

		if (entry->start >= device->start && entry->end <= device->end)
			device->plugged -= device->plugged < size ? device->plugged : size;
	}
	/* Without memory for the list, the forecast says what it would without the plan. */
	(void)list_append(&ram->offline, range);
}

/* It has none that is a reason to refuse, once its driver is gone. */
static void forget_added(struct ram *ram, const struct release_entry *entry)
{
	for (size_t i = 0; i < ram->virtio.count; i++)
		if (strcmp(entry->bus, "virtio") == 0 &&
		    strcmp(entry->name, ram->virtio.items[i].device) == 0)
			ram->virtio.items[i].added = 0;
}

void release_plan_apply(const struct release_plan *plan, struct platform *platform)
{
	for (size_t i = 0; i < plan->entries.count; i++) {
		const struct release_entry *entry = &plan->entries.items[i];

		if (entry->blocked[0])
			continue;
		switch (entry->kind) {
		case RELEASE_UNBIND:
			forget_device(&platform->devices, entry->bus, entry->name, false);
			forget_added(&platform->ram, entry);
			break;
		case RELEASE_REMOVE:
			forget_device(&platform->devices, "pci", entry->name, true);
			break;
		case RELEASE_OFFLINE:
			take_block(&platform->ram, entry);
			break;
		case RELEASE_UNLOAD:
			break;
		}
	}
}
