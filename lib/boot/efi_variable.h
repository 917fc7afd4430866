/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of the EFI firmware, as efivarfs shows them below root. */
#ifndef S2DISK_BOOT_EFI_VARIABLE_H
#define S2DISK_BOOT_EFI_VARIABLE_H

#include <stddef.h>

#define EFI_VARIABLES_PATH "/sys/firmware/efi/efivars"
#define EFI_VARIABLE_MAX 512 /* bytes of a value that are read */

/* Vendors: UEFI itself ("Globally Defined Variables"), and systemd's Boot Loader Interface. */
#define EFI_VENDOR_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFI_VENDOR_LOADER "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* The value, without the four bytes of attributes before it. Returns its length, cut to
 * EFI_VARIABLE_MAX; 0: there is none. */
size_t efi_variable_read(const char *root, const char *name, const char *vendor,
			 unsigned char value[EFI_VARIABLE_MAX]);

/* The same of a text in UTF-16: what is not ASCII becomes '?'. Printable, and cut to size; "" if
 * there is none. */
void efi_variable_text(const char *root, const char *name, const char *vendor, char *ret,
		       size_t size);

#endif
