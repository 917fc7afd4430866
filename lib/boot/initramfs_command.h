/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef S2DISK_BOOT_INITRAMFS_COMMAND_H
#define S2DISK_BOOT_INITRAMFS_COMMAND_H

/* The command that regenerates every initramfs of the system below root, for people and to
 * be run: a program of PATH and its arguments with a blank between, "update-initramfs -u -k all".
 * NULL where none is known: ostree systems, and those without a generator that has a hook
 * of ours. On Debian with dracut update-initramfs is dracut's own, if it is there. */
const char *initramfs_command(const char *root);

#endif
