/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would a disk be seen here, if it were there? An initramfs has not every driver; where
 * one is missing that made a disk appear, that it is not to be seen says nothing.
 */
#ifndef S2DISK_PLATFORM_DEVICE_DRIVERS_H
#define S2DISK_PLATFORM_DEVICE_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the drivers of the disk that a block device ("sda3", "dm-0") lies on, and of
 * what that is plugged into: "scsi/sd,pci/ahci", bus and name of each in sysfs. "" where
 * it lies on several disks, or sysfs names no driver (NVMe with several paths), or none
 * but the disk's own (iSCSI). */
void device_drivers(const char *root, const char *name, char *text, size_t size);

/* Does this kernel have all of them? False for "". The text may be from a disk. */
bool device_drivers_here(const char *root, const char *text);

#endif
