/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A boot record in little room, and how the restored system adopts it. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "history/boot_brief.h"
#include "history/boot_record_file.h"
#include "fixtures/machine/made_root.h"

#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct boot_record got;
static char brief[4096];

static const struct boot_run run = {
	.time = 1700000000,
	.program = "1.2",
	.by = NAMED_BY_DEFAULT,
	.named = "UUID=5b1c",
	.offset = 38912,
	.device = "/dev/vda1",
	.has_number = true,
	.major = 254,
	.minor = 1,
	.found = FOUND_IMAGE,
	.fate = FATE_STILL_THERE,
	.keys = { { "/etc/key", DIGEST } },
	.key_count = 1,
};

static void begin(void)
{
	made_root_create();
	made_put("/proc/sys/kernel/random/boot_id", "boot-2\n");
	made_put("/proc/sys/kernel/osrelease", "6.12.9\n");
	made_put("/proc/cmdline", "quiet resume=UUID=1 of-the-boot-that-resumes\n");
	made_put("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1FFE2182 002B5E\n");
	made_put("/sys/firmware/memmap/0/start", "0x0\n");
	made_put("/sys/firmware/memmap/0/end", "0x9fbff\n");
	made_put("/sys/firmware/memmap/0/type", "System RAM\n");
}

static void end(void)
{
	boot_record_free(&got);
	made_root_remove();
}

/* Of the made boot, in size bytes, and parsed again. */
static void hand_over(size_t size)
{
	boot_record_free(&got);
	memset(&got, 0, sizeof(got));
	memset(brief, 'x', sizeof(brief));
	boot_record_hand_over(made_root, &run, brief, size);
	ck_assert_uint_lt(strlen(brief), size);
	if (brief[0])
		ck_assert_int_eq(boot_record_parse(brief, &got, NULL), 0);
}

START_TEST(leaves_out_what_it_must)
{
	size_t most, no_map, no_end, no_key;

	hand_over(sizeof(brief));
	ck_assert_ptr_nonnull(strstr(brief, "left-out log\n"));
	ck_assert_ptr_nonnull(got.map);
	ck_assert_ptr_null(got.log);
	ck_assert_str_eq(got.kernel, "6.12.9");
	most = strlen(brief);
	hand_over(most + 1);
	ck_assert_uint_eq(strlen(brief), most);

	hand_over(most);
	ck_assert_ptr_nonnull(strstr(brief, "left-out log map\n"));
	ck_assert_ptr_null(got.map);
	ck_assert_str_eq(got.command_line, "quiet resume=UUID=1 of-the-boot-that-resumes");
	no_map = strlen(brief);

	hand_over(no_map);
	ck_assert_ptr_nonnull(strstr(brief, "left-out log map command-line\n"));
	ck_assert_str_eq(got.command_line, "quiet resume=UUID=1 of-the-boo");
	ck_assert_uint_eq(got.runs[0].key_count, 1);
	ck_assert(!got.keys_left_out);
	no_end = no_map - strlen(got.command_line) + 1;

	for (size_t size = no_end; size > no_end - 40; size--)
		hand_over(size);
	ck_assert_ptr_nonnull(strstr(brief, "left-out log map command-line key\n"));
	ck_assert(got.keys_left_out);
	ck_assert_uint_eq(got.run_count, 1);
	ck_assert_uint_eq(got.runs[0].key_count, 0);
	ck_assert_str_eq(got.runs[0].named, "UUID=5b1c");
	ck_assert_uint_eq(got.runs[0].offset, 38912);
	no_key = strlen(brief);
	hand_over(no_key);
	ck_assert_str_eq(brief, "");
	hand_over(1);
	ck_assert_str_eq(brief, "");
}
END_TEST

