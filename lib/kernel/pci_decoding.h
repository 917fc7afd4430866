/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disabling PCI functions of the boot that restores an image. One that the saved kernel
 * does not know keeps what this boot assigned: its addresses, decoding them, and bus
 * mastering. If the saved kernel has assigned the same addresses to another function,
 * both would respond.
 */
#ifndef S2DISK_KERNEL_PCI_DECODING_H
#define S2DISK_KERNEL_PCI_DECODING_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PCI_DECODING_MAX 64

struct pci_disabled {
	char address[48]; /* 0000:00:1f.2 */
	char driver[32];  /* that was unbound; "" none */
	bool barred;	  /* no driver may bind to it */
	bool off;	  /* command is the old value */
	bool closed;	  /* a bridge, and buses are the old values */
	unsigned char command[2];
	unsigned char buses[3];
};

/* Disabled functions, in this order. */
struct pci_decoding {
	struct pci_disabled done[PCI_DECODING_MAX];
	size_t count;
};

/* Unbinds the function's driver, keeps others from binding (driver_override), clears the
 * bits I/O, memory and bus master of its command register
 * (include/uapi/linux/pci_regs.h), and clears the bus numbers of a bridge, by which it
 * forwards configuration accesses regardless of those; anything already done is skipped.
 * Disable functions below a bridge before the bridge. keep: the block device with the
 * image. 0; -EBUSY if a disk of it is in use; -EPERM for a display with a driver, since
 * unbinding one may hang the machine; or another negative errno. What was done stays
 * until pci_decoding_restore(). root is "" or a test's root directory. */
int pci_decoding_disable(struct pci_decoding *decoding, const char *root, const char *address,
			 dev_t keep, struct why *w);

/* Restores all of them, the last first, and clears the list. False if that failed.
 * Harmless on a zeroed struct. */
bool pci_decoding_restore(struct pci_decoding *decoding, const char *root);

#endif
