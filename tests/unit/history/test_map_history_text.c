/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of memory maps as text: what is written is read, and of damaged text what is sound.
 */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "map_history_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct map_history got;

static void teardown(void)
{
	map_history_free(&got);
}

/* What was skipped. */
static size_t parse(const char *text)
{
	size_t skipped = 1000;
	struct why w = { 0 };

	map_history_free(&got);
	ck_assert_msg(map_history_parse(text, &got, &skipped, &w) == 0, "%s", w.text);
	return skipped;
}

/* What is read is written as that. */
static void check_written(const char *wanted)
{
	size_t length = 0;
	char *text;

	ck_assert_int_eq(map_history_encode(&got, &text, &length), 0);
	ck_assert_str_eq(text, wanted);
	ck_assert_uint_eq(length, strlen(wanted));
	free(text);
}

START_TEST(everything)
{
	const struct history_setup *setup;
	const struct history_map *map;

	ck_assert_uint_eq(parse(HISTORY_TEXT), 0);
	ck_assert_str_eq(got.boot_id, "0b49b817-382a-4440-a78a-a5cd6b7b5cc5");
	ck_assert_uint_eq(got.setups.count, 1);
	setup = &got.setups.items[0];
	ck_assert_str_eq(setup->machine, "Acme Laptop 7 Board");
	ck_assert_str_eq(setup->firmware, "Acme 1.2 01/02/2026");
	ck_assert_uint_eq(setup->memory, 535822336);
	ck_assert_uint_eq(setup->logs.count, 1);
	ck_assert_str_eq(setup->logs.items[0].boot_files, "6.12.9 #1 SMP initramfs of 31 bytes");
	ck_assert_uint_eq(setup->logs.items[0].start, 0x1f000000);
	ck_assert_uint_eq(setup->logs.items[0].end, 0x1f007fff);
	ck_assert_uint_eq(setup->logs.items[0].boots, 3);
	ck_assert_uint_eq(setup->logs.items[0].last, 1700000300);
	ck_assert_uint_eq(setup->maps.count, 2);
	map = &setup->maps.items[0];
	ck_assert_uint_eq(map->boots, 9);
	ck_assert_uint_eq(map->resumes, 4);
	ck_assert_uint_eq(map->refused, 1);
	ck_assert_uint_eq(map->first, 1700000000);
	ck_assert_uint_eq(map->last, 1700000300);
	ck_assert(map->tables.known);
	ck_assert_uint_eq(map->tables.count, 2);
	ck_assert_str_eq(map->tables.items[1].name, "SSDT2");
	ck_assert_uint_eq(map->tables.items[1].address, 0x20004000);
	ck_assert(map->map.entries.known);
	ck_assert_uint_eq(map->map.entries.count, 3);
	ck_assert_uint_eq(map->map.table_count, 3);
	ck_assert_uint_eq(map->map.entries.items[2].start, 0x20000000);
	ck_assert_uint_eq(map->map.entries.items[2].end, 0x200fffff);
	ck_assert_uint_eq(map->map.entries.items[2].type, MEMORY_ACPI);
	map++;
	ck_assert(!map->tables.known);
	ck_assert_uint_eq(map->map.entries.items[1].type, 6);
	ck_assert_uint_eq(map->map.entries.items[1].unknown, 0);
	ck_assert_uint_eq(map->map.entries.items[2].type, MEMORY_VENDOR_20);
	ck_assert_uint_eq(map->map.entries.items[2].unknown, 1);
	ck_assert_uint_eq(map->map.entries.count, 4);
	ck_assert_uint_eq(map->map.table_count, 3);
	check_written(HISTORY_TEXT);
}
END_TEST

/* No setup yet; a machine without names, of which no boot id is known; several setups. */
START_TEST(little_and_much)
{
	static const char nameless[] = "s2disk history of memory maps 1\n"
				       "boot-id\n"
				       "setup\n machine\n firmware\n memory 7\n";
	static const char three[] = HISTORY_HEAD HISTORY_SETUP HISTORY_MAP
		"setup\n machine A\n firmware B\n memory 0\n" HISTORY_OTHER_MAP
		"setup\n machine A\n firmware B\n memory 33554432\n" HISTORY_LOG;

	ck_assert_uint_eq(parse(HISTORY_HEAD), 0);
	ck_assert_uint_eq(got.setups.count, 0);
	check_written(HISTORY_HEAD);
	ck_assert_uint_eq(parse(nameless), 0);
	ck_assert_uint_eq(got.setups.count, 1);
	ck_assert_str_eq(got.setups.items[0].machine, "");
	check_written(nameless);
	ck_assert_uint_eq(parse(three), 0);
	ck_assert_uint_eq(got.setups.count, 3);
	check_written(three);
	/* Blank lines say nothing. */
	ck_assert_uint_eq(parse(HISTORY_HEAD "\n\n" HISTORY_SETUP "\n" HISTORY_MAP "\n"), 0);
	check_written(HISTORY_HEAD HISTORY_SETUP HISTORY_MAP);
}
END_TEST

