/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/firmware/acpi.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TABLES_PATH "/sys/firmware/acpi/tables"
#define DEVICES_PATH "/sys/bus/acpi/devices"
#define TABLE_LIMIT (16u << 20)
#define IOMEM_LIMIT (16u << 20)
#define HEADER_SIZE 36

void acpi_free(struct acpi *acpi)
{
	list_free(&acpi->tables);
	list_free(&acpi->tpm);
}

enum acpi_use acpi_use_of(const char *name)
{
	static const struct {
		char signature[5];
		enum acpi_use use;
	} uses[] = {
		{ "DSDT", ACPI_IN_PLACE }, { "SSDT", ACPI_IN_PLACE }, { "PSDT", ACPI_IN_PLACE },
		{ "OSDT", ACPI_IN_PLACE }, { "APIC", ACPI_IN_PLACE }, { "DMAR", ACPI_IN_PLACE },
		{ "HEST", ACPI_IN_PLACE }, { "ERST", ACPI_IN_PLACE }, { "EINJ", ACPI_IN_PLACE },
		{ "PCCT", ACPI_IN_PLACE }, { "PPTT", ACPI_IN_PLACE }, { "IORT", ACPI_IN_PLACE },
		{ "NHLT", ACPI_IN_PLACE }, { "SWFT", ACPI_IN_PLACE }, { "FACP", ACPI_TAKEN },
		{ "MCFG", ACPI_TAKEN },	   { "IVRS", ACPI_TAKEN },    { "PRMT", ACPI_TAKEN },
		{ "HPET", ACPI_TAKEN },	   { "ECDT", ACPI_TAKEN },    { "GTDT", ACPI_TAKEN },
		{ "WDAT", ACPI_TAKEN },	   { "NFIT", ACPI_TAKEN },    { "LPIT", ACPI_TAKEN },
		{ "SPMI", ACPI_TAKEN },	   { "CEDT", ACPI_TAKEN },    { "VIOT", ACPI_TAKEN },
		{ "TPM2", ACPI_TAKEN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
		if (text_starts(name, uses[i].signature))
			return uses[i].use;
	return ACPI_FORGOTTEN;
}

/* The firmware and the kernel communicate through the FACS, so only one of its fields
 * describes the machine. */
static void take_facs(struct acpi *acpi, const char *data, size_t length)
{
	if (length < 12 || memcmp(data, "FACS", 4) != 0)
		return;
	acpi->facs.present = 1;
	acpi->facs.hardware_signature = get_le32(data + 8);
}

/* A table names the DSDT and the FACS itself; the others are in the log. */
static void take_dsdt_address(const char *fadt, size_t length, uint64_t *dsdt)
{
	if (length >= 148 && get_le64(fadt + 140) != 0)
		*dsdt = get_le64(fadt + 140);
	else if (length >= 44)
		*dsdt = get_le32(fadt + 40);
}

#define TPM2_LOG 64    /* of its two lengths the one with a log, as in tpm_read_log_acpi() */
#define TPM2_LENGTH 76 /* log's least length u32, its address u64 */
#define CHECKSUM 9     /* of every table */

/* The digest without what changes with the log's place. */
static int digest_used(char *data, size_t length, struct acpi_table *table)
{
	if (!text_starts(table->name, "TPM2") || length < CHECKSUM + 1)
		return 0;
	data[CHECKSUM] = 0;
	if (length == TPM2_LENGTH)
		memset(data + TPM2_LOG, 0, TPM2_LENGTH - TPM2_LOG);
	return crypto_sha256(data, length, table->used_sha256);
}

static int capture_table(const char *root, const char *name, struct acpi *acpi, uint64_t *dsdt)
{
	struct acpi_table table = { 0 };
	_cleanup_free_ char *data = NULL;
	char path[300];
	size_t length;
	int r;

	snprintf(path, sizeof(path), TABLES_PATH "/%s", name);
	r = io_read_file(root, path, TABLE_LIMIT, &data, &length);
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* a directory, or not readable for us */
	if (strcmp(name, "FACS") == 0) {
		take_facs(acpi, data, length);
		return 0;
	}
	if (length < HEADER_SIZE || acpi->tables.count == ACPI_TABLES_MAX ||
	    !text_copy(table.name, sizeof(table.name), name))
		return 0;
	if (text_starts(name, "FACP"))
		take_dsdt_address(data, length, dsdt);
	text_make_line(table.name, ' ');
	table.length = length;
	r = crypto_sha256(data, length, table.sha256);
	if (r == 0)
		r = digest_used(data, length, &table);
	return r < 0 ? r : list_append(&acpi->tables, table);
}

static struct acpi_table *find_table(struct acpi *acpi, const char *name)
{
	for (size_t i = 0; i < acpi->tables.count; i++)
		if (strcmp(acpi->tables.items[i].name, name) == 0)
			return &acpi->tables.items[i];
	return NULL;
}

/* sysfs numbers tables of the same signature in the order in which they were found, which
 * is that of the log; a unique signature has no number. */
static struct acpi_table *table_of_log(struct acpi *acpi, const char *signature, unsigned int nth)
{
	char name[16];

	snprintf(name, sizeof(name), "%s%u", signature, nth);
	if (find_table(acpi, name))
		return find_table(acpi, name);
	return nth == 1 ? find_table(acpi, signature) : NULL;
}

static unsigned int count_seen(char seen[][5], size_t count, const char *signature)
{
	unsigned int times = 0;

	for (size_t i = 0; i < count; i++)
		times += strcmp(seen[i], signature) == 0;
	return times;
}

void acpi_apply_log(struct acpi *acpi, const char *kernel_log)
{
	char seen[ACPI_TABLES_MAX][5];
	size_t count = 0;

	for (const char *at = strstr(kernel_log, "ACPI: "); at && count < ACPI_TABLES_MAX;
	     at = strstr(at + 1, "ACPI: ")) {
		uint64_t address, length;
		char signature[5] = "";
		struct acpi_table *table;

		if (sscanf(at, "ACPI: %4c 0x%" SCNx64 " %" SCNx64 " (", signature, &address,
			   &length) != 3 ||
		    !isalnum((unsigned char)signature[3]))
			continue;
		memcpy(seen[count++], signature, sizeof(signature));
		table = table_of_log(acpi, signature, count_seen(seen, count, signature));
		if (table && table->length == length)
			table->address = address;
	}
}

static int compare_tables(const void *a, const void *b)
{
	return strverscmp(((const struct acpi_table *)a)->name,
			  ((const struct acpi_table *)b)->name);
}

/* "  fed40000-fed4087f : MSFT0101:00"; a driver extends the name. */
static bool parse_area(const char *line, const char *name, struct byte_range *range)
{
	int used = 0;

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &range->start, &range->end, &used) != 2 ||
	    used == 0 || range->start > range->end || range->end == 0 ||
	    !text_starts(line + used, name))
		return false;
	line += (size_t)used + strlen(name);
	return *line == '\0' || isspace((unsigned char)*line);
}

