/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables: digests of their content, and their addresses. */
#ifndef S2DISK_PLATFORM_ACPI_H
#define S2DISK_PLATFORM_ACPI_H

#include "crypto/crypto.h"
#include "platform/list.h"
#include "platform/memory/ram.h"

#include <stdbool.h>
#include <stdint.h>

#define ACPI_TABLES_MAX 1024

struct acpi_table {
	char name[16];	  /* as in /sys/firmware/acpi/tables: DSDT, SSDT2, … */
	uint64_t address; /* physical; 0 unknown */
	uint64_t length;
	unsigned char sha256[SHA256_SIZE];
	/* TPM2: of the part that is used after boot, everything but the log's address and
	 * length and the table's checksum. Zeros: the whole table is, or an older s2disk
	 * wrote it. */
	unsigned char used_sha256[SHA256_SIZE];
};

struct acpi_facs {
	uint32_t present;
	uint32_t hardware_signature; /* the firmware changes it when hardware has changed */
};

struct acpi {
	LIST_OF(struct acpi_table) tables; /* sorted by name; only root can read them */
	struct acpi_facs facs;
	LIST_OF(struct byte_range) tpm; /* registers and buffers; by address */
};

/* No TPM has more. */
#define ACPI_TPM_MAX 64

/* kernel_log: the text of the kernel's messages, for the addresses; NULL if there is
 * none. 0 or -ENOMEM. */
int acpi_capture(const char *root, const char *kernel_log, struct acpi *ret);
void acpi_free(struct acpi *acpi);

/* Pure: addresses from lines like "ACPI: DSDT 0x000000001FFE0040 001B45 (v01 …". */
void acpi_apply_log(struct acpi *acpi, const char *kernel_log);

/* Pure: what /proc/iomem's text assigns to the ACPI device called name ("MSFT0101:00"),
 * including its driver's parts. 0 or -ENOMEM. */
int acpi_add_areas(struct acpi *acpi, const char *iomem, const char *name);

/* How a table is used after Linux has booted; the reasons are in doc/platform-verdict.md. */
enum acpi_use {
	ACPI_FORGOTTEN, /* at most read at boot, or shown to user space */
	ACPI_TAKEN,	/* its content is used; the table itself is not read again */
	ACPI_IN_PLACE,	/* read again, or interpreted, in place */
};

/* name as in struct acpi_table. */
enum acpi_use acpi_use_of(const char *name);

#endif