/* Whatever a firmware calls itself: each value is one line. */
START_TEST(values_of_a_firmware)
{
	struct history_setup setup = { .machine = "Ac\nme\nsetup", .firmware = "\x1b[2J \xff" };
	struct map_history history = { .boot_id = "1", .setups = { &setup, 1, false } };
	char *text;
	size_t length;

	memset(setup.machine + 12, 'x', sizeof(setup.machine) - 13);
	setup.machine[11] = ' ';
	ck_assert_int_eq(map_history_encode(&history, &text, &length), 0);
	ck_assert_uint_eq(parse(text), 0);
	ck_assert_uint_eq(got.setups.count, 1);
	ck_assert_uint_eq(strlen(got.setups.items[0].machine), sizeof(setup.machine) - 1);
	ck_assert_ptr_null(strpbrk(got.setups.items[0].machine, "\n"));
	ck_assert_str_eq(got.setups.items[0].firmware, "?[2J ?");
	check_written(text);
	free(text);
}
END_TEST

static const struct {
	const char *text;
	int result;
} titles[] = {
	{ "", -EBADMSG },
	{ "x", -EBADMSG },
	{ "s2disk boot record 1\n", -EBADMSG },
	{ "s2disk history of memory maps", -EBADMSG },
	{ "s2disk history of memory maps \n", -EBADMSG },
	{ "s2disk history of memory maps 0\n", -EBADMSG },
	{ "s2disk history of memory maps -1\n", -EBADMSG },
	{ "s2disk history of memory maps 1x\n", -EBADMSG },
	{ "s2disk history of memory maps 99999999999999999999\n", -ENOTSUP },
	{ " s2disk history of memory maps 1\n", -EBADMSG },
	{ "s2disk history of memory maps 2\n", -ENOTSUP },
	{ "s2disk history of memory maps 4294967297\n" HISTORY_SETUP, -ENOTSUP },
};

START_TEST(title)
{
	struct map_history untouched = { .boot_id = "mine" };
	size_t skipped = 7;
	struct why w = { 0 };

	ck_assert_int_eq(map_history_parse(titles[_i].text, &untouched, &skipped, &w),
			 titles[_i].result);
	ck_assert_str_eq(untouched.boot_id, "mine");
	ck_assert_uint_eq(skipped, 7);
	ck_assert_ptr_nonnull(strstr(w.text, titles[_i].result == -ENOTSUP
						     ? "a newer s2disk wrote it (form "
						     : "not a history of memory maps"));
	ck_assert_int_eq(map_history_parse(titles[_i].text, &untouched, &skipped, NULL),
			 titles[_i].result);
}
END_TEST

