/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies below a block device: partitions, LVM, dm-crypt, MD, loop devices, down to
 * the disks, according to sysfs below a root directory.
 */
#ifndef S2DISK_SWAP_DEVICE_STACK_H
#define S2DISK_SWAP_DEVICE_STACK_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum layer_kind {
	LAYER_DISK,
	LAYER_PARTITION,
	LAYER_LVM,
	LAYER_CRYPT,
	LAYER_MD,
	LAYER_MAPPER, /* another device of the device mapper */
	/* Writing to it changes metadata of its own, on the disk and in the kernel's
	 * memory: thin pools, caches, VDO, snapshots, integrity, journals of MD. */
	LAYER_CHANGING,
	LAYER_LOOP,
	LAYER_SERVED,  /* ublk: by a program */
	LAYER_MEMORY,  /* zram, RAM disks */
	LAYER_NETWORK, /* nbd, rbd, iSCSI, NVMe over fabrics, DRBD, AoE */
	LAYER_ZVOL,
	LAYER_WIPED, /* a cloud disk that is empty at the next start: wiped_disk.h */
};

struct device_layer {
	enum layer_kind kind;
	dev_t dev;
	char name[64];	  /* the kernel's: "dm-0" */
	char mapper[128]; /* the device mapper's: "vg-root"; "" for others */
	/* LOOP: the file; MD: the level; CRYPT: "LUKS2" or so, "PLAIN" where there is no
	 * header; CHANGING, WIPED: what it is, such as "thin pool" */
	char detail[192];
	char luks[40]; /* CRYPT: the UUID of the LUKS header, as blkid prints it; "" for none */
	bool unknown;  /* of the device mapper: how it treats writes */
};

#define LAYERS_MAX 64

struct device_stack {
	struct device_layer layers[LAYERS_MAX]; /* the device itself first */
	size_t count;
	bool cut; /* sysfs lacks a device that lies below another */
};

/* Devices below several others are listed once. -ENODEV if sysfs does not have the device
 * itself, -ELOOP if there are too many layers. */
int device_stack_read(const char *root, dev_t dev, struct device_stack *ret, struct why *w);

/* Can a hibernation image be written there, found at the next boot, and read then,
 * without damage to anything else? -EINVAL with the reason and a remedy: loop devices,
 * memory, network block devices, zvols, disks that are wiped, layers that change when
 * written to, and dm-crypt with a key that is random at every boot. The last is decided
 * by root/etc/crypttab, and includes every mapping without a (or with another) LUKS
 * header for which no permanent key is named there. */
int device_stack_check(const char *root, const struct device_stack *stack, struct why *w);

/* Is every layer known? If not, an image may be unusable there although nothing was found. */
bool device_stack_known(const struct device_stack *stack);

bool device_stack_has(const struct device_stack *stack, enum layer_kind kind);
bool device_stack_lists(const struct device_stack *stack, dev_t dev);

/* "LVM vg-root on LUKS2 sda2_crypt on partition sda2 on sda"; returns buffer. */
const char *device_stack_text(const struct device_stack *stack, char *buffer, size_t size);

#endif
