/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/knobs, on a tree of files. Unlike files of /proc, these keep the end of
 * what was longer, so only what was written is looked at. */
#include "base/io.h"
#include "kernel/kernel_settings.h"
#include "fixtures/made_root.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PRINTK "/proc/sys/kernel/printk"
#define IMAGE_SIZE "/sys/power/image_size"
#define MODE "/sys/power/disk"
#define AMDGPU "/sys/module/amdgpu"

static void check_starts(const char *path, const char *expected)
{
	char text[128];

	ck_assert_int_ge(io_read_text(made_root, path, text, sizeof(text)), 0);
	ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s holds \"%s\"", path,
		      text);
}

static void make_tree(void)
{
	made_root_create();
	made_put(PRINTK, "7\t4\t1\t7\n");
	made_put(IMAGE_SIZE, "6442450944\n");
	made_folder(AMDGPU);
}

START_TEST(saves_and_restores)
{
	struct knobs knobs;
	uint64_t size = 0;

	knobs_save(&knobs, made_root);
	ck_assert(knobs_image_size(&knobs, &size));
	ck_assert_uint_eq(size, 6442450944);
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 2), 0);
	check_starts(PRINTK, "2\n");
	made_put(IMAGE_SIZE, "1\n");
	/* What was saved, not what is there. */
	ck_assert(knobs_image_size(&knobs, &size));
	ck_assert_uint_eq(size, 6442450944);
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(PRINTK, "7\t4\t1\t7\n");
	check_starts(IMAGE_SIZE, "6442450944\n");
	/* A second time changes nothing. */
	made_put(PRINTK, "5\n");
	made_put(IMAGE_SIZE, "5\n");
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(PRINTK, "5\n");
	check_starts(IMAGE_SIZE, "5\n");
}
END_TEST

static const struct {
	int max;
	const char *saved, *restored;
} limits[] = {
	{ -1, "15\t4\t1\t7\n", "15\t4\t1\t7\n" },
	{ 0, "7\t4\t1\t7\n", "0\n" },
	{ 6, "7\t4\t1\t7\n", "6\n" },
	{ 7, "7\t4\t1\t7\n", "7\t4\t1\t7\n" },
	{ 15, "7\t4\t1\t7\n", "7\t4\t1\t7\n" },
	{ 9, "10\t4\t1\t7\n", "9\n" },
	{ 3, "0\t4\t1\t7\n", "0\t4\t1\t7\n" },
};

START_TEST(limits_the_level)
{
	struct knobs knobs;

	made_put(PRINTK, limits[_i].saved);
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 1), 0);
	ck_assert_int_eq(knobs_restore(&knobs, limits[_i].max), 0);
	check_starts(PRINTK, limits[_i].restored);
}
END_TEST

START_TEST(levels)
{
	struct knobs knobs;

	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, -1), -EINVAL);
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 16), -EINVAL);
	check_starts(PRINTK, "7\t4\t1\t7\n");
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 0), 0);
	check_starts(PRINTK, "0\n");
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 15), 0);
	check_starts(PRINTK, "15\n");
}
END_TEST

START_TEST(what_is_not_there)
{
	struct knobs knobs;
	uint64_t size = 77;

	made_put(PRINTK, NULL);
	made_put(IMAGE_SIZE, NULL);
	memset(&knobs, 0xff, sizeof(knobs));
	knobs_save(&knobs, made_root);
	ck_assert(!knobs_image_size(&knobs, &size));
	ck_assert_uint_eq(size, 77);
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 3), -ENOENT);
	/* Nothing was saved, so nothing is put back, even if it is there now. */
	made_put(PRINTK, "4\n");
	made_put(IMAGE_SIZE, "4\n");
	ck_assert_int_eq(knobs_restore(&knobs, 0), 0);
	check_starts(PRINTK, "4\n");
	check_starts(IMAGE_SIZE, "4\n");
}
END_TEST

/* The first error is told, the rest is done. */
START_TEST(restores_what_it_can)
{
	struct knobs knobs;

	knobs_save(&knobs, made_root);
	made_put(PRINTK, NULL);
	made_put(IMAGE_SIZE, "1\n");
	ck_assert_int_eq(knobs_restore(&knobs, -1), -ENOENT);
	check_starts(IMAGE_SIZE, "6442450944\n");
	made_put(PRINTK, "7\n");
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_set_console_loglevel(&knobs, 1), 0);
	made_put(IMAGE_SIZE, NULL);
	ck_assert_int_eq(knobs_restore(&knobs, -1), -ENOENT);
	check_starts(PRINTK, "7\n");
}
END_TEST