/* A text with one thing replaced, what is skipped then, and what is read. */
static const struct {
	const char *line, *by;
	size_t skipped;
	const char *left;
} damages[] = {
#define M HISTORY_MAP
#define O HISTORY_OTHER_MAP
#define HEAD HISTORY_HEAD HISTORY_SETUP
	/* Unknown lines, of a newer program or of nothing. */
	{ "boot-id ", "colour red\nboot-id ", 1, HISTORY_TEXT },
	{ " firmware", " colour red\n firmware", 1, HISTORY_TEXT },
	{ "  first ", "  colour red\n  first ", 1, HISTORY_TEXT },
	{ "  place ", "  colour red\n  place ", 1, HISTORY_TEXT },
	{ "  first ", "   boots 7\n  first ", 1, HISTORY_TEXT },
	{ "  first ", "  \n  first ", 1, HISTORY_TEXT },
	/* The boot id: empty is unknown. */
	{ "boot-id 0b49b817-382a-4440-a78a-a5cd6b7b5cc5",
	  "boot-id 0b49b817-382a-4440-a78a-a5cd6b7b5cc5++++", 1,
	  "s2disk history of memory maps 1\nboot-id\n" HISTORY_SETUP HISTORY_LOG M O },
	/* Of a setup: without its names it is another machine's. */
	{ "setup\n", "setpu\n", 1 + 3 + 5 + 13 + 11, HISTORY_HEAD },
	{ " machine Acme", " mashine Acme", 2, HISTORY_HEAD },
	{ " firmware Acme", " firmware", 0,
	  HISTORY_HEAD "setup\n machine Acme Laptop 7 Board\n firmware 1.2 01/02/2026\n"
		       " memory 535822336\n" HISTORY_LOG M O },
	{ " memory 535822336", " memory 53582233x6", 2, HISTORY_HEAD },
	{ " memory 535822336", " memory", 2, HISTORY_HEAD },
	{ " memory 535822336", " memory -1", 2, HISTORY_HEAD },
	{ " memory 535822336", " memory 18446744073709551616", 2, HISTORY_HEAD },
	/* Of the log: a place that is not certain is none. */
	{ " log\n", " lgo\n", 5, HEAD M O },
	{ "  boot-files", "  boot-flies", 2, HEAD M O },
	{ "  place 0x1f000000 0x1f007fff", "  place 0x1f000000", 2, HEAD M O },
	{ "  place 0x1f000000 0x1f007fff", "  place 0x1f000000 0x1f007fff x", 2, HEAD M O },
	{ "  place 0x1f000000 0x1f007fff", "  place 0x1f008000 0x1f007fff", 2, HEAD M O },
	{ "  place 0x1f000000 0x1f007fff", "  place 0 0", 2, HEAD M O },
	{ "  place 0x1f", "  place 0x2f000000 0x2f000fff\n  place 0x1f", 2, HEAD M O },
	{ "  place 0x1f", "  place 7 6\n  place 0x1f", 1, HISTORY_TEXT },
	/* Of a map: with a region less it would be another. */
	{ " map\n  boots 9", " mpa\n  boots 9", 13, HEAD HISTORY_LOG O },
	{ "  regions 3\n", "", 1, HEAD HISTORY_LOG O },
	{ "  regions 3\n", "  regions 4\n", 1, HEAD HISTORY_LOG O },
	{ "  regions 3\n", "  regions x\n", 2, HEAD HISTORY_LOG O },
	{ "  region 0x100000 0x1fffffff System RAM\n", "", 1, HEAD HISTORY_LOG O },
	{ "  region 0x100000 0x1fffffff System RAM\n",
	  "  region 0x100000 0x1fffffff System RAM\n  region 0x100000 0x1fffffff System RAM\n", 1,
	  HEAD HISTORY_LOG O },
	{ "  region 0x100000 0x1fff", "  region 0xl00000 0x1fff", 2, HEAD HISTORY_LOG O },
	{ "0x1fffffff System RAM", "0x1ffffff", 2, HEAD HISTORY_LOG O },
	{ "0x1fffffff System RAM", "0xfffff System RAM", 2, HEAD HISTORY_LOG O },
	{ "0x1fffffff System RAM", "0x1fffffff Sytsem RAM", 2, HEAD HISTORY_LOG O },
	{ "0x1fffffff System RAM", "0x1fffffff type 0", 2, HEAD HISTORY_LOG O },
	{ "0x1fffffff System RAM", "0x1fffffff type 4294967296", 2, HEAD HISTORY_LOG O },
	{ "0x1fffffff System RAM", "0x10000000000000000 System RAM", 2, HEAD HISTORY_LOG O },
	{ "  region 0x100000 0x1fff", "  plugged 0x100000 0x1fff", 2, HEAD HISTORY_LOG O },
	/* The beginning of another map is lost. */
	{ HISTORY_OTHER_MAP, "  boots 2\n  region 0x0 0x9fbff System RAM\n", 2, HEAD HISTORY_LOG },
	/* A table less: where they lay is not known. */
	{ "  tables 2\n  table 0x20000040 DSDT\n  table 0x20004000 SSDT2\n",
	  "  tables 2\n  table 0x20000040 DSDT\n", 1,
	  HEAD HISTORY_LOG " map\n  boots 9\n  resumes 4\n  refused 1\n  first 1700000000\n"
			   "  last 1700000300\n  regions 3\n  region 0x0 0x9fbff System RAM\n"
			   "  region 0x100000 0x1fffffff System RAM\n"
			   "  region 0x20000000 0x200fffff ACPI Tables\n" O },
#undef M
#undef O
#undef HEAD
};

