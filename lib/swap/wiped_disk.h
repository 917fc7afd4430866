/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cloud disks that are empty when the machine starts on another host. */
#ifndef S2DISK_SWAP_WIPED_DISK_H
#define S2DISK_SWAP_WIPED_DISK_H

#include <stddef.h>
#include <sys/types.h>

/* Pure: judges by the disk's model ("" for none), its path below /sys/devices and the
 * asset tag of the chassis (SMBIOS); "instance store of EC2" or the like, NULL for a
 * persistent disk. Known: EC2's NVMe instance stores, Google's local SSDs, Azure's
 * resource disk (identified as by WALinuxAgent's 66-azure-storage.rules and its resource
 * disk handler) and local NVMe disks. */
const char *wiped_disk_by_name(const char *model, const char *path, const char *asset_tag);

/* The same for a whole disk, below the root; NULL also if it cannot be read. */
const char *wiped_disk_kind(const char *root, dev_t dev);

/* The device's path in sysfs, below the root: "/sys/devices/pci0000:00/…". NULL if
 * unknown. Free it. */
char *device_path(const char *root, dev_t dev);

#endif
