/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot record: its text, written and parsed, whatever it contains. */
#include "base/bytes.h"
#include "boot_record_fixture.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct boot_record record, got;

static char *encoded(const struct boot_record *from)
{
	size_t length = 0;
	char *text = NULL;

	ck_assert_int_eq(boot_record_encode(from, &text, &length), 0);
	ck_assert_uint_eq(strlen(text), length);
	return text;
}

static void parse(const char *text)
{
	struct why w = { 0 };

	ck_assert_msg(boot_record_parse(text, &got, &w) == 0, "%s", w.text);
}

START_TEST(there_and_back)
{
	static const struct boot_run nothing = { .by = NAMED_BY_NOTHING,
						 .found = FOUND_NOTHING_NAMED,
						 .fate = FATE_NONE };
	char map[] = "0x0 0x9fbff System RAM\n0x9fc00 0xfffff Reserved\n";
	char log[] = "ACPI: DSDT 0x1FFE2182 002B5E\n", *text;

	record = (struct boot_record){ .boot_id = "02aa4ff0-a642-4c55-b4a0-2b31910a3992",
				       .kernel = "6.12.9-amd64",
				       .command_line = "root=/dev/vda1  quiet dyndbg=\"a b\"",
				       .runs = { full_run, nothing },
				       .run_count = 2,
				       .forgotten = 3,
				       .keys_left_out = true,
				       .map = map,
				       .log = log };
	text = encoded(&record);
	parse(text);
	ck_assert_str_eq(got.boot_id, record.boot_id);
	ck_assert_str_eq(got.kernel, record.kernel);
	ck_assert_str_eq(got.command_line, record.command_line);
	ck_assert_str_eq(got.map, map);
	ck_assert_str_eq(got.log, log);
	ck_assert_uint_eq(got.forgotten, 3);
	ck_assert(got.keys_left_out);
	ck_assert_uint_eq(got.run_count, 2);
	check_run(&got.runs[0], &full_run);
	check_run(&got.runs[1], &nothing);
	boot_record_free(&got);
	free(text);
}
END_TEST

/* As found in the file of another version, and readable for people. */
START_TEST(form)
{
	static const char wanted[] = "s2disk boot record 1\n"
				     "kernel 6.12\n"
				     "run 1700000000\n"
				     " program 1.2\n"
				     " form s2disk images, form 1\n"
				     " named-by file\n"
				     " named-in /etc/suspend.conf.d/50 swap.conf:3\n"
				     " named UUID=5b1c\n"
				     " offset 38912\n"
				     " noresume y\n"
				     " encrypt y\n"
				     " settings line 4: no number\n"
				     " device /dev/vda1\n"
				     " number 254:1\n"
				     " uuid 0b49b817-382a-4440-a78a-a5cd6b7b5cc5\n"
				     " found image\n"
				     " image discarded\n"
				     " reason block 3 is damaged\n"
				     " key " DIGEST " /etc/a key\n"
				     " key - /etc/none\n"
				     "log ACPI: FACP\n";
	char log[] = "ACPI: FACP\n", *text;

	record = (struct boot_record){
		.kernel = "6.12", .runs = { full_run }, .run_count = 1, .log = log
	};
	text = encoded(&record);
	ck_assert_str_eq(text, wanted);
	free(text);
}
END_TEST

/* Each word has a meaning of its own. */
START_TEST(words)
{
	for (int i = NAMED_BY_NOTHING; i <= NAMED_BY_FIRMWARE; i++) {
		for (int j = FOUND_NOTHING_NAMED; j <= FOUND_IMAGE; j++) {
			struct boot_run run = { .by = (enum boot_named)i,
						.found = (enum boot_found)j,
						.fate = (enum boot_fate)(1 + (i + j) % 4) };
			char *text;

			record = (struct boot_record){ .runs = { run }, .run_count = 1 };
			text = encoded(&record);
			parse(text);
			check_run(&got.runs[0], &run);
			boot_record_free(&got);
			free(text);
		}
	}
	ck_assert_str_eq(boot_named_word(NAMED_BY_UNKNOWN), "");
	ck_assert_str_eq(boot_found_word(FOUND_NO_DEVICE), "no-device");
	ck_assert_str_eq(boot_fate_word(FATE_STILL_THERE), "still-there");
}
END_TEST