/* Another image, discarded by an earlier run. */
START_TEST(has_what_was_discarded_before)
{
	static const struct boot_run swap = { .found = FOUND_SWAP, .fate = FATE_NONE };
	struct boot_run discarded = { .found = FOUND_IMAGE,
				      .fate = FATE_DISCARDED,
				      .reason = "it was of an older session" };
	size_t most;

	made_put("/etc/initrd-release", "");
	made_put("/run/x", "");
	ck_assert_int_eq(boot_record_add(made_root, &discarded), 0);
	ck_assert_int_eq(boot_record_add(made_root, &swap), 0);
	ck_assert_int_eq(boot_record_add(made_root, &run), 0);
	hand_over(sizeof(brief));
	most = strlen(brief);
	ck_assert_uint_eq(got.run_count, 2);
	ck_assert_str_eq(got.runs[0].reason, discarded.reason);
	ck_assert_str_eq(got.runs[1].named, "UUID=5b1c");
	hand_over(most);
	ck_assert_uint_eq(got.run_count, 2);
	ck_assert_ptr_null(got.map);
	/* There is room for one. */
	hand_over(strlen(brief));
	ck_assert_uint_eq(got.run_count, 1);
	ck_assert_uint_eq(got.forgotten, 1);
	ck_assert_str_eq(got.runs[0].named, "UUID=5b1c");
	ck_assert_str_eq(got.command_line, "quiet resume=UUID=1 of-the-boot-that-resumes");
}
END_TEST

static void read_record(void)
{
	struct why w = { 0 };

	boot_record_free(&got);
	ck_assert_msg(boot_record_read(made_root, &got, &w) == 0, "%s", w.text);
}

/* The outcome of a run replaces it; earlier ones stay. */
START_TEST(is_renewed)
{
	static const struct boot_run swap = { .time = 7, .found = FOUND_SWAP, .fate = FATE_NONE };
	struct boot_run after = run;

	after.fate = FATE_DISCARDED;
	made_put("/etc/initrd-release", "");
	made_put("/run/x", "");
	ck_assert_int_eq(boot_record_add(made_root, &swap), 0);
	ck_assert_int_eq(boot_record_add(made_root, &run), 0);
	ck_assert_int_eq(boot_record_renew(made_root, &after), 0);
	read_record();
	ck_assert_uint_eq(got.run_count, 2);
	ck_assert_uint_eq(got.runs[0].time, 7);
	ck_assert_uint_eq(got.runs[1].time, run.time);
	ck_assert_int_eq(got.runs[1].fate, FATE_DISCARDED);
	/* It is gone by now. */
	made_put("/run/s2disk/boot", NULL);
	ck_assert_int_eq(boot_record_renew(made_root, &after), 0);
	read_record();
	ck_assert_uint_eq(got.run_count, 1);
	ck_assert_int_eq(got.runs[0].fate, FATE_DISCARDED);
	made_put("/run/s2disk/boot", "s2disk boot record 2\n");
	ck_assert_int_eq(boot_record_renew(made_root, &after), -ENOTSUP);
}
END_TEST

/* The system that made the image continues: its kernel, with its log, and its boot id. */
START_TEST(takes_the_place)
{
	static const struct boot_run swap = { .found = FOUND_SWAP, .fate = FATE_NONE };
	struct why w = { 0 };

	hand_over(sizeof(brief));
	made_put("/proc/sys/kernel/random/boot_id", "boot-1\n");
	made_put("/dev/kmsg", "6,1,2,-;ACPI: DSDT 0x1AAAAAAA 002B5E\n");
	made_put("/etc/initrd-release", "");
	made_put("/run/x", "");
	ck_assert_int_eq(boot_record_add(made_root, &swap), 0);
	made_put("/etc/initrd-release", NULL);
	made_put("/dev/kmsg", "");
	ck_assert_msg(boot_record_replace(made_root, brief, &w) == 0, "%s", w.text);
	read_record();
	ck_assert_str_eq(got.boot_id, "boot-1");
	ck_assert_str_eq(got.log, "ACPI: DSDT 0x1AAAAAAA 002B5E\n");
	ck_assert_ptr_nonnull(strstr(got.map, "0x9fbff"));
	ck_assert_ptr_nonnull(strstr(got.command_line, "of-the-boot-that-resumes"));
	ck_assert_uint_eq(got.run_count, 1);
	ck_assert_int_eq(got.runs[0].found, FOUND_IMAGE);
	ck_assert_int_eq(got.runs[0].fate, FATE_RESTORED);
	ck_assert_str_eq(got.runs[0].device, "/dev/vda1");
	ck_assert_str_eq(got.runs[0].keys[0].digest, DIGEST);
	/* A second resume of the same session. */
	ck_assert_msg(boot_record_replace(made_root, brief, &w) == 0, "%s", w.text);
	read_record();
	ck_assert_str_eq(got.log, "ACPI: DSDT 0x1AAAAAAA 002B5E\n");
}
END_TEST

