/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/boot_memory.h"

#include "base/bytes.h"
#include "base/text.h"
#include "boot/boot_files.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* EFI's pages, on every architecture. */
#define EFI_PAGE 4096

void boot_memory_free(struct boot_memory *boot)
{
	memory_map_free(&boot->map);
	list_free(&boot->tables);
}

/* Appends " WORD" for a word that is not empty. */
static void add_word(char *text, size_t size, const char *word)
{
	size_t used = strlen(text);

	if (word[0])
		snprintf(text + used, size - used, "%s%s", used ? " " : "", word);
}

static void name_machine(const struct dmi *dmi, struct boot_memory *boot)
{
	add_word(boot->machine, sizeof(boot->machine), dmi->vendor);
	add_word(boot->machine, sizeof(boot->machine), dmi->product);
	add_word(boot->machine, sizeof(boot->machine), dmi->board);
	add_word(boot->firmware, sizeof(boot->firmware), dmi->firmware_vendor);
	add_word(boot->firmware, sizeof(boot->firmware), dmi->firmware_version);
	add_word(boot->firmware, sizeof(boot->firmware), dmi->firmware_date);
}

/* The release is in the build, too: "Linux version RELEASE (…) … #1 SMP … DATE". */
static void name_boot_files(const char *root, const struct kernel *kernel, struct boot_memory *boot)
{
	const char *number = strchr(kernel->build, '#');
	char initramfs[64] = "";
	uint64_t size = boot_initramfs_size(root);

	if (size > 0)
		snprintf(initramfs, sizeof(initramfs), "initramfs of %" PRIu64 " bytes", size);
	add_word(boot->boot_files, sizeof(boot->boot_files), initramfs);
	add_word(boot->boot_files, sizeof(boot->boot_files), kernel->release);
	add_word(boot->boot_files, sizeof(boot->boot_files), number ? number : "");
}

uint64_t boot_memory_log_address(const char *kernel_log)
{
	const char *at = kernel_log ? strstr(kernel_log, "TPMEventLog=0x") : NULL;
	uint64_t address;

	return at && sscanf(at, "TPMEventLog=%" SCNx64, &address) == 1 ? address : 0;
}

/* Does a table lie in these bytes, by the kernel's log ("ACPI: DSDT 0x… 001B45 (…")? The log also
 * has those that are not in /sys/firmware/acpi/tables: RSDP, XSDT. True if it has none at all:
 * then it is unknown. */
static bool has_table(const char *kernel_log, uint64_t start, uint64_t end)
{
	static const char prefix[] = "ACPI: ";
	bool any = false;

	for (const char *at = kernel_log; (at = strstr(at, prefix)); at += strlen(prefix)) {
		uint64_t address, length;
		char name[5];

		if (sscanf(at, "ACPI: %4c 0x%" SCNx64 " %" SCNx64, name, &address, &length) != 3 ||
		    length == 0)
			continue;
		any = true;
		if (address <= end && address + (length - 1) >= start)
			return true;
	}
	return !any;
}

/* Index of the log's own region, -1 if it has none. */
static ssize_t find_log(const struct memory_map *map, const char *kernel_log)
{
	uint64_t address = boot_memory_log_address(kernel_log);
	ssize_t index = address ? memory_map_find(map, address) : -1;
	const struct memory_entry *entry;

	if (index < 0 || (size_t)index >= map->table_count)
		return -1;
	entry = &map->entries.items[index];
	if (entry->type != MEMORY_ACPI || entry->start != address - address % EFI_PAGE ||
	    has_table(kernel_log, entry->start, entry->end))
		return -1;
	return index;
}

