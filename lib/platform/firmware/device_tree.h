/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device tree that the kernel was started with: a digest of what it says of the hardware. */
#ifndef S2DISK_PLATFORM_DEVICE_TREE_H
#define S2DISK_PLATFORM_DEVICE_TREE_H

#include "crypto/crypto.h"

#include <stddef.h>
#include <stdint.h>

struct device_tree {
	uint32_t present;    /* 0: none describes the hardware, or it could not be read */
	uint32_t properties; /* in the digest */
	char model[96];	     /* of the machine; "" */
	unsigned char sha256[SHA256_SIZE];
};

/* Reads /sys/firmware/fdt, which has what firmware and boot loader gave to the kernel. (In
 * /proc/device-tree are the kernel's own changes as well: overlays that the system loaded, nodes
 * of PCI devices; it also takes a system call or three for each of thousands of properties.) 0 or
 * -ENOMEM; *ret has no tree where there is none, or a damaged one. */
int device_tree_capture(const char *root, struct device_tree *ret);

/* Pure: the same of such a file's bytes, which may be hostile. Names, values and nodes count, in
 * whatever order they are; not what may be another at each boot (doc/platform-verdict.md). A tree
 * whose root names no machine ("compatible") describes none: the EFI stub makes one for ACPI. */
int device_tree_digest(const void *blob, size_t length, struct device_tree *ret);

#endif