/* The text with one occurrence replaced. */
static char *replaced(const char *text, const char *line, const char *by)
{
	const char *at = strstr(text, line);
	char *ret;

	ck_assert_msg(at, "not in the text: %s", line);
	ck_assert_int_ge(asprintf(&ret, "%.*s%s%s", (int)(at - text), text, by, at + strlen(line)),
			 0);
	return ret;
}

/* Optional, and once. Of a map that occurs twice the loaders are compared, too. */
START_TEST(loaders)
{
	static const struct {
		const char *lines, *other; /* of a map, and of the same one after it; NULL: none */
		size_t skipped;
		const char *loader;
	} cases[] = {
		{ "  loader GRUB 2.12\n", NULL, 0, "GRUB 2.12" },
		{ "  loader *\n", NULL, 0, HISTORY_LOADERS },
		{ "  loader\n", NULL, 0, "" },
		{ "  loader \x1b[1m\n", NULL, 0, "?[1m" },
		{ "  loader 012345678901234567890123456789012345678901234567890123456789012\n",
		  NULL, 0, "012345678901234567890123456789012345678901234567890123456789012" },
		{ "  loader 0123456789012345678901234567890123456789012345678901234567890123\n",
		  NULL, 1, "" },
		{ "  loader a\n", "  loader a\n", 0, "a" },
		{ "  loader a\n", "", 0, "a" },
		{ "", "  loader b\n", 0, "b" },
		{ "  loader a\n", "  loader b\n", 0, HISTORY_LOADERS },
	};
	static const char map[] = " map\n  boots 1\n  regions 1\n  region 0x0 0x1fff System RAM\n";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text;

		ck_assert_int_ge(asprintf(&text, HISTORY_HEAD HISTORY_SETUP "%s%s%s%s", map,
					  cases[i].lines, cases[i].other ? map : "",
					  cases[i].other ? cases[i].other : ""),
				 0);
		ck_assert_uint_eq(parse(text), cases[i].skipped);
		ck_assert_uint_eq(got.setups.items[0].maps.count, 1);
		ck_assert_str_eq(got.setups.items[0].maps.items[0].loader, cases[i].loader);
		free(text);
	}
	/* What is written is read; two of them are of two maps. */
	ck_assert_uint_eq(parse(HISTORY_HEAD HISTORY_SETUP
				" map\n  regions 1\n  loader a\n"
				"  loader a\n  region 0x0 0x1fff System RAM\n"),
			  2);
	ck_assert_uint_eq(got.setups.items[0].maps.count, 0);
	ck_assert_uint_eq(parse(HISTORY_HEAD HISTORY_SETUP HISTORY_LOG HISTORY_MAP), 0);
	strcpy(got.setups.items[0].maps.items[0].loader, "GRUB 2.12");
	check_written(HISTORY_HEAD HISTORY_SETUP HISTORY_LOG
		      " map\n  boots 9\n  resumes 4\n  refused 1\n  first 1700000000\n"
		      "  last 1700000300\n  loader GRUB 2.12\n  regions 3\n"
		      "  region 0x0 0x9fbff System RAM\n"
		      "  region 0x100000 0x1fffffff System RAM\n"
		      "  region 0x20000000 0x200fffff ACPI Tables\n  tables 2\n"
		      "  table 0x20000040 DSDT\n  table 0x20004000 SSDT2\n");
}
END_TEST

/* Two maps are one where some tables of the first are unknown; not then a third. */
START_TEST(tables_learned)
{
	static const char map[] = " map\n  regions 1\n  region 0x0 0x1fff System RAM\n  tables ";
	char text[900];

	snprintf(text, sizeof(text),
		 HISTORY_HEAD HISTORY_SETUP "%s1\n  table 0x10 DSDT\n"
					    "%s2\n  table 0x10 DSDT\n  table 0x20 SSDT\n"
					    "%s2\n  table 0x10 DSDT\n  table 0x30 SSDT\n",
		 map, map, map);
	ck_assert_uint_eq(parse(text), 0);
	ck_assert_uint_eq(got.setups.items[0].maps.count, 2);
	ck_assert_uint_eq(got.setups.items[0].maps.items[0].tables.count, 2);
}
END_TEST

START_TEST(damaged)
{
	char *text = replaced(HISTORY_TEXT, damages[_i].line, damages[_i].by);

	ck_assert_uint_eq(parse(text), damages[_i].skipped);
	check_written(damages[_i].left);
	free(text);
}
END_TEST

