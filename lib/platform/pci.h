/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: where functions are in the tree of bridges, and which addresses they
 * decode. Pure: text of sysfs and /proc comes in.
 */
#ifndef S2DISK_PLATFORM_PCI_H
#define S2DISK_PLATFORM_PCI_H

#include "platform/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than these no machine has; what is compared pairwise stays bounded. */
#define PCI_RESOURCES_MAX 16384
#define PCI_WINDOWS_MAX 1024
#define PCI_BUS_MAX 255

enum pci_resource_kind {
	PCI_RESOURCE_IO = 1,
	PCI_RESOURCE_MEMORY = 2,
};

enum pci_resource_flag {
	PCI_RESOURCE_WINDOW = 1, /* a bridge passes it on, nobody need decode it */
	PCI_RESOURCE_OFF = 2,	 /* an expansion ROM that has a place but is disabled */
	PCI_RESOURCE_MSIX = 4,	 /* may hold the function's table of message interrupts */
};

/* A range that a function decodes, or a bridge passes on. */
struct pci_resource {
	uint32_t device; /* index of the function in the list of devices */
	uint32_t number; /* line of the function's file "resource" */
	uint32_t kind;	 /* enum pci_resource_kind */
	uint32_t flags;	 /* enum pci_resource_flag */
	uint64_t start;
	uint64_t end; /* inclusive */
};

/* Memory addresses that a host bridge passes on to its root bus: here the kernel
 * places what has no place yet. */
struct pci_window {
	char bus[16]; /* 0000:00 */
	uint64_t start;
	uint64_t end; /* inclusive */
};

struct pci_space {
	LIST_OF(struct pci_resource) resources; /* known: of all functions */
	LIST_OF(struct pci_window) roots;	/* known: there are some */
};

void pci_space_free(struct pci_space *space);

/* What the link /sys/bus/pci/devices/ADDRESS points to, as the way from the root
 * bus to the function: "0000:00:1c.0/00.0". Bus numbers below the root are left
 * out, since they are given out in the order in which bridges are found. False
 * where it is no such link, or the way is too long. */
bool pci_path_parse(const char *target, char *path, size_t size);

/* "0000:01:00.0": its domain and bus number. False where it is no such address. */
bool pci_bus_of(const char *address, uint32_t *ret_domain, uint32_t *ret_bus);

/* Is the function at path on the far side of the bridge? Neither may be "". */
bool pci_path_behind(const char *path, const char *bridge);

/* Text of a function's file "resource" (resource_show() in drivers/pci/pci-sysfs.c),
 * appended to the list. Ranges without a place are left out, and shadow copies of
 * ROMs. 0, -EINVAL where it is no such text, -ENOMEM. */
int pci_parse_resources(const char *text, uint32_t device, struct pci_space *space);

/* /proc/iomem's text: the ranges "PCI Bus DDDD:BB" that are in no other such. 0
 * or -ENOMEM. */
int pci_parse_roots(const char *iomem, struct pci_space *space);

/* Does some range of memory (ROMs that are off too) touch start … end? NULL: none. */
const struct pci_resource *pci_resource_in(const struct pci_space *space, uint64_t start,
					   uint64_t end);

#endif