/* A value can neither make lines of its own nor reach the terminal unfiltered. */
START_TEST(one_line_each)
{
	char log[] = "ACPI: \033[2J\n", *text;

	record = (struct boot_record){ .command_line = "a\nrun 5\n found image",
				       .run_count = 1,
				       .log = log };
	record.runs[0].by = NAMED_BY_DEFAULT;
	strcpy(record.runs[0].reason, "x\n image discarded");
	text = encoded(&record);
	ck_assert_ptr_null(strchr(text, '\033'));
	parse(text);
	ck_assert_str_eq(got.command_line, "a?run 5? found image");
	ck_assert_uint_eq(got.run_count, 1);
	ck_assert_str_eq(got.runs[0].reason, "x? image discarded");
	ck_assert_int_eq(got.runs[0].fate, FATE_UNKNOWN);
	ck_assert_ptr_null(boot_record_discarded(&got));
	boot_record_free(&got);
	free(text);
}
END_TEST

static const struct {
	const char *text;
	int r;
} titles[] = {
	{ "", -EBADMSG },
	{ "x", -EBADMSG },
	{ "s2disk boot record", -EBADMSG },
	{ "s2disk boot record \n", -EBADMSG },
	{ "s2disk boot record 0\n", -EBADMSG },
	{ "s2disk boot record 1x\n", -EBADMSG },
	{ "s2disk boot record -1\n", -EBADMSG },
	{ "s2disk boot record 111111111111111111111111111111\n", -ENOTSUP },
	{ "s2disk boot record 2\nrun 1\n", -ENOTSUP },
	{ "s2disk boot record 1", 0 },
	{ "s2disk boot record 1\n", 0 },
};

START_TEST(which_are_records)
{
	struct why w = { 0 };

	memset(&got, 0x55, sizeof(got));
	ck_assert_int_eq(boot_record_parse(titles[_i].text, &got, &w), titles[_i].r);
	if (titles[_i].r < 0) {
		ck_assert_str_ne(w.text, "");
		ck_assert_uint_eq(got.run_count, (size_t)0x5555555555555555);
	} else {
		ck_assert_uint_eq(got.run_count, 0);
		ck_assert_ptr_null(got.log);
		ck_assert_ptr_null(got.map);
	}
}
END_TEST

/* From a newer program, or from none. */
START_TEST(passes_over_what_it_does_not_know)
{
	parse("s2disk boot record 1\n found image\n key " DIGEST
	      " /x\n\n \n  \nkernel\nweather fine\n"
	      "run 12x\n named-by oracle\n found water\n image gone\n number 1\n number x:2\n"
	      " number 4294967296:0\n number 1:\n offset many\n key short /etc/key\n key " DIGEST
	      "\n key " DIGEST "0 /long\n key " DIGEST
	      " \n noresume yes\n time 5\nlog\nlog \nrun 7\n number 8:2\n");
	ck_assert_str_eq(got.kernel, "");
	ck_assert_uint_eq(got.run_count, 2);
	ck_assert_uint_eq(got.runs[0].time, 0);
	ck_assert_int_eq(got.runs[0].by, NAMED_BY_UNKNOWN);
	ck_assert_int_eq(got.runs[0].found, FOUND_UNKNOWN);
	ck_assert_int_eq(got.runs[0].fate, FATE_UNKNOWN);
	ck_assert(!got.runs[0].has_number);
	ck_assert(!got.runs[0].noresume);
	ck_assert_uint_eq(got.runs[0].key_count, 2);
	ck_assert_str_eq(got.runs[0].keys[0].path, "/etc/key");
	ck_assert_str_eq(got.runs[0].keys[0].digest, "");
	ck_assert_str_eq(got.runs[0].keys[1].digest, "");
	ck_assert_uint_eq(got.runs[1].time, 7);
	ck_assert_uint_eq(got.runs[1].major, 8);
	ck_assert_uint_eq(got.runs[1].minor, 2);
	boot_record_free(&got);
}
END_TEST

