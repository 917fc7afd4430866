/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI functions and their addresses, for the tests of verdicts. */
#ifndef S2DISK_TESTS_VERDICT_PCI_FIXTURE_H
#define S2DISK_TESTS_VERDICT_PCI_FIXTURE_H

#include "verdict_fixture.h"

#define PCI_WINDOW 0x80000000u
#define CARD_AT 0x80000000u
#define OTHER_AT 0x80100000u

static inline struct device *add_function(struct platform *platform, const char *address,
					  const char *path)
{
	struct device device = { .bus = "pci", .id = "8086:10d3", .driver = "e1000e" };

	snprintf(device.address, sizeof(device.address), "%s", address);
	snprintf(device.path, sizeof(device.path), "%s", path);
	device.class = 0x020000;
	ck_assert_int_eq(list_append(&platform->devices.items, device), 0);
	platform->devices.items.known = true;
	platform->devices.pci_known = 1;
	platform->devices.pci.resources.known = true;
	return &platform->devices.items.items[platform->devices.items.count - 1];
}

/* Of the function that was added last. */
static inline struct pci_resource *add_range(struct platform *platform, uint64_t start,
					     uint64_t size, uint32_t flags)
{
	struct pci_space *space = &platform->devices.pci;
	struct pci_resource resource = {
		.device = (uint32_t)platform->devices.items.count - 1,
		.number = (uint32_t)space->resources.count,
		.kind = PCI_RESOURCE_MEMORY,
		.flags = flags,
		.start = start,
		.end = start + size - 1,
	};

	ck_assert_int_eq(list_append(&space->resources, resource), 0);
	return &space->resources.items[space->resources.count - 1];
}

static inline void add_root(struct platform *platform, uint64_t start, uint64_t end)
{
	struct pci_window window = { "0000:00", start, end };

	ck_assert_int_eq(list_append(&platform->devices.pci.roots, window), 0);
	platform->devices.pci.roots.known = true;
}

/* A card, another, both with a BAR of 64 KiB, in a window of 16 MiB. */
static inline void add_cards(struct platform *platform)
{
	add_function(platform, "0000:00:02.0", "0000:00:02.0");
	add_range(platform, CARD_AT, 0x10000, 0);
	add_function(platform, "0000:00:03.0", "0000:00:03.0");
	add_range(platform, OTHER_AT, 0x10000, 0);
	add_root(platform, PCI_WINDOW, PCI_WINDOW + 0xffffff);
}

static inline void have_cards(void)
{
	add_cards(&then);
	add_cards(&now);
}

/* A port whose window of 1 MiB holds a card that is behind it. */
static inline void add_port(struct platform *platform, uint64_t window)
{
	add_function(platform, "0000:00:1c.0", "0000:00:1c.0");
	add_range(platform, window, 0x100000, PCI_RESOURCE_WINDOW)->number = 13;
	add_function(platform, "0000:01:00.0", "0000:00:1c.0/00.0");
	add_range(platform, window + 0x1000, 0x1000, 0)->number = 0;
}

static inline struct pci_resource *range(struct platform *platform, size_t index)
{
	return &platform->devices.pci.resources.items[index];
}

static inline void move(struct pci_resource *resource, uint64_t start)
{
	resource->end = start + (resource->end - resource->start);
	resource->start = start;
}

#endif
