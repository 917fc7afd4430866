/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The EFI variables, in an initramfs that has not mounted them: systemd does, others do not. */
#ifndef S2DISK_EFI_VARIABLES_H
#define S2DISK_EFI_VARIABLES_H

#include <stdbool.h>

/* Mounts efivarfs on its directory below root, if this is an initramfs with nothing there. Is it
 * mounted by this call? Then efi_variables_unmount() is the caller's to call. */
bool efi_variables_mount(const char *root);

/* Harmless where nothing was mounted. */
void efi_variables_unmount(void);

#endif
