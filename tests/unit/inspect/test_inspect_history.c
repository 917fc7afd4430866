/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s2disk-inspect --history: the maps of a made-up machine, where they differ, which frames drift,
 * and who offlined them. */
#include "base/bytes.h"
#include "fixtures/capture.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "history/maps/map_history_file.h"
#include "tools/inspect/history.h"

#include "crypto/crypto.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows the length in a table's header. */
#define ZEROS_28 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define FRAMES 0x2000u
#define POISONED (1ull << KPF_HWPOISON)

#define TITLE "s2disk history of memory maps 1\nboot-id b\n"
#define SETUP(firmware) "setup\n machine Acme Laptop\n firmware " firmware "\n memory 33161216\n"
#define LOG                                                                          \
	" log\n  boot-files 6.12.9 #1 SMP\n  place 0x1e00000 0x1e03fff\n  boots 4\n" \
	"  last 1700000600\n"
#define COUNTS(boots, resumes, refused, last)                                \
	" map\n  boots " boots "\n  resumes " resumes "\n  refused " refused \
	"\n  first 1700000000\n  last " last "\n"
#define LOW "  region 0x0 0x9ffff System RAM\n"
#define THIS                                                                       \
	COUNTS("9", "4", "1", "1700000600")                                        \
	"  regions 2\n" LOW "  region 0x100000 0x1ffffff System RAM\n  tables 1\n" \
	"  table 0x90000 DSDT\n"
#define MOVED                                                          \
	COUNTS("2", "0", "1", "1700000300")                            \
	"  regions 4\n" LOW "  region 0x100000 0x1efffff System RAM\n" \
	"  region 0x1f00000 0x1f0ffff ACPI Non-volatile Storage\n"     \
	"  region 0x1f10000 0x1ffffff System RAM\n  tables 1\n  table 0x90000 DSDT\n"
#define HOPELESS                                                                   \
	COUNTS("1", "0", "1", "1700000100")                                        \
	"  regions 2\n" LOW "  region 0x100000 0x17fffff System RAM\n  tables 1\n" \
	"  table 0x80000 DSDT\n"

#define RECORDED_DSDT "log ACPI: DSDT 0x0000000000090000 000024 (v02 A B 1 I 1)\n"

static char said[1 << 16];

static void put_region(int number, const char *start, const char *end)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/start", number);
	snprintf(text, sizeof(text), "%s\n", start);
	made_put(path, text);
	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/end", number);
	snprintf(text, sizeof(text), "%s\n", end);
	made_put(path, text);
	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/type", number);
	made_put(path, "System RAM\n");
}

/* Frames 0x1f00 to 0x1f03 by s2disk, 0x1f04 and 0x1000 by others. */
static void put_flags(void)
{
	uint64_t *flags = calloc(FRAMES, sizeof(*flags));

	ck_assert_ptr_nonnull(flags);
	for (size_t i = 0x1f00; i < 0x1f05; i++)
		flags[i] = htole64(POISONED);
	flags[0x1000] = htole64(POISONED);
	made_put_bytes("/proc/kpageflags", flags, FRAMES * sizeof(*flags));
	free(flags);
}

static void setup(void)
{
	made_root_create();
	ck_assert_int_eq(crypto_init(NULL), 0);
	put_region(0, "0x0", "0x9ffff");
	put_region(1, "0x100000", "0x1ffffff");
	made_put("/sys/class/dmi/id/sys_vendor", "Acme\n");
	made_put("/sys/class/dmi/id/product_name", "Laptop\n");
	made_put("/sys/class/dmi/id/bios_vendor", "Acme\n");
	made_put("/sys/class/dmi/id/bios_version", "1.2\n");
	made_put("/proc/sys/kernel/osrelease", "6.12.9\n");
	made_put("/proc/version", "Linux version 6.12.9 (a@b) #1 SMP\n");
	made_put_bytes("/sys/firmware/acpi/tables/DSDT", "DSDT\x24\0\0\0" ZEROS_28, 36);
	made_put("/run/s2disk/boot", "s2disk boot record 1\n" RECORDED_DSDT);
	made_put("/proc/iomem", "00000000-0009ffff : System RAM\n00100000-01ffffff : System RAM\n");
	made_put("/proc/meminfo", "HardwareCorrupted:    24 kB\n");
	made_put("/sys/devices/system/node/node0/memory_failure/ignored", "0\n");
	made_put("/sys/devices/system/node/node0/memory_failure/failed", "0\n");
	made_put("/sys/devices/system/node/node0/memory_failure/delayed", "0\n");
	made_put("/run/s2disk/offlined", "7936\n7937\n7938\n7939\n");
	put_flags();
}

static void print(bool json)
{
	struct history_view view;
	struct why w = { 0 };

	ck_assert_msg(history_view_open(made_root, &view, &w) == 0, "%s", w.text);
	capture_begin();
	ck_assert_int_eq(json ? history_print_json(&view, stdout) : history_print(&view, stdout),
			 0);
	fflush(stdout);
	capture_end(said, sizeof(said));
	history_view_close(&view);
}