static const struct {
	const char *line, *by;
} table_damages[] = {
	{ "  table 0x20000040 DSDT\n", "" },
	{ "  tables 2\n", "" },
	{ "  tables 2\n", "  tables 1\n" },
	{ "  table 0x20000040 DSDT\n", "  table 0x20000040\n" },
	{ "  table 0x20000040 DSDT\n", "  table 0x20000040 \n" },
	{ "  table 0x20000040 DSDT\n", "  table 0x2000004G DSDT\n" },
	{ "  table 0x20000040 DSDT\n", "  table 0x20000040 ABCDEFGHIJKLMNOP\n" },
};

/* The map is sound. */
START_TEST(damaged_tables)
{
	char *text = replaced(HISTORY_TEXT, table_damages[_i].line, table_damages[_i].by);
	const struct history_map *map;

	ck_assert_uint_ge(parse(text), 1);
	ck_assert_uint_eq(got.setups.items[0].maps.count, 2);
	map = &got.setups.items[0].maps.items[0];
	ck_assert_uint_eq(map->map.entries.count, 3);
	ck_assert_uint_eq(map->tables.count, 0);
	ck_assert(!map->tables.known);
	free(text);
}
END_TEST

/* A setup whose first line is lost ends the one before, which is sound. */
START_TEST(setup_without_beginning)
{
	ck_assert_uint_eq(parse(HISTORY_HEAD HISTORY_SETUP HISTORY_MAP
				" machine B\n firmware C\n memory 9\n" HISTORY_OTHER_MAP),
			  3 + 11);
	check_written(HISTORY_HEAD HISTORY_SETUP HISTORY_MAP);
}
END_TEST

/* Cut anywhere, as by a full disk: what is read was there, and can be written. */
START_TEST(cut)
{
	struct map_history whole;
	size_t skipped;

	ck_assert_uint_eq(parse(HISTORY_TEXT), 0);
	whole = got;
	got = (struct map_history){ 0 };
	for (size_t length = strlen(MAP_HISTORY_TITLE) + 1; length < strlen(HISTORY_TEXT);
	     length++) {
		char *text = strndup(HISTORY_TEXT, length);

		map_history_free(&got);
		ck_assert_int_eq(map_history_parse(text, &got, &skipped, NULL), 0);
		ck_assert_uint_le(got.setups.count, 1);
		for (size_t i = 0; got.setups.count && i < got.setups.items[0].maps.count; i++) {
			const struct history_map *a = &got.setups.items[0].maps.items[i];
			const struct history_map *b = &whole.setups.items[0].maps.items[i];

			ck_assert_uint_eq(a->map.entries.count, b->map.entries.count);
			ck_assert_uint_eq(a->map.table_count, b->map.table_count);
		}
		free(text);
	}
	map_history_free(&whole);
}
END_TEST

static const struct {
	const char *boots, *resumes, *refused;
	uint64_t is_boots, is_resumes, is_refused;
} counts[] = {
	{ "9", "4", "1", 9, 4, 1 },
	{ "0", "0", "0", 1, 0, 0 },
	{ "x", "0", "0", 1, 0, 0 },
	{ "3", "3", "1", 4, 3, 1 },
	{ "2", "1", "5", 6, 1, 5 },
	{ "1073741824", "0", "0", MAP_HISTORY_BOOTS_MAX, 0, 0 },
	{ "1073741825", "0", "0", MAP_HISTORY_BOOTS_MAX, 0, 0 },
	{ "18446744073709551615", "18446744073709551615", "18446744073709551615",
	  MAP_HISTORY_BOOTS_MAX, MAP_HISTORY_BOOTS_MAX, 0 },
	{ "18446744073709551616", "7", "18446744073709551616", 7, 7, 0 },
	{ "5", "-1", "1e3", 5, 0, 0 },
};

START_TEST(counted)
{
	const struct history_map *map;
	char text[1024];

	snprintf(text, sizeof(text),
		 HISTORY_HEAD HISTORY_SETUP
		 " map\n  boots %s\n  resumes %s\n  refused %s\n  regions 1\n"
		 "  region 0x0 0xffff System RAM\n",
		 counts[_i].boots, counts[_i].resumes, counts[_i].refused);
	parse(text);
	ck_assert_uint_eq(got.setups.items[0].maps.count, 1);
	map = &got.setups.items[0].maps.items[0];
	ck_assert_uint_eq(map->boots, counts[_i].is_boots);
	ck_assert_uint_eq(map->resumes, counts[_i].is_resumes);
	ck_assert_uint_eq(map->refused, counts[_i].is_refused);
}
END_TEST

