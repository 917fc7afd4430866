/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines that were recorded, and machines made up after what was seen of others. */
#include "drift_lives.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "platform/memory/memory_map.h"
#include "fixtures/made_data.h"
#include "fixtures/machine/recorded_boot.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES_MAX 64
#define CUTS_MAX 3

/* Page frames. */
#define LOW_FIRST 0x100u
#define LOW_END 0x77000u
#define HIGH_FIRST 0x100000u
#define HIGH_END 0x280000u

/* Where its tables lie, bytes. */
#define TABLES 0x77400000

static bool exists(const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[300];

	snprintf(path, sizeof(path), "/memory-maps/%s.map", name);
	return io_read_file(test_data(), path, 1 << 20, &text, NULL) == 0;
}

/* "BIOS F.12" of "# HP Desktop M01-F1xxx, BIOS F.12, 32 GiB", as far as a comment has it. */
static void note_firmware(const char *name, struct platform *platform)
{
	static const char *const words[] = { "BIOS ", "coreboot ", "SeaBIOS " };
	_cleanup_free_ char *text = NULL;
	char path[300];

	snprintf(path, sizeof(path), "/memory-maps/%s.map", name);
	ck_assert_int_eq(io_read_file(test_data(), path, 1 << 20, &text, NULL), 0);
	text[strcspn(text, "0")] = '\0'; /* its own lines follow */
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		const char *at = strstr(text, words[i]);

		if (at)
			snprintf(platform->dmi.firmware_version,
				 sizeof(platform->dmi.firmware_version), "%.*s",
				 (int)strcspn(at, ",:;(\n"), at);
	}
}

/* Where the log has no tables, one stands for them at the place of the root pointer; where it has
 * not even that, the one of the machine's first boot. */
static void add_table(const struct drift_machine *machine, const char *log,
		      struct platform *platform)
{
	struct acpi_table table = { .name = "DSDT", .length = 36 };
	const char *at = strstr(log, "ACPI: RSDP ");

	if (platform->acpi.tables.known)
		return;
	if (at)
		table.address = strtoull(at + strlen("ACPI: RSDP "), NULL, 16);
	else if (machine->boots.count > 0 && machine->boots.items[0].platform.acpi.tables.known)
		table = machine->boots.items[0].platform.acpi.tables.items[0];
	else
		return;
	ck_assert_int_eq(list_append(&platform->acpi.tables, table), 0);
	platform->acpi.tables.known = true;
}

/* Boots with the same boot files have the same number. */
static unsigned int number_files(struct drift_machine *machine)
{
	struct drift_boot *boots = machine->boots.items;
	size_t last = machine->boots.count - 1;

	for (size_t i = 0; i < last; i++)
		if (strcmp(boots[i].memory.boot_files, boots[last].memory.boot_files) == 0)
			return boots[i].files;
	return machine->files++;
}

static void make_recorded(const struct drift_class *class, uint64_t seed,
			  struct drift_machine *machine)
{
	char file[120], name[100];
	bool log = false;

	(void)seed;
	for (unsigned int number = 1;; number++) {
		struct platform platform;
		char *text;

		snprintf(name, sizeof(name), "%s-%u", class->name, number);
		snprintf(file, sizeof(file), "%s%s", class->number ? "machines/" : "", name);
		if (!exists(file))
			break;
		recorded_platform(name, &platform, &text);
		note_firmware(file, &platform);
		add_table(machine, text, &platform);
		drift_add_boot(machine, &platform, text, 0);
		log = log || machine->boots.items[number - 1].memory.log_end > 0;
		machine->boots.items[number - 1].files = number_files(machine);
	}
	ck_assert_uint_ge(machine->boots.count, 2);
	for (size_t i = 0; !log && i < machine->boots.count; i++)
		machine->boots.items[i].files = 0;
	machine->files = log ? machine->files : 1;
}

struct cut {
	uint64_t first, count; /* page frames */
	const char *type;
};

/* RAM but for the cuts, which are sorted. */
static void print_ram(FILE *text, uint64_t first, uint64_t end, const struct cut *cuts,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned long long start = cuts[i].first * PAGE;

		if (cuts[i].first < first || cuts[i].first >= end)
			continue;
		if (cuts[i].first > first)
			fprintf(text, "0x%llx 0x%llx System RAM\n",
				(unsigned long long)first * PAGE, start - 1);
		first = cuts[i].first + cuts[i].count;
		fprintf(text, "0x%llx 0x%llx %s\n", start, (unsigned long long)first * PAGE - 1,
			cuts[i].type);
	}
	fprintf(text, "0x%llx 0x%llx System RAM\n", (unsigned long long)first * PAGE,
		(unsigned long long)end * PAGE - 1);
}

