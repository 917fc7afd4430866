/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target: who names the swap area. Trees of /proc; devices that do not exist,
 * so that the message says which was chosen, and files, which only the
 * running system may name. */
#include "fixtures/machine/made_root.h"
#include "config/target.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

static char plain_file[128];

static void make_tree(void)
{
	made_root_create();
	made_directory("/proc");
	snprintf(plain_file, sizeof(plain_file), "%s/plain", made_root);
	made_put("/plain", "no swap file\n");
}

static const struct {
	const char *name;	     /* "resume device" of the settings; "" when not set */
	const char *cmdline, *swaps; /* NULL: no such file */
	bool running;
	int error;
	const char *sentence;
} cases[] = {
	/* The settings come first. */
	{ "/no/a", "resume=/no/b", HEAD "/no/c partition 1 0 -2\n", true, -ENODEV,
	  "/no/a: does not" },
	{ "/no/a", "resume=/no/b", HEAD, false, -ENODEV, "/no/a: does not" },
	{ "/no/a", NULL, NULL, false, -ENODEV, "/no/a: does not" },
	{ "nonsense", "resume=/no/b", HEAD, false, -EINVAL, "nonsense: not a device" },
	/* Its offset does not matter then. */
	{ "/no/a", "resume=/no/b resume_offset=x", HEAD, false, -ENODEV, "/no/a: does not" },
	/* Then the kernel command line, before what is active. */
	{ "", "quiet resume=/no/b\n", HEAD "/no/c partition 1 0 -2\n", true, -ENODEV,
	  "resume= on the kernel command line: /no/b: does not exist" },
	{ "", "resume=/no/b", NULL, false, -ENODEV, "command line: /no/b: does not exist" },
	{ "", "resume=swap:/no/b", NULL, false, -ENODEV, "/no/b: does not exist" },
	{ "", "resume=/no/a resume=/no/b", NULL, false, -ENODEV, "/no/b: does not exist" },
	{ "", "resume=b", NULL, false, -EINVAL, "command line: b: not a device" },
	{ "", "resume=/no/b resume_offset=7x", NULL, false, -EINVAL, "resume_offset=7x" },
	{ "", "resume=/no/b resume_offset=", NULL, true, -EINVAL, "resume_offset=(empty)" },
	/* An offset alone names nothing. */
	{ "", "resume_offset=7", NULL, false, -ENOENT, "no device is named" },
	{ "", "resume_offset=x", HEAD "/no/c partition 1 0 -2\n", true, -ENODEV, "/no/c" },
	/* In the initramfs nothing is active. */
	{ "", "quiet", HEAD "/no/c partition 1 0 -2\n", false, -ENOENT, "no device is named" },
	{ "", "", HEAD, false, -ENOENT, "no device is named" },
	{ "", NULL, NULL, false, -ENOENT, "no device is named" },
	{ "", "resume=", HEAD, false, -ENOENT, "no device is named" },
	/* The only suitable one. */
	{ "", "quiet", HEAD "/no/c partition 1 0 -2\n", true, -ENODEV, "/no/c: does not" },
	{ "", NULL, HEAD "/no/c partition 1 0 -2\n", true, -ENODEV, "/no/c: does not" },
	{ "", "resume=", HEAD "/no/c partition 1 0 -2\n", true, -ENODEV, "/no/c: does not" },
	{ "", "", HEAD "/dev/zram0 partition 9 0 100\n/no/c\\040d file 1 0 -2\n", true, -ENODEV,
	  "/no/c d: does not" },
	{ "", "", HEAD "/no/e\\040(deleted) file 9 0 1\n/no/c partition 1 0 -2\n", true, -ENODEV,
	  "/no/c: does not" },
	{ "", "", HEAD "/no/c partition 1 0 -2\n/no/d file 1 0 -3\n", true, -ENOTUNIQ,
	  "2 swap areas are active" },
	{ "", "", HEAD "/no/c partition 1 0 -2\n/no/d file 1 0 -3\n/no/e file 1 0 -3\n", true,
	  -ENOTUNIQ, "3 swap areas are active" },
	{ "", "", HEAD, true, -ENOENT, "no swap area" },
	{ "", "", "", true, -ENOENT, "no swap area" },
	{ "", "", HEAD "/dev/zram0 partition 9 0 100\n", true, -ENOENT, "no swap area" },
	{ "", "", NULL, true, -ENOENT, "/proc/swaps cannot be read" },
	{ "", "", "garbage\n", true, -EINVAL, "/proc/swaps cannot be read" },
	{ "", "", HEAD "/no/c\n", true, -EINVAL, "/proc/swaps cannot be read" },
};

