/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One boot, as far as the firmware's memory map is concerned. */
#ifndef S2DISK_HISTORY_BOOT_MEMORY_H
#define S2DISK_HISTORY_BOOT_MEMORY_H

#include "boot/boot_loader.h"
#include "platform/list.h"
#include "platform/memory/memory_map.h"
#include "platform/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_TABLES_MAX 256 /* of more, all are unknown */

/* An ACPI table that Linux goes on using in place (acpi_use_of()), and so must not move. */
struct boot_table {
	char name[16];
	uint64_t address;
};

/* One boot, as far as memory is concerned. */
struct boot_memory {
	char machine[200];		   /* vendor, product, board */
	char firmware[200];		   /* vendor, version, date */
	char boot_files[200];		   /* the kernel's build and the size of its initramfs */
	uint64_t memory;		   /* bytes of RAM in the firmware's map */
	struct memory_map map;		   /* the TPM event log's own region counts as RAM */
	LIST_OF(struct boot_table) tables; /* sorted; not known: the addresses are not */
	/* The region of the TPM event log if it has one of its own (no table lies in it); bytes,
	 * end inclusive; both 0: none. The kernel's EFI stub allocates it, so it moves with
	 * the boot files (efi_retrieve_eventlog(), drivers/firmware/efi/libstub/tpm.c). */
	uint64_t log_start, log_end;
	uint64_t time;		      /* seconds since 1970 */
	char loader[BOOT_LOADER_MAX]; /* boot_loader_name(); "": not known */
};

/* Harmless on a zeroed struct, and leaves one. */
void boot_memory_free(struct boot_memory *boot);

/* From what is known of this machine: root/sys/kernel/boot_params has the size of its initramfs,
 * root/sys/firmware/efi its boot loader, kernel_log (NULL: unknown) the line "efi: …
 * TPMEventLog=0x…". time in seconds since 1970. 0 or -ENOMEM. */
int boot_memory_of(const char *root, const struct platform *platform, const char *kernel_log,
		   uint64_t time, struct boot_memory *ret);

/* Pure: the address after "TPMEventLog=" in the kernel's log; 0: there is none. */
uint64_t boot_memory_log_address(const char *kernel_log);

/* The same tables at the same addresses, in any order? What is unknown on one side does not count:
 * a kernel's log that has lost its beginning leaves the DSDT alone, which another table names. */
bool boot_tables_equal(const struct boot_table *a, size_t a_count, const struct boot_table *b,
		       size_t b_count);

#endif
