/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history of two maps and one place of the log, as text. */
#ifndef TESTS_MAP_HISTORY_FIXTURE_H
#define TESTS_MAP_HISTORY_FIXTURE_H

#include "history/maps/map_history_text.h"

#define HISTORY_HEAD                        \
	"s2disk history of memory maps 1\n" \
	"boot-id 0b49b817-382a-4440-a78a-a5cd6b7b5cc5\n"

#define HISTORY_SETUP                     \
	"setup\n"                         \
	" machine Acme Laptop 7 Board\n"  \
	" firmware Acme 1.2 01/02/2026\n" \
	" memory 535822336\n"

#define HISTORY_LOG                                          \
	" log\n"                                             \
	"  boot-files 6.12.9 #1 SMP initramfs of 31 bytes\n" \
	"  place 0x1f000000 0x1f007fff\n"                    \
	"  boots 3\n"                                        \
	"  last 1700000300\n"

#define HISTORY_MAP                                    \
	" map\n"                                       \
	"  boots 9\n"                                  \
	"  resumes 4\n"                                \
	"  refused 1\n"                                \
	"  first 1700000000\n"                         \
	"  last 1700000300\n"                          \
	"  regions 3\n"                                \
	"  region 0x0 0x9fbff System RAM\n"            \
	"  region 0x100000 0x1fffffff System RAM\n"    \
	"  region 0x20000000 0x200fffff ACPI Tables\n" \
	"  tables 2\n"                                 \
	"  table 0x20000040 DSDT\n"                    \
	"  table 0x20004000 SSDT2\n"

/* A region of another type, one that has no number, and one that was plugged in. */
#define HISTORY_OTHER_MAP                          \
	" map\n"                                   \
	"  boots 2\n"                              \
	"  resumes 0\n"                            \
	"  refused 0\n"                            \
	"  first 1700000100\n"                     \
	"  last 1700000200\n"                      \
	"  regions 4\n"                            \
	"  region 0x0 0x9fbff System RAM\n"        \
	"  region 0x100000 0x1ffeffff type 6\n"    \
	"  region 0x1fff0000 0x1fffffff unknown\n" \
	"  plugged 0x100000000 0x107ffffff System RAM\n"

#define HISTORY_TEXT HISTORY_HEAD HISTORY_SETUP HISTORY_LOG HISTORY_MAP HISTORY_OTHER_MAP

/* A boot with the first of these maps. */
static inline struct boot_memory history_boot(void)
{
	static struct memory_entry entries[] = {
		{ 0, 0x9fbff, MEMORY_RAM, 0 },
		{ 0x100000, 0x1fffffff, MEMORY_RAM, 0 },
		{ 0x20000000, 0x200fffff, MEMORY_ACPI, 0 },
	};
	static struct boot_table tables[] = { { "DSDT", 0x20000040 }, { "SSDT2", 0x20004000 } };

	return (struct boot_memory){
		.machine = "Acme Laptop 7 Board",
		.firmware = "Acme 1.2 01/02/2026",
		.boot_files = "6.12.9 #1 SMP initramfs of 31 bytes",
		.memory = 535822336,
		.map = { .entries = { entries, 3, true }, .table_count = 3 },
		.tables = { tables, 2, true },
		.time = 1700000400,
	};
}

#endif