START_TEST(takes_an_empty_place)
{
	struct why w = { 0 };

	hand_over(sizeof(brief));
	ck_assert_int_lt(boot_record_replace(made_root, brief, &w), 0); /* no /run */
	ck_assert_str_ne(w.text, "");
	made_put("/run/x", "");
	ck_assert_int_eq(boot_record_replace(made_root, brief, NULL), 0);
	read_record();
	ck_assert_str_eq(got.boot_id, "boot-2");
	ck_assert_ptr_null(got.log);
	ck_assert_int_eq(got.runs[0].fate, FATE_RESTORED);
}
END_TEST

START_TEST(leaves_the_record_for_none)
{
	static const char *const texts[] = { "", "nonsense\n", "s2disk boot record 2\nrun 1\n",
					     "s2disk boot record 1\nkernel 6\n" };
	struct why w = { 0 };

	made_put("/run/s2disk/boot", "s2disk boot record 1\nboot-id boot-2\nkernel 5\n");
	ck_assert_int_lt(boot_record_replace(made_root, texts[_i], &w), 0);
	ck_assert_str_ne(w.text, "");
	read_record();
	ck_assert_str_eq(got.kernel, "5");
	ck_assert_uint_eq(got.run_count, 0);
}
END_TEST

/* From a newer program. */
START_TEST(leaves_a_newer_record)
{
	struct why w = { 0 };
	char text[64];

	hand_over(sizeof(brief));
	made_put("/run/s2disk/boot", "s2disk boot record 2\nkernel 5\n");
	ck_assert_int_eq(boot_record_replace(made_root, brief, &w), -ENOTSUP);
	ck_assert_str_ne(w.text, "");
	ck_assert_int_ge(io_read_text(made_root, "/run/s2disk/boot", text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "kernel 5"));
}
END_TEST

/* An attacker with write access to the disk can write this. */
START_TEST(is_hostile)
{
	made_put("/run/x", "");
	snprintf(brief, sizeof(brief),
		 "s2disk boot record 1\nboot-id boot-9\nkernel a\033[2J\nlog ACPI: X 0x1\n"
		 "run 7\n image still-there\n found swap\n reason x\nrun nonsense\n");
	ck_assert_int_eq(boot_record_replace(made_root, brief, NULL), 0);
	read_record();
	ck_assert_str_eq(got.boot_id, "boot-2");
	ck_assert_str_eq(got.kernel, "a?[2J");
	ck_assert_ptr_null(got.log);
	ck_assert_uint_eq(got.run_count, 2);
	ck_assert_int_eq(got.runs[1].fate, FATE_RESTORED);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "boot_brief");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, leaves_out_what_it_must);
	tcase_add_test(tcase, has_what_was_discarded_before);
	tcase_add_test(tcase, is_renewed);
	tcase_add_test(tcase, takes_the_place);
	tcase_add_test(tcase, leaves_a_newer_record);
	tcase_add_test(tcase, takes_an_empty_place);
	tcase_add_loop_test(tcase, leaves_the_record_for_none, 0, 4);
	tcase_add_test(tcase, is_hostile);
}