int acpi_add_areas(struct acpi *acpi, const char *iomem, const char *name)
{
	int r = 0;

	for (const char *line = iomem; r == 0 && line && acpi->tpm.count < ACPI_TPM_MAX;
	     line = strchr(line, '\n')) {
		struct byte_range range;

		line += *line == '\n';
		if (parse_area(line, name, &range))
			r = list_append(&acpi->tpm, range);
	}
	return r;
}

/* The TPM is named after its maker; its compatible names identify it as a TPM. */
static bool is_tpm(const char *root, const char *name)
{
	char alias[256];

	return tree_text(root, alias, sizeof(alias), DEVICES_PATH "/%s/modalias", name) &&
	       strstr(alias, ":MSFT0101:");
}

static int capture_tpm(const char *root, struct acpi *acpi)
{
	_cleanup_names_ struct tree_names names = { 0 };
	_cleanup_free_ char *iomem = NULL;
	bool found = false;
	int r = tree_list(root, DEVICES_PATH, &names);

	if (r == 0)
		r = io_read_file(root, "/proc/iomem", IOMEM_LIMIT, &iomem, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (!is_tpm(root, names.items[i]))
			continue;
		found = true;
		r = acpi_add_areas(acpi, iomem, names.items[i]);
	}
	/* Without privileges addresses are hidden. */
	acpi->tpm.known = r == 0 && (!found || acpi->tpm.count > 0);
	return r;
}

static int capture_all(const char *root, struct acpi *acpi, uint64_t *dsdt)
{
	_cleanup_names_ struct tree_names names = { 0 };
	int r = tree_list(root, TABLES_PATH, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = capture_table(root, names.items[i], acpi, dsdt);
	return r < 0 ? r : capture_tpm(root, acpi);
}

int acpi_capture(const char *root, const char *kernel_log, struct acpi *ret)
{
	struct acpi acpi = { 0 };
	struct acpi_table *table;
	uint64_t dsdt = 0;
	int r = capture_all(root, &acpi, &dsdt);

	if (r < 0) {
		acpi_free(&acpi);
		return r;
	}
	if (acpi.tables.count > 0)
		qsort(acpi.tables.items, acpi.tables.count, sizeof(*acpi.tables.items),
		      compare_tables);
	acpi.tables.known = acpi.tables.count > 0;
	if (kernel_log)
		acpi_apply_log(&acpi, kernel_log);
	table = find_table(&acpi, "DSDT");
	if (table && table->address == 0)
		table->address = dsdt;
	*ret = acpi;
	return 0;
}
