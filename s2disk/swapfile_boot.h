/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot loader's configuration and the initramfs: which of them the system
 * has, and the steps that make resume= and resume_offset= part of every boot.
 */
#ifndef S2DISK_SWAPFILE_BOOT_H
#define S2DISK_SWAPFILE_BOOT_H

#include "swapfile_steps.h"

enum boot_loader {
	BOOT_NONE,	     /* none that is known: the user must add the arguments */
	BOOT_GRUBBY,	     /* grubby changes all entries */
	BOOT_GRUB_FOLDER,    /* a file of ours in /etc/default/grub.d, update-grub */
	BOOT_GRUB_FILE,	     /* a block in /etc/default/grub, grub-mkconfig */
	BOOT_ENTRIES,	     /* files of the boot loader specification, and /etc/kernel/cmdline */
	BOOT_KERNEL_INSTALL, /* /etc/kernel/cmdline, kernel-install for each kernel */
	BOOT_UBOOT,	     /* a block in /etc/default/u-boot, u-boot-update */
	BOOT_EXTLINUX,	     /* extlinux.conf or syslinux.cfg */
};

enum boot_loader boot_detect(const struct swapfile_system *system);
const char *boot_name(enum boot_loader loader);

/* Adds the steps; none where everything is as it should be. arguments:
 * "resume=... resume_offset=...". */
int boot_plan(struct plan *plan, const struct swapfile_system *system, enum boot_loader loader,
	      const char *arguments, struct why *w);

/* The command that makes the initramfs anew, arguments separated by newlines;
 * NULL where none is known. */
const char *boot_initramfs_command(const struct swapfile_system *system);

/* Does a generated grub.cfg give a kernel the arguments, with no others that win
 * over them? true also where there is none to look at; *ret_path (may be NULL)
 * is what was looked at, NULL for nothing. */
bool boot_grub_says(const struct swapfile_system *system, const char *arguments,
		    const char **ret_path);

#endif
