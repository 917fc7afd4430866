/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/acpi.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/tree.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TABLES_PATH "/sys/firmware/acpi/tables"
#define TABLE_LIMIT (16u << 20)
#define HEADER_SIZE 36

void acpi_free(struct acpi *acpi)
{
	list_free(&acpi->tables);
}

bool acpi_is_informational(const char *name)
{
	/* Boot logo, boot times, the record of a crashed boot, licence keys,
	 * programs for another system, logs of measured boot. */
	static const char *const names[] = { "BGRT", "FPDT", "BERT", "MSDM", "SLIC",
					     "WPBT", "TPM2", "TCPA", "BOOT", "LUFT" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_starts(name, names[i]))
			return true;
	return false;
}

/* The FACS holds what the firmware and the kernel tell each other, so only one
 * of its fields says something about the machine. */
static void take_facs(struct acpi *acpi, const char *data, size_t length)
{
	if (length < 12 || memcmp(data, "FACS", 4) != 0)
		return;
	acpi->facs.present = 1;
	acpi->facs.hardware_signature = get_le32(data + 8);
}

/* A table says itself where the DSDT and the FACS are; the rest is in the log. */
static void take_dsdt_address(const char *fadt, size_t length, uint64_t *dsdt)
{
	if (length >= 148 && get_le64(fadt + 140) != 0)
		*dsdt = get_le64(fadt + 140);
	else if (length >= 44)
		*dsdt = get_le32(fadt + 40);
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
		return r == -ENOMEM ? r : 0; /* a directory, or not for us to read */
	if (strcmp(name, "FACS") == 0) {
		take_facs(acpi, data, length);
		return 0;
	}
	if (length < HEADER_SIZE || acpi->tables.count == ACPI_TABLES_MAX ||
	    !text_copy(table.name, sizeof(table.name), name))
		return 0;
	if (text_starts(name, "FACP"))
		take_dsdt_address(data, length, dsdt);
	tree_one_line(table.name);
	table.length = length;
	r = crypto_sha256(data, length, table.sha256);
	return r < 0 ? r : list_append(&acpi->tables, table);
}

static struct acpi_table *find_table(struct acpi *acpi, const char *name)
{
	for (size_t i = 0; i < acpi->tables.count; i++)
		if (strcmp(acpi->tables.items[i].name, name) == 0)
			return &acpi->tables.items[i];
	return NULL;
}

/* sysfs numbers tables of one signature in the order in which they were found,
 * which is that of the log; a signature that is there once has no number. */
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

int acpi_capture(const char *root, const char *kernel_log, struct acpi *ret)
{
	_cleanup_names_ struct tree_names names = { 0 };
	struct acpi acpi = { 0 };
	struct acpi_table *table;
	uint64_t dsdt = 0;
	int r = tree_list(root, TABLES_PATH, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = capture_table(root, names.items[i], &acpi, &dsdt);
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