/* Merges entry i + 1 into i if both are RAM and touch. */
static bool merge(struct memory_map *map, size_t i)
{
	struct memory_entry *items = map->entries.items;

	if (i + 1 >= map->table_count || items[i].type != MEMORY_RAM ||
	    items[i + 1].type != MEMORY_RAM || items[i].end == UINT64_MAX ||
	    items[i].end + 1 != items[i + 1].start)
		return false;
	items[i].end = items[i + 1].end;
	memmove(&items[i + 1], &items[i + 2], (map->entries.count - i - 2) * sizeof(*items));
	map->entries.count--;
	map->table_count--;
	return true;
}

/* The map as it would be without the log, which the firmware knows nothing of. */
static void take_log(struct boot_memory *boot, const char *kernel_log)
{
	ssize_t index = find_log(&boot->map, kernel_log);
	struct memory_entry *entry;

	if (index < 0)
		return;
	entry = &boot->map.entries.items[index];
	boot->log_start = entry->start;
	boot->log_end = entry->end;
	entry->type = MEMORY_RAM;
	merge(&boot->map, (size_t)index);
	if (index > 0)
		merge(&boot->map, (size_t)index - 1);
}

static int compare_tables(const void *a, const void *b)
{
	const struct boot_table *x = a, *y = b;
	int order = strverscmp(x->name, y->name);

	return order ? order : (x->address > y->address) - (x->address < y->address);
}

static int take_tables(const struct acpi *acpi, struct boot_memory *boot)
{
	for (size_t i = 0; i < acpi->tables.count; i++) {
		const struct acpi_table *from = &acpi->tables.items[i];
		struct boot_table table = { .address = from->address };

		if (from->address == 0 || acpi_use_of(from->name) != ACPI_IN_PLACE)
			continue;
		/* Some of them would make another set. */
		if (boot->tables.count == BOOT_TABLES_MAX) {
			list_free(&boot->tables);
			return 0;
		}
		text_copy(table.name, sizeof(table.name), from->name);
		if (list_append(&boot->tables, table) < 0)
			return -ENOMEM;
	}
	boot->tables.known = boot->tables.count > 0;
	if (boot->tables.known)
		qsort(boot->tables.items, boot->tables.count, sizeof(*boot->tables.items),
		      compare_tables);
	return 0;
}

static uint64_t ram_of(const struct memory_map *map)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->table_count; i++)
		if (map->entries.items[i].type == MEMORY_RAM)
			bytes += map->entries.items[i].end - map->entries.items[i].start + 1;
	return bytes;
}

int boot_memory_of(const char *root, const struct platform *platform, const char *kernel_log,
		   uint64_t time, struct boot_memory *ret)
{
	struct boot_memory boot = { .time = time };
	int r = memory_map_copy(&platform->map, &boot.map);

	if (r == 0)
		r = take_tables(&platform->acpi, &boot);
	if (r < 0) {
		boot_memory_free(&boot);
		return r;
	}
	name_machine(&platform->dmi, &boot);
	name_boot_files(root, &platform->kernel, &boot);
	boot_loader_name(root, boot.loader);
	/* One that is cut within a character would not be the same when it is read again. */
	text_make_printable(boot.machine);
	text_make_printable(boot.firmware);
	text_make_printable(boot.boot_files);
	take_log(&boot, kernel_log);
	boot.memory = ram_of(&boot.map);
	*ret = boot;
	return 0;
}

/* What a list has of a name. A table without its number (SSDT3 is SSDT) may stand in another
 * place of the firmware's list at another boot, so names count without it. */
static bool same_kind(const char *a, const char *b)
{
	return strncmp(a, b, 4) == 0;
}

static size_t count_of(const struct boot_table *tables, size_t count, const struct boot_table *of)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += tables[i].address == of->address && same_kind(tables[i].name, of->name);
	return n;
}

bool boot_tables_equal(const struct boot_table *a, size_t a_count, const struct boot_table *b,
		       size_t b_count)
{
	if (a_count > b_count)
		return boot_tables_equal(b, b_count, a, a_count);
	for (size_t i = 0; i < a_count; i++)
		if (count_of(a, a_count, &a[i]) > count_of(b, b_count, &a[i]))
			return false;
	return true;
}