/* A machine of 2 GiB, or 8. log: the first frame of the TPM event log, 0: none. */
static void add_made(struct drift_machine *machine, bool large, const struct cut *cuts,
		     size_t count, uint64_t log, unsigned int files)
{
	struct acpi_table table = { .name = "DSDT", .address = TABLES, .length = 0x10000 };
	struct platform platform = { .dmi.product = "made-up", .kernel.release = "6.12" };
	char *map = NULL, *lines = NULL;
	size_t length;
	FILE *text = open_memstream(&map, &length);

	ck_assert_ptr_nonnull(text);
	fprintf(text, "0x0 0x9ffff System RAM\n");
	print_ram(text, LOW_FIRST, LOW_END, cuts, count);
	fprintf(text, "0x77000000 0x773fffff ACPI Non-volatile Storage\n"
		      "0x77400000 0x777fffff ACPI Tables\n0x77800000 0x7fffffff Reserved\n");
	if (large)
		print_ram(text, HIGH_FIRST, HIGH_END, cuts, count);
	ck_assert_int_eq(fclose(text), 0);
	ck_assert_int_eq(memory_map_parse(map, &platform.map), 0);
	free(map);
	ck_assert_int_eq(list_append(&platform.acpi.tables, table), 0);
	platform.acpi.tables.known = true;
	snprintf(platform.kernel.build, sizeof(platform.kernel.build), "#%u", files);
	ck_assert_int_ge(asprintf(&lines, "ACPI: DSDT 0x%016X 010000 (v01)\n", TABLES), 0);
	if (log) {
		free(lines);
		ck_assert_int_ge(asprintf(&lines,
					  "efi: ACPI=0x%x TPMEventLog=0x%llx \n"
					  "ACPI: DSDT 0x%016X 010000 (v01)\n",
					  TABLES, (unsigned long long)log * PAGE + 0x18, TABLES),
				 0);
	}
	drift_add_boot(machine, &platform, lines, files);
}

static uint64_t between(uint64_t seed, unsigned int what, uint64_t first, uint64_t end)
{
	return first + drift_draw(seed, 'm', what, 0) % (end - first);
}

/* A region among a few places. */
static void make_places(const struct drift_class *class, uint64_t seed,
			struct drift_machine *machine)
{
	struct cut cut = { .count = between(seed, 0, 1, 17), .type = "Reserved" };
	bool large = between(seed, 1, 0, 2);

	for (unsigned int i = 0; i < class->number; i++) {
		cut.first = between(seed, 2 + i, LOW_FIRST, LOW_END - cut.count);
		add_made(machine, large, &cut, 1, 0, 0);
	}
}

/* As a Framework Laptop 16: four places, 1 to 3 pages from one to the next. */
static void make_slide(const struct drift_class *class, uint64_t seed,
		       struct drift_machine *machine)
{
	struct cut cut = { between(seed, 0, LOW_FIRST, LOW_END - 32), class->number,
			   "ACPI Tables" };
	bool large = between(seed, 1, 0, 2);

	for (unsigned int i = 0; i < 4; i++) {
		add_made(machine, large, &cut, 1, 0, 0);
		cut.first += between(seed, 2 + i, 1, 4);
	}
}

/* As laptops with coreboot: a page and two more near the top of RAM are 3 or 14 pages elsewhere
 * with a charger or a dock. */
static void make_top(const struct drift_class *class, uint64_t seed, struct drift_machine *machine)
{
	uint64_t first = HIGH_END - between(seed, 0, 0x100, 0x10000);

	for (unsigned int i = 0; i < 2; i++) {
		const struct cut cuts[] = { { first, 1, "Reserved" },
					    { first + 1, 2, "ACPI Tables" } };

		add_made(machine, true, cuts, 2, 0, 0);
		first += class->number;
	}
}

/* The log is up to 6 pages elsewhere with the same boot files, and up to 40 MiB with others. */
static void make_log(const struct drift_class *class, uint64_t seed, struct drift_machine *machine)
{
	uint64_t size = between(seed, 0, 4, 17), home = between(seed, 1, 0x20000, LOW_END - 0x2a00);
	bool large = between(seed, 2, 0, 2);

	machine->fresh = true;
	for (unsigned int h = 0; h <= LIFE_HIBERNATIONS; h++) {
		uint64_t first = home + between(seed, 3 + h, 0, 0x2800);

		if (h > 0 && !drift_updates(seed, h))
			continue;
		for (unsigned int i = 0; i <= class->number; i++) {
			const struct cut cut = { first + i, size, "ACPI Tables" };

			add_made(machine, large, &cut, 1, first + i, machine->files);
		}
		machine->files++;
	}
}

static const struct drift_class made[] = {
	{ .name = "1 to 16 pages, 2 places", .make = make_places, .number = 2 },
	{ .name = "1 to 16 pages, 3 places", .make = make_places, .number = 3 },
	{ .name = "1 to 16 pages, 5 places", .make = make_places, .number = 5 },
	{ .name = "13 ACPI pages that slide", .make = make_slide, .number = 13 },
	{ .name = "top of RAM, 3 pages", .make = make_top, .number = 3 },
	{ .name = "top of RAM, 14 pages", .make = make_top, .number = 14 },
	{ .name = "TPM event log", .make = make_log, .number = 6 },
};

static void add_recorded(struct drift_class *classes, size_t *count, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct drift_class *class = &classes[(*count)++];

	ck_assert_uint_lt(*count, CLASSES_MAX);
	*class = (struct drift_class){ .make = make_recorded, .number = 1, .recorded = true };
	snprintf(class->name, sizeof(class->name), "%.*s", (int)(strlen(name) - strlen("-2.map")),
		 name);
}

const struct drift_class *drift_classes(size_t *ret_count)
{
	static struct drift_class classes[CLASSES_MAX];
	char pattern[300];
	size_t count = 0;
	glob_t found;

	classes[count++] = (struct drift_class){ .name = "forum-boot",
						 .make = make_recorded,
						 .recorded = true };
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		classes[count++] = made[i];
	snprintf(pattern, sizeof(pattern), "%s/memory-maps/machines/*-2.map", test_data());
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_recorded(classes, &count, found.gl_pathv[i]);
	globfree(&found);
	*ret_count = count;
	return classes;
}
