/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would a disk be visible here, if it were there? An initramfs does not have every
 * driver; if one that the disk needs is missing, its absence proves nothing.
 */
#ifndef S2DISK_PLATFORM_DEVICE_DRIVERS_H
#define S2DISK_PLATFORM_DEVICE_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the drivers of the disk that a block device ("sda3", "dm-0") lies on, and of the
 * hardware it is attached to: "scsi/sd,pci/ahci", bus and name of each in sysfs. "" if it
 * lies on several disks, or sysfs names no driver (NVMe with several paths), or only the
 * disk's own (iSCSI). */
void device_drivers(const char *root, const char *name, char *text, size_t size);

/* Does this kernel have all of them? False for "". The text may come from a disk. */
bool device_drivers_here(const char *root, const char *text);

#endif
