/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/boot_memory.h"

#include "base/text.h"
#include "platform/memory/memory_map.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/machine/recorded_boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Machines with the TPM event log in a region of its own: two boots with the same boot files (or
 * two that differ in nothing but the log) have one map, and the log two places. */
static const struct {
	const char *machine;
	uint64_t first, second; /* pages from which on the log lies */
} logs[] = {
	{ "acer-a315-59", 0x36ecc, 0x36ecd },
	{ "ami-desktop", 0x65a6f, 0x682ac },
	{ "derived-h370m", 0x68819, 0x67cfd },
	{ "derived-huawei-bom", 0xb5b36, 0xb5b30 },
};

START_TEST(test_log_apart)
{
	char name[64];
	struct boot_memory a, b;

	snprintf(name, sizeof(name), "%s-1", logs[_i].machine);
	recorded_boot(name, 1, &a);
	snprintf(name, sizeof(name), "%s-2", logs[_i].machine);
	recorded_boot(name, 2, &b);
	ck_assert_uint_eq(a.log_start / PAGE, logs[_i].first);
	ck_assert_uint_eq(b.log_start / PAGE, logs[_i].second);
	ck_assert_uint_ne(a.log_end, 0);
	ck_assert(memory_map_equal(&a.map, &b.map));
	ck_assert(
		boot_tables_equal(a.tables.items, a.tables.count, b.tables.items, b.tables.count));
	ck_assert_uint_eq(a.memory, b.memory);
	ck_assert_uint_eq(memory_map_type_at(&a.map, a.log_start), MEMORY_RAM);
	boot_memory_free(&a);
	boot_memory_free(&b);
}
END_TEST

/* Its log lies among the tables: nothing of its own. */
START_TEST(test_log_among_tables)
{
	struct boot_memory boot;

	recorded_boot("asus-b650e-1", 1, &boot);
	ck_assert_uint_eq(boot.log_end, 0);
	ck_assert_uint_gt(boot.tables.count, 0);
	ck_assert(boot.tables.known);
	boot_memory_free(&boot);
}
END_TEST

static const char small_map[] = "0x0 0x9ffff System RAM\n"
				"0x100000 0x1ffffff System RAM\n"
				"0x2000000 0x2003fff ACPI Tables\n"
				"0x2004000 0x3ffffff System RAM\n";

static void boot_with(const char *kernel_log, struct boot_memory *ret)
{
	struct platform platform = { 0 };

	ck_assert_int_eq(memory_map_parse(small_map, &platform.map), 0);
	ck_assert_int_eq(boot_memory_of("/nonexistent", &platform, kernel_log, 7, ret), 0);
	ck_assert_uint_eq(ret->time, 7);
	platform_free(&platform);
}

#define TABLE_AT(address) "ACPI: DSDT " address " 001000 (v01 X)\n"

/* What makes a region the log's: the address in its first page, the type, and that no table is
 * there; that it is unknown where tables are does not do. */
START_TEST(test_log_signs)
{
	static const struct {
		const char *log;
		bool own;
	} cases[] = {
		{ "efi: ACPI=0x1 TPMEventLog=0x2000018 \n" TABLE_AT("0x0000000003000000"), true },
		{ "efi: TPMEventLog=0x2000018\n", false },
		{ "efi: TPMEventLog=0x2001018\n" TABLE_AT("0x0000000003000000"), false },
		{ "efi: TPMEventLog=0x3000018\n" TABLE_AT("0x0000000003800000"), false },
		{ "efi: TPMEventLog=0x2000018\n" TABLE_AT("0x0000000002003fff"), false },
		{ "efi: TPMEventLog=0x2000018\n" TABLE_AT("0x0000000001fff001"), false },
		{ "efi: TPMEventLog=0x2000018\n" TABLE_AT("0x0000000001fff000"), true },
		{ "efi: TPMEventLog=0x2000018\n" TABLE_AT("0x0000000002004000"), true },
		{ "efi: TPMEventLog=0x5000018\n" TABLE_AT("0x0000000003000000"), false },
		{ "efi: TPMEventLog=0xg\n" TABLE_AT("0x0000000003000000"), false },
		{ TABLE_AT("0x0000000003000000"), false },
		{ NULL, false },
	};
	struct boot_memory boot;

	boot_with(cases[_i].log, &boot);
	ck_assert_uint_eq(boot.log_end, cases[_i].own ? 0x2003fff : 0);
	ck_assert_uint_eq(boot.map.entries.count, cases[_i].own ? 2 : 4);
	ck_assert_uint_eq(boot.map.table_count, boot.map.entries.count);
	boot_memory_free(&boot);
}
END_TEST

