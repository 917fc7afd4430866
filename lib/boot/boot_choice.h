/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings that make the next boot start something else than this one did: firmware
 * variables (UEFI, "Boot Manager"; systemd's Boot Loader Interface) and GRUB's
 * environment block in /boot. (A block on the EFI partition belongs to another system.)
 */
#ifndef S2DISK_BOOT_BOOT_CHOICE_H
#define S2DISK_BOOT_BOOT_CHOICE_H

#include <stddef.h>

#define BOOT_CHOICES_MAX 4

struct boot_choice {
	char text[200];	    /* what the next boot will start: the beginning of a sentence */
	const char *advice; /* how to undo it */
};

/* Reads them below root; returns how many there are. */
size_t boot_choices_read(const char *root, struct boot_choice ret[BOOT_CHOICES_MAX]);

#endif