#define WHOLE TITLE SETUP("Acme 1.2") LOG THIS MOVED HOPELESS SETUP("Acme 1.1") MOVED

START_TEST(for_people)
{
	static const char *const lines[] = {
		"machine   Acme Laptop\nfirmware  Acme 1.2\nmemory    32 MiB\n\n",
		"\n12 boots, 3 memory maps:\n",
		"\n*   1          9          4          1  2023-11-14T22:13:20Z  "
		"2023-11-14T22:23:20Z\n",
		"\n    2          2          0          1  2023-11-14T22:13:20Z  "
		"2023-11-14T22:18:20Z\n",
		"\n    3          1          0          1  2023-11-14T22:13:20Z  "
		"2023-11-14T22:15:00Z  ACPI tables elsewhere\n",
		"* is the map of this boot.\n",
		"\nWhere map 2 differs:\n",
		"\n  0x000001f00000 0x000001f0ffff    64 KiB  System RAM                 "
		"ACPI Non-volatile Storage\n\n",
		"\n  0x000001800000 0x000001ffffff   8.0 MiB  System RAM                 "
		"nothing\n\n",
		"\nThe TPM event log, with 6.12.9 #1 SMP:\n"
		"  0x000001e00000 0x000001e03fff  at 4 boots, last 2023-11-14T22:23:20Z\n",
		"\n  0x000001e00        4  4 of 12       2023-11-14T22:23:20Z         0         0  "
		"TPM event log\n"
		"  0x000001f00       16  2 of 12       2023-11-14T22:18:20Z         4         1  "
		"ACPI Non-volatile Storage\n\n",
		"\nOfflined page frames: 4 by s2disk, 2 by others.\n",
		"\nOther setups that are remembered:\n"
		"  Acme Laptop, firmware Acme 1.1, 32 MiB: 2 boots, 1 map\n",
	};

	made_put(MAP_HISTORY_PATH, WHOLE);
	print(false);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		check_printed(said, lines[i]);
	check_not_printed(said, "Where map 1 differs");
	check_not_printed(said, "damaged");
}
END_TEST

/* Kernels that are booted in turn: each with its places. */
START_TEST(logs_of_two_kernels)
{
	made_put(MAP_HISTORY_PATH,
		 TITLE SETUP("Acme 1.2") " log\n  boot-files 6.13.1 #1\n"
					 "  place 0x1d00000 0x1d03fff\n"
					 " log\n  boot-files 6.13.1 #1\n"
					 "  place 0x1d01000 0x1d04fff\n" LOG THIS);
	print(false);
	check_printed(said, "\nThe TPM event log, with 6.13.1 #1:\n"
			    "  0x000001d00000 0x000001d03fff  at 1 boot, last ");
	check_printed(said, "\n  0x000001d01000 0x000001d04fff  at 1 boot, last ");
	check_printed(said, "\nThe TPM event log, with 6.12.9 #1 SMP:\n"
			    "  0x000001e00000 0x000001e03fff  at 4 boots, last ");
}
END_TEST

/* Of the first map; a map whose boots had several; the third's is unknown. */
START_TEST(boot_loaders)
{
	made_put(MAP_HISTORY_PATH,
		 TITLE SETUP("Acme 1.2") THIS "  loader GRUB 2.12\n" MOVED "  loader *\n" HOPELESS);
	print(false);
	check_printed(said, "\nBoot loaders:\n  map 1  GRUB 2.12\n  map 2  several\n\n");
	check_not_printed(said, "damaged");
	print(true);
	check_printed(said, "\"loader\": \"GRUB 2.12\",\n      \"this_boot\": true");
	check_printed(said, "\"loader\": \"*\",\n      \"this_boot\": false");
	made_put(MAP_HISTORY_PATH, WHOLE);
	print(false);
	check_not_printed(said, "oader");
	print(true);
	check_not_printed(said, "\"loader\"");
}
END_TEST

