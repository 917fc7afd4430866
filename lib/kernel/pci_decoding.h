/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disabling PCI functions of the boot that restores an image. One that the saved kernel
 * does not know keeps what this boot gave it: its addresses, and the right to answer there
 * and to write to memory. Where these are another function's in the saved kernel, both
 * would answer.
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
	bool barred;	  /* from all drivers */
	bool off;	  /* command is what it was before */
	bool closed;	  /* a bridge, and buses are what it was before */
	unsigned char command[2];
	unsigned char buses[3];
};

/* Functions that were disabled, in this order. */
struct pci_decoding {
	struct pci_disabled done[PCI_DECODING_MAX];
	size_t count;
};

/* Unbinds the function's driver, keeps others from it (driver_override), and clears the bits I/O,
 * memory and bus master of its command register (include/uapi/linux/pci_regs.h), and the bus
 * numbers behind a bridge, by which it passes configuration on in any case; what is done already is
 * skipped. What is to go before it (functions on the far side of a bridge) goes first. keep: the
 * block device with the image. 0; -EBUSY where a disk of it is in use; -EPERM for a display that a
 * driver has, since to unbind one may hang the machine; or another negative errno. What was done
 * stays until pci_decoding_restore(). root is "" or a test's tree. */
int pci_decoding_disable(struct pci_decoding *decoding, const char *root, const char *address,
			 dev_t keep, struct why *w);

/* Gives all of them back what they had, the last first, and forgets them. False where
 * that failed. Harmless on a zeroed struct. */
bool pci_decoding_restore(struct pci_decoding *decoding, const char *root);

#endif