START_TEST(test_names)
{
	struct platform platform = {
		.dmi = { .vendor = "LENOVO", .product = "20QD", .firmware_version = "1.49" },
		.kernel = { .release = "6.12.5-amd64",
			    .build = "Linux version 6.12.5-amd64 (b@c) (gcc) #1 SMP 2025" },
	};
	struct acpi_table tables[] = { { .name = "DSDT", .address = 0x1000 },
				       { .name = "SSDT2", .address = 0x3000 },
				       { .name = "SSDT1", .address = 0 },
				       { .name = "FPDT", .address = 0x9000 } };
	unsigned char params[4096] = { 0 };
	struct boot_memory boot;

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(list_append(&platform.acpi.tables, tables[i]), 0);
	params[0x21c] = 0x10;
	params[0xc4] = 1;
	made_put_bytes("/sys/kernel/boot_params/data", params, sizeof(params));
	ck_assert_int_eq(boot_memory_of(made_root, &platform, NULL, 1, &boot), 0);
	ck_assert_str_eq(boot.machine, "LENOVO 20QD");
	ck_assert_str_eq(boot.firmware, "1.49");
	ck_assert_str_eq(boot.boot_files, "initramfs of 4294967312 bytes 6.12.5-amd64 #1 SMP 2025");
	/* Those that are used in place, and of which the address is known. */
	ck_assert_uint_eq(boot.tables.count, 2);
	ck_assert_str_eq(boot.tables.items[0].name, "DSDT");
	ck_assert_str_eq(boot.tables.items[1].name, "SSDT2");
	boot_memory_free(&boot);
	platform_free(&platform);
}
END_TEST

/* Of more tables than are kept, none: some would make another set. */
START_TEST(test_many_tables)
{
	struct platform platform = { 0 };
	struct boot_memory boot;

	for (unsigned int i = 0; i <= BOOT_TABLES_MAX; i++) {
		struct acpi_table table = { .name = "SSDT1", .address = 0x1000 + i };

		ck_assert_int_eq(list_append(&platform.acpi.tables, table), 0);
	}
	ck_assert_int_eq(boot_memory_of(made_root, &platform, NULL, 1, &boot), 0);
	ck_assert_uint_eq(boot.tables.count, 0);
	ck_assert(!boot.tables.known);
	boot_memory_free(&boot);
	platform.acpi.tables.count--;
	ck_assert_int_eq(boot_memory_of(made_root, &platform, NULL, 1, &boot), 0);
	ck_assert_uint_eq(boot.tables.count, BOOT_TABLES_MAX);
	boot_memory_free(&boot);
	platform_free(&platform);
}
END_TEST

/* A name that is cut within a character is the same when it is read again. */
START_TEST(test_cut_name)
{
	struct platform platform = { 0 };
	struct boot_memory boot;
	char again[sizeof(boot.machine)];

	memset(platform.dmi.vendor, 'x', 94);
	memset(platform.dmi.product, 'x', 94);
	snprintf(platform.dmi.board, sizeof(platform.dmi.board), "xxxxxxxx\303\244");
	ck_assert_int_eq(boot_memory_of(made_root, &platform, NULL, 1, &boot), 0);
	ck_assert_uint_eq(strlen(boot.machine), sizeof(boot.machine) - 1);
	memcpy(again, boot.machine, sizeof(again));
	text_make_printable(again);
	ck_assert_str_eq(again, boot.machine);
	ck_assert_int_eq(again[sizeof(again) - 2], '?');
	boot_memory_free(&boot);
}
END_TEST

START_TEST(test_tables_equal)
{
	static const struct boot_table a[] = { { "DSDT", 1 }, { "SSDT1", 2 }, { "SSDT2", 3 } };
	static const struct boot_table b[] = { { "SSDT1", 3 }, { "DSDT", 1 }, { "SSDT2", 2 } };
	static const struct boot_table moved[] = { { "DSDT", 1 }, { "SSDT1", 2 }, { "SSDT2", 4 } };
	static const struct boot_table twice[] = { { "DSDT", 1 }, { "SSDT1", 2 }, { "SSDT2", 2 } };

	ck_assert(boot_tables_equal(a, 3, b, 3));
	ck_assert(!boot_tables_equal(a, 3, moved, 3));
	ck_assert(boot_tables_equal(a, 3, b, 2));
	ck_assert(boot_tables_equal(b, 2, a, 3));
	ck_assert(!boot_tables_equal(moved + 1, 2, a, 3));
	ck_assert(!boot_tables_equal(twice, 3, a, 3));
	ck_assert(!boot_tables_equal(a, 3, twice, 3));
	ck_assert(boot_tables_equal(a, 3, NULL, 0));
	ck_assert(boot_tables_equal(NULL, 0, a, 3));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tests = test_case(suite, "boot_memory");

	tcase_add_checked_fixture(tests, made_root_create, made_root_remove);
	tcase_add_loop_test(tests, test_log_apart, 0, sizeof(logs) / sizeof(logs[0]));
	tcase_add_test(tests, test_log_among_tables);
	tcase_add_loop_test(tests, test_log_signs, 0, 12);
	tcase_add_test(tests, test_names);
	tcase_add_test(tests, test_many_tables);
	tcase_add_test(tests, test_cut_name);
	tcase_add_test(tests, test_tables_equal);
}
