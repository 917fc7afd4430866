/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that identify a machine: PCI, VMBus, virtio. */
#ifndef S2DISK_PLATFORM_DEVICES_H
#define S2DISK_PLATFORM_DEVICES_H

#include "platform/list.h"
#include "platform/hardware/pci.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICES_MAX 16384

enum device_flag {
	DEVICE_REMOVABLE = 1,	       /* below a hot-plug port */
	DEVICE_VIRTUAL_PCI = 2,	       /* a PCI device that Hyper-V offers over the VMBus */
	DEVICE_VIRTUAL_FUNCTION = 4,   /* SR-IOV: created by its physical function */
	DEVICE_USE_KNOWN = 8,	       /* it was looked whether it is in use */
	DEVICE_IN_USE = 16,	       /* mounted file systems or active swap lie behind it, or the
					* system's files come over it */
	DEVICE_ADDRESSES_UNKNOWN = 32, /* its file "resource" could not be read */
};

struct device {
	char bus[12];	  /* "pci", "vmbus", "virtio" */
	char address[48]; /* 0000:00:1f.2, an instance GUID, virtio0 */
	char id[48];	  /* 8086:10d3, a class GUID, 0018 */
	char driver[32];  /* "" none */
	uint32_t class;	  /* PCI: base class, sub-class, interface */
	uint32_t flags;
	char path[96]; /* PCI: as pci_path_parse says it; "" not recorded */
	/* A PCI bridge: the bus numbers below it, of this boot only. 0, 0: none, or not
	 * read. Not recorded. */
	uint32_t first_bus;
	uint32_t last_bus;
};

struct devices {
	LIST_OF(struct device) items; /* sorted by bus and address */
	struct pci_space pci;
	uint32_t pci_known;
	uint32_t vmbus_known;
};

/* Are the addresses of all PCI functions known? */
bool devices_know_addresses(const struct devices *devices);

/* 0 or -ENOMEM. */
int devices_capture(const char *root, struct devices *ret);
void devices_free(struct devices *devices);

/* Marks the PCI and VMBus devices that mounted file systems or active swap lie on, through all
 * layers, or that the system's files come over (device_users.h). Where mounts or swap areas cannot
 * be listed, none is marked: not known. 0 or -ENOMEM. */
int devices_note_use(const char *root, struct devices *devices);

/* Reads the bus numbers below bridges. That wakes bridges that are off. */
void devices_look_at_buses(const char *root, struct devices *devices);

/* The device with this bus and address; NULL if there is none. */
const struct device *devices_find(const struct devices *devices, const char *bus,
				  const char *address);

/* The same device on another boot: a PCI function by its path if both sides have it,
 * since bus numbers change when something is plugged in; otherwise by bus and address.
 * NULL if there is none. */
const struct device *devices_match(const struct devices *devices, const struct device *like);

/* "SCSI controller", "network adapter", … for a VMBus class or a PCI class. */
const char *device_kind(const struct device *device);

/* The controllers of Hyper-V's disks are such devices. */
bool device_is_vmbus_storage(const struct device *device);
bool device_is_vmbus_pci(const struct device *device);

/* Bound to a user-space driver, which does not support hibernation. */
bool device_is_uio(const struct device *device);

#endif