START_TEST(who_names_it)
{
	struct settings settings;
	struct swap_area area;
	struct why w = { "" };
	int r;

	settings_defaults(&settings);
	strcpy(settings.resume_device, cases[_i].name);
	made_put("/proc/cmdline", cases[_i].cmdline);
	made_put("/proc/swaps", cases[_i].swaps);
	memset(&area, 0x5a, sizeof(area));
	r = target_find(&settings, made_root, cases[_i].running, &area, &w);
	ck_assert_msg(r == cases[_i].error, "%d: %s", r, w.text);
	ck_assert_msg(strstr(w.text, cases[_i].sentence) != NULL, "%s", w.text);
	for (size_t i = 0; i < sizeof(area); i++)
		ck_assert_uint_eq(((unsigned char *)&area)[i], 0x5a);
}
END_TEST

/* 70 lines, more than are kept; the 65th and later ones count for nothing. */
START_TEST(many_swap_areas)
{
	char text[8192] = HEAD;
	struct settings settings;
	struct swap_area area;
	struct why w = { "" };

	for (int i = 0; i < 70; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "/no/%02d partition 1 0 -%d\n", i, i + 2);
	settings_defaults(&settings);
	made_put("/proc/swaps", text);
	ck_assert_int_eq(target_find(&settings, made_root, true, &area, &w), -ENOTUNIQ);
	ck_assert_ptr_nonnull(strstr(w.text, "swap areas are active"));
}
END_TEST

/* A file is an answer in the running system only; this one is no swap file. */
START_TEST(files)
{
	char text[256];
	struct settings settings;
	struct swap_area area;
	struct why w = { "" };
	int r;

	settings_defaults(&settings);
	snprintf(text, sizeof(text), "resume=%s", plain_file);
	for (int from_settings = 0; from_settings < 2; from_settings++) {
		strcpy(settings.resume_device, from_settings ? plain_file : "");
		made_put("/proc/cmdline", from_settings ? "" : text);
		ck_assert_int_eq(target_find(&settings, made_root, false, &area, &w), -ENOTBLK);
		ck_assert_ptr_nonnull(strstr(w.text, "a file; give the block device"));
		r = target_find(&settings, made_root, true, &area, &w);
		ck_assert_int_lt(r, 0);
		ck_assert_int_ne(r, -ENOTBLK);
		ck_assert_ptr_null(strstr(w.text, "here give the block device"));
		ck_assert_ptr_nonnull(strstr(w.text, plain_file));
	}
}
END_TEST

/* An offset of the settings counts more than one of the command line, also
 * where that one is not a number. */
START_TEST(offset_of_the_settings)
{
	struct settings settings;
	struct swap_area area;
	struct why w = { "" };

	settings_defaults(&settings);
	settings.resume_offset_set = true;
	settings.resume_offset = 38912;
	made_put("/proc/cmdline", "resume=/no/b resume_offset=7x");
	ck_assert_int_eq(target_find(&settings, made_root, false, &area, &w), -ENODEV);
	ck_assert_ptr_nonnull(strstr(w.text, "/no/b: does not exist"));
}
END_TEST

/* What the initramfs' maker chose counts last, there only, and takes the
 * command line's offset. */