START_TEST(for_programs)
{
	static const char *const lines[] = {
		"\"machine\": \"Acme Laptop\"",
		"\"memory\": 33161216",
		"\"page_size\": 4096",
		"\"boots\": 12,",
		"\"boots\": 9,\n      \"resumes\": 4,\n      \"refused\": 1,\n"
		"      \"first\": \"2023-11-14T22:13:20Z\",\n"
		"      \"last\": \"2023-11-14T22:23:20Z\",\n"
		"      \"this_boot\": true,\n      \"tables_moved\": false,",
		"\"this_boot\": false,\n      \"tables_moved\": true,",
		"\"start\": \"0x1f00000\",\n          \"end\": \"0x1f0ffff\",\n"
		"          \"type\": \"ACPI Non-volatile Storage\",\n          \"number\": 4,\n"
		"          \"hot_plugged\": false",
		"\"name\": \"DSDT\",\n          \"address\": \"0x90000\"",
		"\"boot_files\": \"6.12.9 #1 SMP\",\n      \"boots\": 4,",
		"\"first_pfn\": 7936,\n      \"pages\": 16,\n      \"boots\": 2,\n"
		"      \"last\": \"2023-11-14T22:18:20Z\",\n      \"cause\": \"memory-map\",\n"
		"      \"taken_by\": \"ACPI Non-volatile Storage\",\n"
		"      \"offlined_by_s2disk\": 4,\n      \"offlined_by_others\": 1\n",
		"\"cause\": \"tpm-event-log\",\n      \"offlined_by_s2disk\": 0,",
		"\n  \"offlined_by_s2disk\": 4,\n  \"offlined_by_others\": 2,\n",
		"\"firmware\": \"Acme 1.1\"",
	};

	made_put(MAP_HISTORY_PATH, WHOLE);
	print(true);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		check_printed(said, lines[i]);
	check_not_printed(said, "\"damaged\"");
}
END_TEST

/* No boot was counted; or this one was not, and its log is all that is known. */
START_TEST(little_is_known)
{
	print(false);
	check_printed(said, "\nNo boot of this machine was counted yet.\n");
	check_not_printed(said, "drift");
	print(true);
	check_printed(said, "\"boots\": 0,\n  \"maps\": [],\n  \"tpm_event_logs\": [],\n"
			    "  \"drift\": [],\n");
	made_put(MAP_HISTORY_PATH, TITLE SETUP("Acme 1.2") HOPELESS "rubbish\n");
	print(false);
	check_printed(said, "damaged   " MAP_HISTORY_PATH " is damaged: 1 line was skipped\n");
	check_printed(said, "\n1 boot, 1 memory map:\n");
	check_printed(said, "The map of this boot is none of them.\n");
	check_printed(said, "\nNothing drifts: ");
	print(true);
	check_printed(said, "\"damaged\": \"" MAP_HISTORY_PATH " is damaged: 1 line was skipped\"");
}
END_TEST

/* A region of its own at the address that the kernel logged. */
START_TEST(log_of_this_boot)
{
	put_region(1, "0x100000", "0x1dfffff");
	put_region(2, "0x1e00000", "0x1e03fff");
	made_put("/sys/firmware/memmap/2/type", "ACPI Tables\n");
	put_region(3, "0x1e04000", "0x1ffffff");
	made_put("/run/s2disk/boot", "s2disk boot record 1\n"
				     "log efi: TPMEventLog=0x1e00018\n" RECORDED_DSDT);
	print(false);
	check_printed(said, "\nThe TPM event log of this boot, not counted:\n"
			    "  0x000001e00000 0x000001e03fff\n");
	check_printed(said, "\n  0x000001df8        8  -       ");
	check_printed(said, "\n  0x000001e04        8  -       ");
	made_put(MAP_HISTORY_PATH, TITLE SETUP("Acme 1.2") LOG THIS);
	print(false);
	check_printed(said, "\n* 0x000001e00000 0x000001e03fff  at 4 boots");
	check_printed(said, "* is the map of this boot.\n");
	check_not_printed(said, "not counted");
}
END_TEST

/* What others had offlined is not known, which is no error. */
START_TEST(others_unknown)
{
	made_put("/sys/devices/system/node/node0/memory_failure/failed", "1\n");
	made_put(MAP_HISTORY_PATH, WHOLE);
	print(false);
	check_printed(said, "\nOfflined page frames: 4 by s2disk, by others unknown (the kernel "
			    "counts 1 memory errors as failed,");
	print(true);
	check_printed(said, "\"offlined_by_s2disk\": 4");
	check_not_printed(said, "offlined_by_others");
}
END_TEST

static const struct {
	const char *text;
	int result;
	const char *words;
} broken[] = {
	{ "rubbish\n", -EBADMSG, MAP_HISTORY_PATH ": it is not a history of memory maps" },
	{ "s2disk history of memory maps 9\n", -ENOTSUP,
	  MAP_HISTORY_PATH ": a newer s2disk wrote it (form 9)" },
};

START_TEST(cannot_be_read)
{
	struct history_view view;
	struct why w = { 0 };

	made_put(MAP_HISTORY_PATH, broken[_i].text);
	ck_assert_int_eq(history_view_open(made_root, &view, &w), broken[_i].result);
	ck_assert_str_eq(w.text, broken[_i].words);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "history");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, boot_loaders);
	tcase_add_test(tcase, for_people);
	tcase_add_test(tcase, logs_of_two_kernels);
	tcase_add_test(tcase, for_programs);
	tcase_add_test(tcase, little_is_known);
	tcase_add_test(tcase, log_of_this_boot);
	tcase_add_test(tcase, others_unknown);
	tcase_add_loop_test(tcase, cannot_be_read, 0, (int)ARRAY_SIZE(broken));
}
