/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot loader of this boot, as it names itself. */
#ifndef S2DISK_BOOT_BOOT_LOADER_H
#define S2DISK_BOOT_BOOT_LOADER_H

#include <stddef.h>

#define BOOT_LOADER_MAX 64 /* bytes of a name */

/* "GRUB 2.12", "systemd-boot 257.7-1": by the Boot Loader Interface (the EFI variable LoaderInfo),
 * else by the number that it gave to the kernel (x86). One printable line, cut where it is longer;
 * "" if neither is known. Reads below root. */
void boot_loader_name(const char *root, char ret[BOOT_LOADER_MAX]);

#endif
