/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables: their contents (as digests) and where they lie. */
#ifndef S2DISK_PLATFORM_ACPI_H
#define S2DISK_PLATFORM_ACPI_H

#include "base/crypto.h"
#include "platform/list.h"

#include <stdbool.h>
#include <stdint.h>

#define ACPI_TABLES_MAX 1024

struct acpi_table {
	char name[16];	  /* as in /sys/firmware/acpi/tables: DSDT, SSDT2, … */
	uint64_t address; /* physical; 0 unknown */
	uint64_t length;
	unsigned char sha256[SHA256_SIZE];
};

struct acpi_facs {
	uint32_t present;
	uint32_t hardware_signature; /* the firmware changes it when hardware changed */
};

struct acpi {
	LIST_OF(struct acpi_table) tables; /* sorted by name; known only to root */
	struct acpi_facs facs;
};

/* kernel_log: the text of the kernel's messages, for the addresses; NULL when
 * there is none. 0 or -ENOMEM. */
int acpi_capture(const char *root, const char *kernel_log, struct acpi *ret);
void acpi_free(struct acpi *acpi);

/* Pure: addresses from lines like "ACPI: DSDT 0x000000001FFE0040 001B45 (v01 …". */
void acpi_apply_log(struct acpi *acpi, const char *kernel_log);

/* Does the kernel use the table only while it boots, or only to show it? Such
 * a table may differ. */
bool acpi_is_informational(const char *name);

#endif
