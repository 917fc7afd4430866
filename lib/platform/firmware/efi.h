/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFI runtime services: where the firmware's code and data that the kernel keeps calling are. */
#ifndef S2DISK_PLATFORM_EFI_H
#define S2DISK_PLATFORM_EFI_H

#include "platform/list.h"

#include <stdbool.h>
#include <stdint.h>

#define EFI_REGIONS_MAX 4096

struct efi_region {
	uint32_t type;
	uint64_t start; /* physical */
	uint64_t pages; /* of 4096 bytes */
	uint64_t virtual_start;
	uint64_t attribute;
};

struct efi_state {
	uint32_t booted;       /* /sys/firmware/efi exists */
	uint64_t runtime;      /* address of the table of services, 0 unknown */
	uint64_t config_table; /* 0 unknown */
};

struct efi {
	struct efi_state state;
	LIST_OF(struct efi_region) regions; /* known: there is a runtime map */
};

/* 0 or -ENOMEM. */
int efi_capture(const char *root, struct efi *ret);
void efi_free(struct efi *efi);

/* Last byte of a region. */
uint64_t efi_region_end(const struct efi_region *region);

/* Does the firmware keep using it? The map also contains memory that belongs to the
 * operating system after boot (loader, boot services, conventional): pages in which the
 * firmware left a table (ESRT, memory attributes) and which the kernel reserved by giving
 * them the runtime attribute (efi_arch_mem_reserve() in arch/x86/platform/efi/quirks.c). */
bool efi_region_is_firmware(const struct efi_region *region);

const char *efi_type_name(uint32_t type);

#endif