START_TEST(default_device)
{
	struct settings settings;
	struct swap_area area;
	struct why w = { "" };

	settings_defaults(&settings);
	strcpy(settings.default_device, "/no/z");
	made_put("/proc/cmdline", "quiet resume_offset=7x");
	made_put("/proc/swaps", HEAD "/no/c partition 1 0 -2\n");
	ck_assert_int_eq(target_find(&settings, made_root, false, &area, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "resume_offset=7x"));
	made_put("/proc/cmdline", "quiet");
	w.text[0] = '\0';
	ck_assert_int_eq(target_find(&settings, made_root, false, &area, &w), -ENODEV);
	ck_assert_ptr_nonnull(strstr(w.text, "/no/z: does not exist"));
	w.text[0] = '\0';
	ck_assert_int_eq(target_find(&settings, made_root, true, &area, &w), -ENODEV);
	ck_assert_ptr_nonnull(strstr(w.text, "/no/c: does not exist"));
	made_put("/proc/cmdline", "resume=/no/b");
	w.text[0] = '\0';
	ck_assert_int_eq(target_find(&settings, made_root, false, &area, &w), -ENODEV);
	ck_assert_ptr_nonnull(strstr(w.text, "/no/b: does not exist"));
}
END_TEST

/* The firmware's device has an offset of its own; one that is left over elsewhere is of another. */
START_TEST(offset_of_the_firmware)
{
	struct kernel_cmdline cmdline;
	struct settings settings;
	char spec[256];
	const char *by;
	uint64_t offset = 1;

	settings_defaults(&settings);
	strcpy(settings.default_device, "UUID=1");
	settings.default_offset = 9;
	kernel_cmdline_parse("quiet resume_offset=5", &cmdline);
	ck_assert_int_eq(target_named(&settings, &cmdline, false, spec, sizeof(spec), &offset, &by,
				      NULL),
			 0);
	ck_assert_uint_eq(offset, 5);
	settings.default_by_firmware = true;
	ck_assert_int_eq(target_named(&settings, &cmdline, false, spec, sizeof(spec), &offset, &by,
				      NULL),
			 0);
	ck_assert_str_eq(spec, "UUID=1");
	ck_assert_uint_eq(offset, 9);
	settings.default_offset = 0;
	settings.resume_offset = 7;
	settings.resume_offset_set = true;
	kernel_cmdline_parse("quiet resume_offset=5x", &cmdline);
	ck_assert_int_eq(target_named(&settings, &cmdline, false, spec, sizeof(spec), &offset, &by,
				      NULL),
			 0);
	ck_assert_uint_eq(offset, 0);
}
END_TEST

static const struct {
	const char *name, *cmdline, *by_default, *awaited;
} awaited[] = {
	{ "UUID=12-ab", "resume=/dev/sda2", "/dev/sda3", "UUID=12-ab" },
	{ "", "resume=PARTLABEL=swap", "/dev/sda3", "PARTLABEL=swap" },
	{ "", "noresume", "LABEL=x", "LABEL=x" },
	{ "", "", "", "" },
	{ "", NULL, "PARTUUID=1-01", "PARTUUID=1-01" },
	{ "8:2", "", "", "/dev/block/8:2" },
	{ "/dev/sda2", "", "", "/dev/sda2" },
	/* Nothing of that kind ever comes to be in an initramfs. */
	{ "/swapfile", "", "", "" },
	{ "sda2", "", "", "" },
	{ "8:2x", "", "", "" },
	{ "", "resume=/dev/sda2 resume_offset=x", "", "" },
};

START_TEST(what_to_wait_for)
{
	struct settings settings;
	char text[256];

	settings_defaults(&settings);
	strcpy(settings.resume_device, awaited[_i].name);
	strcpy(settings.default_device, awaited[_i].by_default);
	made_put("/proc/cmdline", awaited[_i].cmdline);
	memset(text, 'x', sizeof(text));
	target_awaited(&settings, made_root, text, sizeof(text));
	ck_assert_str_eq(text, awaited[_i].awaited);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "target");

	tcase_add_checked_fixture(tcase, make_tree, made_root_remove);
	tcase_add_loop_test(tcase, who_names_it, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, many_swap_areas);
	tcase_add_test(tcase, files);
	tcase_add_test(tcase, offset_of_the_settings);
	tcase_add_test(tcase, default_device);
	tcase_add_test(tcase, offset_of_the_firmware);
	tcase_add_loop_test(tcase, what_to_wait_for, 0,
			    (int)(sizeof(awaited) / sizeof(awaited[0])));
}
