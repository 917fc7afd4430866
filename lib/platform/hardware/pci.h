/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: where functions are in the tree of bridges, and which addresses they decode. Pure:
 * the input is text of sysfs and /proc.
 */
#ifndef S2DISK_PLATFORM_PCI_H
#define S2DISK_PLATFORM_PCI_H

#include "platform/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No machine has more; pairwise comparisons stay bounded. */
#define PCI_RESOURCES_MAX 16384
#define PCI_WINDOWS_MAX 1024
#define PCI_BUS_MAX 255

enum pci_resource_kind {
	PCI_RESOURCE_IO = 1,
	PCI_RESOURCE_MEMORY = 2,
};

enum pci_resource_flag {
	PCI_RESOURCE_WINDOW = 1, /* forwarded by a bridge; not necessarily decoded */
	PCI_RESOURCE_OFF = 2,	 /* an expansion ROM that has an address but is disabled */
	PCI_RESOURCE_MSIX = 4,	 /* may contain the function's MSI-X table */
};

/* A range that a function decodes, or a bridge forwards. */
struct pci_resource {
	uint32_t device; /* index of the function in the list of devices */
	uint32_t number; /* line of the function's file "resource" */
	uint32_t kind;	 /* enum pci_resource_kind */
	uint32_t flags;	 /* enum pci_resource_flag */
	uint64_t start;
	uint64_t end; /* inclusive */
};

/* Memory addresses that a host bridge forwards to its root bus: the kernel assigns new
 * addresses from these. */
struct pci_window {
	char bus[16]; /* 0000:00 */
	uint64_t start;
	uint64_t end; /* inclusive */
};

struct pci_space {
	LIST_OF(struct pci_resource)
	resources;			  /* known: of all functions but those whose device
					   * has DEVICE_ADDRESSES_UNKNOWN */
	LIST_OF(struct pci_window) roots; /* known: there are some */
};

void pci_space_free(struct pci_space *space);

/* The target of the link /sys/bus/pci/devices/ADDRESS, as the path from the root bus to
 * the function: "0000:00:1c.0/00.0". Bus numbers below the root are left out, since they
 * are assigned in the order in which bridges are found. False if it is not such a link,
 * or the path is too long. */
bool pci_path_parse(const char *target, char *path, size_t size);

/* "0000:01:00.0": its domain and bus number. False if it is not such an address. */
bool pci_bus_of(const char *address, uint32_t *ret_domain, uint32_t *ret_bus);

/* Is the function at path below the bridge? Neither may be "". */
bool pci_path_behind(const char *path, const char *bridge);

/* Text of a function's file "resource" (resource_show() in drivers/pci/pci-sysfs.c),
 * appended to the list. Ranges without an address and shadow copies of ROMs are left out.
 * 0, -EINVAL if it is not such text, -ENOMEM. */
int pci_parse_resources(const char *text, uint32_t device, struct pci_space *space);

/* Parses /proc/iomem's text: the ranges "PCI Bus DDDD:BB" that are not inside another
 * such range. 0 or -ENOMEM. */
int pci_parse_roots(const char *iomem, struct pci_space *space);

/* Does a range of memory (including disabled ROMs) touch start … end? NULL: none. */
const struct pci_resource *pci_resource_in(const struct pci_space *space, uint64_t start,
					   uint64_t end);

#endif