#define PLAIN_MAP(boots, resumes, first, last)                                        \
	" map\n  boots " boots "\n  resumes " resumes "\n  refused 0\n  first " first \
	"\n  last " last "\n  regions 1\n  region 0x0 0xffff System RAM\n"
#define TABLES "  tables 1\n  table 0x40 DSDT\n"
#define OTHER_TABLES "  tables 1\n  table 0x80 DSDT\n"
#define PLAIN_LOG(boots, last) \
	" log\n  boot-files a\n  place 0x1000 0x1fff\n  boots " boots "\n  last " last "\n"

/* As when boots are counted: with other tables a map is another one. */
START_TEST(twice)
{
	ck_assert_uint_eq(
		parse(HISTORY_HEAD HISTORY_SETUP PLAIN_LOG("3", "7") PLAIN_LOG("2", "9")
			      PLAIN_MAP("5", "1", "10", "30") PLAIN_MAP("4", "2", "20", "40")
				      TABLES PLAIN_MAP("1", "0", "25", "25") OTHER_TABLES),
		0);
	check_written(HISTORY_HEAD HISTORY_SETUP PLAIN_LOG("5", "9") PLAIN_MAP("9", "3", "10", "40")
			      TABLES PLAIN_MAP("1", "0", "25", "25") OTHER_TABLES);
	/* Nor do sums exceed the limit. */
	ck_assert_uint_eq(parse(HISTORY_HEAD HISTORY_SETUP PLAIN_LOG("1073741824", "7")
					PLAIN_LOG("1073741824", "9") PLAIN_MAP(
						"1073741824", "1073741823", "10", "30")
						PLAIN_MAP("1073741824", "1073741823", "20", "40")),
			  0);
	check_written(HISTORY_HEAD HISTORY_SETUP PLAIN_LOG("1073741824", "9")
			      PLAIN_MAP("1073741824", "1073741824", "10", "40"));
	/* Of two setups that are the same the first counts. */
	ck_assert_uint_eq(
		parse(HISTORY_HEAD HISTORY_SETUP HISTORY_MAP HISTORY_SETUP HISTORY_OTHER_MAP), 0);
	check_written(HISTORY_HEAD HISTORY_SETUP HISTORY_MAP);
}
END_TEST

/* A line of the text that is longer than any that is written. */
START_TEST(long_lines)
{
	char value[MAP_HISTORY_LINE_MAX + 64], *text;

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_ge(
		asprintf(&text, "%s%s\n%s", HISTORY_HEAD, value, HISTORY_SETUP HISTORY_MAP), 0);
	ck_assert_uint_eq(parse(text), 1);
	check_written(HISTORY_HEAD HISTORY_SETUP HISTORY_MAP);
	free(text);
	/* Names that were not cut by the writer: the machine is not known. */
	for (size_t length = 199; length <= 200; length++) {
		ck_assert_int_ge(asprintf(&text, "%ssetup\n machine %.*s\n firmware\n memory 1\n",
					  HISTORY_HEAD, (int)length, value),
				 0);
		ck_assert_uint_eq(parse(text), length == 199 ? 0 : 2);
		ck_assert_uint_eq(got.setups.count, length == 199);
		free(text);
	}
	/* A type followed by this many blanks. */
	memset(value, ' ', sizeof(value) - 1);
	ck_assert_int_ge(asprintf(&text,
				  HISTORY_HEAD HISTORY_SETUP
				  " map\n  regions 1\n  region 0x0 0xffff System RAM%s\n",
				  value),
			 0);
	ck_assert_uint_eq(parse(text), 2);
	ck_assert_uint_eq(got.setups.items[0].maps.count, 0);
	free(text);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "text");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, tables_learned);
	tcase_add_test(tcase, loaders);
	tcase_add_test(tcase, everything);
	tcase_add_test(tcase, little_and_much);
	tcase_add_test(tcase, values_of_a_firmware);
	tcase_add_loop_test(tcase, title, 0, (int)ARRAY_SIZE(titles));
	tcase_add_loop_test(tcase, damaged, 0, (int)ARRAY_SIZE(damages));
	tcase_add_loop_test(tcase, damaged_tables, 0, (int)ARRAY_SIZE(table_damages));
	tcase_add_test(tcase, setup_without_beginning);
	tcase_add_test(tcase, cut);
	tcase_add_loop_test(tcase, counted, 0, (int)ARRAY_SIZE(counts));
	tcase_add_test(tcase, twice);
	tcase_add_test(tcase, long_lines);
}
