/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef S2DISK_BOOT_INITRAMFS_COMMAND_H
#define S2DISK_BOOT_INITRAMFS_COMMAND_H

/* The command that regenerates every initramfs of the system below root, to print and to
 * run: a program in PATH and its arguments, separated by blanks, "update-initramfs -u -k
 * all". NULL if none is known: ostree systems, and systems without a generator that has a
 * hook of ours. On Debian with dracut, update-initramfs is dracut's own, if it is
 * installed. */
const char *initramfs_command(const char *root);

#endif
