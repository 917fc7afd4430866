/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of clouds that are empty when the machine starts again elsewhere. */
#ifndef S2DISK_SWAP_WIPED_DISK_H
#define S2DISK_SWAP_WIPED_DISK_H

#include <stddef.h>
#include <sys/types.h>

/* Pure: by the disk's model ("" for none), its path below /sys/devices and the asset tag
 * of the chassis (SMBIOS); "instance store of EC2" or so, NULL for a disk that lasts.
 * Known: EC2's instance stores by NVMe, Google's local SSDs, Azure's resource disk (the
 * disks that WALinuxAgent's 66-azure-storage.rules and its resource disk handler take for
 * it) and local NVMe disks. */
const char *wiped_disk_judge(const char *model, const char *path, const char *asset_tag);

/* The same for a whole disk, below the root; NULL also for what cannot be read. */
const char *wiped_disk_kind(const char *root, dev_t dev);

/* Where sysfs has the device, below the root: "/sys/devices/pci0000:00/…". NULL where
 * that cannot be seen. free() it. */
char *device_path(const char *root, dev_t dev);

#endif
