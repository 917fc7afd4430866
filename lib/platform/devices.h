/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices by which a machine is told from another: PCI, VMBus, virtio. */
#ifndef S2DISK_PLATFORM_DEVICES_H
#define S2DISK_PLATFORM_DEVICES_H

#include "platform/list.h"
#include "platform/pci.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICES_MAX 16384

enum device_flag {
	DEVICE_REMOVABLE = 1,	     /* behind a port made for plugging */
	DEVICE_VIRTUAL_PCI = 2,	     /* a PCI device that Hyper-V offers over the VMBus */
	DEVICE_VIRTUAL_FUNCTION = 4, /* SR-IOV: its physical function makes it */
};

struct device {
	char bus[12];	  /* "pci", "vmbus", "virtio" */
	char address[48]; /* 0000:00:1f.2, an instance GUID, virtio0 */
	char id[48];	  /* 8086:10d3, a class GUID, 0018 */
	char driver[32];  /* "" none */
	uint32_t class;	  /* PCI: base class, sub-class, interface */
	uint32_t flags;
	char path[96]; /* PCI: as pci_path_parse says it; "" not recorded */
	/* A bridge of PCI: the bus numbers behind it, of this boot only. 0, 0: none, or
	 * not looked at. Not recorded. */
	uint32_t first_bus;
	uint32_t last_bus;
};

struct devices {
	LIST_OF(struct device) items; /* sorted by bus and address */
	struct pci_space pci;
	uint32_t pci_known;
	uint32_t vmbus_known;
};

/* 0 or -ENOMEM. */
int devices_capture(const char *root, struct devices *ret);
void devices_free(struct devices *devices);

/* Looks for the bus numbers behind bridges. That wakes one that is off. */
void devices_look_at_buses(const char *root, struct devices *devices);

/* What bus and address order; NULL when it is not there. */
const struct device *devices_find(const struct devices *devices, const char *bus,
				  const char *address);

/* The same device on another boot: a PCI function by its path where both sides
 * know it, since bus numbers change when something is plugged in; else by bus and
 * address. NULL when it is not there. */
const struct device *devices_match(const struct devices *devices, const struct device *like);

/* "SCSI controller", "network adapter", … for a VMBus class or a PCI class. */
const char *device_kind(const struct device *device);

/* Hyper-V's disks hang off such a device. */
bool device_is_vmbus_storage(const struct device *device);
bool device_is_vmbus_pci(const struct device *device);

/* Bound to user space's driver, which cannot hibernate. */
bool device_is_uio(const struct device *device);

#endif