START_TEST(image_sizes)
{
	static const struct {
		const char *text;
		bool known;
		uint64_t size;
	} sizes[] = {
		{ "0\n", true, 0 },
		{ "18446744073709551615\n", true, UINT64_MAX },
		{ "18446744073709551616\n", false, 77 },
		{ "", false, 77 },
		{ "\n", false, 77 },
		{ "-1\n", false, 77 },
		{ "12 13\n", false, 77 },
		{ "much\n", false, 77 },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct knobs knobs;
		uint64_t size = 77;

		made_put(IMAGE_SIZE, sizes[i].text);
		knobs_save(&knobs, made_root);
		ck_assert_int_eq(knobs_image_size(&knobs, &size), sizes[i].known);
		ck_assert_uint_eq(size, sizes[i].size);
	}
}
END_TEST

/* amdgpu wakes only where the kernel says that it will merely sleep. */
static const struct {
	const char *modes, *set, *restored;
} modes[] = {
	{ "[platform] shutdown reboot suspend test_resume\n", "suspend\n", "platform" },
	{ "platform [shutdown] reboot suspend\n", "suspend\n", "shutdown" },
	{ "[shutdown] reboot suspend test_resume \n", "suspend\n", "shutdown" },
	/* Already so. */
	{ "platform shutdown reboot [suspend]\n", "platform shutdown", "platform shutdown" },
	/* A kernel without CONFIG_SUSPEND: the write would fail (EINVAL). */
	{ "[platform] shutdown reboot\n", "[platform] shut", "[platform] shut" },
	{ "[disabled]\n", "[disabled]", "[disabled]" },
	{ "[a-word-that-is-too-long] suspend\n", "[a-word", "[a-word" },
	{ "[] suspend\n", "[] suspend", "[] suspend" },
	{ "\n", "\n", "\n" },
};

START_TEST(wakes_the_display)
{
	struct knobs knobs;

	made_put(MODE, modes[_i].modes);
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_wake_display(&knobs), 0);
	check_starts(MODE, modes[_i].set);
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(MODE, modes[_i].restored);
	/* A second time changes nothing. */
	made_put(MODE, "other\n");
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(MODE, "other\n");
}
END_TEST

/* Other drivers do not ask. */
START_TEST(display_of_others)
{
	struct knobs knobs;

	made_root_remove();
	made_root_create();
	made_put(MODE, "[platform] shutdown reboot suspend\n");
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_wake_display(&knobs), 0);
	check_starts(MODE, "[platform]");
}
END_TEST

START_TEST(display_put_back_first)
{
	struct knobs knobs;

	made_put(MODE, "[platform] shutdown reboot suspend\n");
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_restore_display(&knobs), 0);
	check_starts(MODE, "[platform]");
	ck_assert_int_eq(knobs_wake_display(&knobs), 0);
	ck_assert_int_eq(knobs_restore_display(&knobs), 0);
	check_starts(MODE, "platform");
	/* A second time changes nothing. */
	made_put(MODE, "other\n");
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(MODE, "other\n");
}
END_TEST

START_TEST(display_without_a_setting)
{
	struct knobs knobs;

	/* Nothing there. */
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_wake_display(&knobs), 0);
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	/* What was not changed is not put back. */
	made_put(MODE, "[platform] suspend\n");
	knobs_save(&knobs, made_root);
	made_put(MODE, NULL);
	ck_assert_int_eq(knobs_wake_display(&knobs), -ENOENT);
	made_put(MODE, "[shutdown] suspend\n");
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(MODE, "[shutdown] suspend\n");
	/* A second time that fails does not undo that the first one has to be put back. */
	knobs_save(&knobs, made_root);
	ck_assert_int_eq(knobs_wake_display(&knobs), 0);
	made_put(MODE, NULL);
	ck_assert_int_eq(knobs_wake_display(&knobs), -ENOENT);
	made_put(MODE, "suspend\n");
	ck_assert_int_eq(knobs_restore(&knobs, -1), 0);
	check_starts(MODE, "shutdown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("knobs");
	TCase *tcase = tcase_create("knobs");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_tree, made_root_remove);
	tcase_add_test(tcase, saves_and_restores);
	tcase_add_loop_test(tcase, limits_the_level, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(tcase, levels);
	tcase_add_test(tcase, what_is_not_there);
	tcase_add_test(tcase, restores_what_it_can);
	tcase_add_test(tcase, image_sizes);
	tcase_add_loop_test(tcase, wakes_the_display, 0, (int)(sizeof(modes) / sizeof(modes[0])));
	tcase_add_test(tcase, display_of_others);
	tcase_add_test(tcase, display_put_back_first);
	tcase_add_test(tcase, display_without_a_setting);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
