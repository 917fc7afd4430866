/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef S2DISK_BOOT_INITRAMFS_OPENS_H
#define S2DISK_BOOT_INITRAMFS_OPENS_H

#include "boot/initramfs.h"

/* Pure: does the initramfs, with this kernel command line, open an encrypted device, so that it is
 * there as /dev/mapper/name? By a line of its crypttab (crypttab(5), also where
 * Debian's cryptroot keeps it) with a key that lasts, by rd.luks.name=, cryptdevice=, or by
 * rd.luks.uuid= and the like where the name is luks-UUID or does not matter (any_name). uuid: of
 * the LUKS header, 32 hexadecimal digits, "" for none. */
bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name);

#endif
