/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the next boot will start: kernel, initramfs and command line, as the
 * configuration of GRUB, of systemd-boot, or the entries of the boot loader
 * specification say.
 */
#ifndef S2DISK_BOOT_BOOT_ENTRY_H
#define S2DISK_BOOT_BOOT_ENTRY_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>

struct boot_entry {
	char source[256];     /* the file that says so; "" where it was only assumed */
	char title[256];      /* as its menu shows it */
	char kernel[256];     /* as the boot loader names it */
	char initramfs[256];  /* the same; "" for none */
	char arguments[4096]; /* the kernel's command line */
};

/* Finds it below root. Choices that are made only then (somebody at the menu,
 * scripts of GRUB's) cannot be known. Where no configuration is known, the
 * running kernel's initramfs and command line are assumed. -ENOENT: not even
 * that is there. */
int boot_entry_find(const char *root, struct boot_entry *ret, struct why *w);

/* Where the entry's initramfs lies below root: /boot or the EFI partition may
 * be file systems of their own. -ENOENT: not found. */
int boot_entry_initramfs(const char *root, const struct boot_entry *entry, char *ret, size_t size);

/* Pure: the default entry of a grub.cfg; environment is the text of grubenv, ""
 * for none. -ENOENT: it has no entry for Linux. */
int boot_entry_from_grub(const char *config, const char *environment, struct boot_entry *ret);

/* Pure: an entry of the boot loader specification. environment as above.
 * -ENOENT: it does not boot Linux. */
int boot_entry_from_file(const char *text, const char *environment, struct boot_entry *ret);

/* Pure: a variable of grubenv; false for none, or an empty one. */
bool boot_grub_variable(const char *environment, const char *name, char *ret, size_t size);

/* Was this system started by systemd-boot? */
bool boot_by_systemd_boot(const char *root);

/* Folders of entries, and places of grub.cfg; NULL ends them. */
extern const char *const boot_entry_folders[];
extern const char *const boot_grub_configs[];

#endif