/* More of everything than there is room for. */
START_TEST(is_bounded)
{
	size_t size = BOOT_RECORD_LIMIT, length;
	char *text = malloc(size);

	ck_assert_ptr_nonnull(text);
	length = (size_t)sprintf(text, "s2disk boot record 1\ncommand-line ");
	memset(text + length, 'a', 10000);
	length += 10000;
	for (int i = 0; i < 20; i++)
		length += (size_t)sprintf(text + length, "\nrun %d\n reason %d", i, i);
	for (int i = 0; i < 20; i++)
		length += (size_t)sprintf(text + length, "\nkey - /%d", i);
	for (int i = 0; i < 20000; i++)
		length += (size_t)sprintf(text + length, "\nlog ACPI: line %05d", i);
	ck_assert_uint_lt(length, size);
	parse(text);
	ck_assert_uint_eq(strlen(got.command_line), sizeof(got.command_line) - 1);
	ck_assert_uint_eq(got.run_count, BOOT_RUNS_MAX);
	ck_assert_uint_eq(got.forgotten, 20 - BOOT_RUNS_MAX);
	/* Nothing of the dropped ones got into the last. */
	ck_assert_str_eq(got.runs[BOOT_RUNS_MAX - 1].reason, "7");
	ck_assert_uint_eq(got.runs[BOOT_RUNS_MAX - 1].key_count, 0);
	ck_assert_uint_le(strlen(got.log), BOOT_RECORD_LOG_LIMIT);
	ck_assert_uint_gt(strlen(got.log), BOOT_RECORD_LOG_LIMIT - 100);
	boot_record_free(&got);
	free(text);
}
END_TEST

/* What is written can be read: the largest possible record. */
START_TEST(largest)
{
	size_t size = 2 * BOOT_RECORD_LOG_LIMIT;
	char *log = malloc(size + 1), *map = malloc(size + 1), *text;

	ck_assert(log && map);
	for (size_t i = 0; i < size; i += 8) {
		memcpy(log + i, "ACPI: A\n", 8);
		memcpy(map + i, "0x0 0x1\n", 8);
	}
	log[size] = map[size] = '\0';
	record = (struct boot_record){ .run_count = BOOT_RUNS_MAX, .log = log, .map = map };
	memset(record.command_line, 'c', sizeof(record.command_line) - 1);
	for (size_t i = 0; i < BOOT_RUNS_MAX; i++) {
		record.runs[i] = full_run;
		memset(record.runs[i].reason, 'r', sizeof(record.runs[i].reason) - 1);
		memset(record.runs[i].keys[0].path, 'k', sizeof(record.runs[i].keys[0].path) - 1);
	}
	text = encoded(&record);
	ck_assert_uint_lt(strlen(text), BOOT_RECORD_LIMIT);
	parse(text);
	check_run(&got.runs[BOOT_RUNS_MAX - 1], &record.runs[BOOT_RUNS_MAX - 1]);
	ck_assert_uint_gt(strlen(got.log), BOOT_RECORD_LOG_LIMIT - 100);
	boot_record_free(&got);
	free(text);
	free(log);
	free(map);
}
END_TEST

static void append(enum boot_found found, uint64_t time)
{
	struct boot_run run = { .found = found, .time = time };

	boot_record_append(&record, &run);
}

/* Of too many runs the most informative ones stay. */
START_TEST(forgets_the_least)
{
	record = (struct boot_record){ 0 };
	append(FOUND_IMAGE, 1);
	record.runs[0].fate = FATE_DISCARDED;
	append(FOUND_SWAP, 2);
	append(FOUND_NOTHING_NAMED, 3);
	append(FOUND_KERNEL_IMAGE, 4);
	append(FOUND_NOT_LOOKED, 5);
	for (uint64_t i = 6; i <= 8; i++)
		append(FOUND_SWAP, i);
	ck_assert_uint_eq(record.run_count, BOOT_RUNS_MAX);
	ck_assert_uint_eq(record.forgotten, 0);
	append(FOUND_NOTHING_NAMED, 9);
	append(FOUND_SWAP, 10);
	append(FOUND_SWAP, 11);
	append(FOUND_SWAP, 12);
	ck_assert_uint_eq(record.run_count, BOOT_RUNS_MAX);
	ck_assert_uint_eq(record.forgotten, 4);
	for (size_t i = 0; i < BOOT_RUNS_MAX; i++) {
		static const uint64_t left[] = { 1, 4, 6, 7, 8, 10, 11, 12 };

		ck_assert_uint_eq(record.runs[i].time, left[i]);
	}
	ck_assert_uint_eq(boot_record_discarded(&record)->time, 1);
	record.runs[3].fate = FATE_DISCARDED;
	ck_assert_uint_eq(boot_record_discarded(&record)->time, 7);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "boot_record");

	tcase_add_test(tcase, there_and_back);
	tcase_add_test(tcase, form);
	tcase_add_test(tcase, words);
	tcase_add_test(tcase, one_line_each);
	tcase_add_loop_test(tcase, which_are_records, 0, (int)ARRAY_SIZE(titles));
	tcase_add_test(tcase, passes_over_what_it_does_not_know);
	tcase_add_test(tcase, is_bounded);
	tcase_add_test(tcase, largest);
	tcase_add_test(tcase, forgets_the_least);
}
