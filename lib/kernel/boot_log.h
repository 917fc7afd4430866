/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel says at boot and nowhere else: where the ACPI tables lie,
 * and a few things more. Its log forgets that after days of running, so the
 * initramfs keeps those lines in /run, which the system takes over.
 */
#ifndef S2DISK_KERNEL_BOOT_LOG_H
#define S2DISK_KERNEL_BOOT_LOG_H

/* Saves the lines in root/run/s2disk/boot.log, for root's eyes only. Does
 * nothing where they are saved already or root/run is not there. 0 or a
 * negative errno, which is no reason to stop a boot. */
int boot_log_save(const char *root);

/* What was saved, or where nothing was, the kernel's log as it is now. The
 * caller frees *ret. */
int boot_log_read(const char *root, char **ret);

#endif
