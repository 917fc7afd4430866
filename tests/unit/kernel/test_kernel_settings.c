/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/kernel_settings, on a tree of files. Unlike files of /proc, these keep the end
 * of longer content, so only the written part is compared. */
#include "base/io.h"
#include "fixtures/check_main.h"
#include "kernel/kernel_settings.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PRINTK "/proc/sys/kernel/printk"
#define IMAGE_SIZE "/sys/power/image_size"
#define MODE "/sys/power/disk"
#define AMDGPU "/sys/module/amdgpu"
#define SWAPPINESS "/proc/sys/vm/swappiness"
#define SHRINKER "/sys/module/zswap/parameters/shrinker_enabled"

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
	made_directory(AMDGPU);
}

START_TEST(saves_and_restores)
{
	struct kernel_settings saved;

	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 2), 0);
	check_starts(PRINTK, "2\n");
	made_put(IMAGE_SIZE, "1\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(PRINTK, "7\t4\t1\t7\n");
	check_starts(IMAGE_SIZE, "6442450944\n");
	/* A second call changes nothing. */
	made_put(PRINTK, "5\n");
	made_put(IMAGE_SIZE, "5\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(PRINTK, "5\n");
	check_starts(IMAGE_SIZE, "5\n");
}
END_TEST

START_TEST(swapping)
{
	struct kernel_settings saved;

	/* A kernel without swap. */
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), 0);
	made_put(SWAPPINESS, "60\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_ON), 0);
	check_starts(SWAPPINESS, "60\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), 0);
	check_starts(SWAPPINESS, "0\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_ON), 0);
	check_starts(SWAPPINESS, "60\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), 0);
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(SWAPPINESS, "60\n");
	/* It was restored: another program's setting stays. */
	made_put(SWAPPINESS, "10\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(SWAPPINESS, "10\n");
}
END_TEST

/* memory.reclaim swaps nothing out at 0. */
START_TEST(swapping_though_the_user_does_not)
{
	struct kernel_settings saved;

	made_put(SWAPPINESS, "0\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_ON), 0);
	check_starts(SWAPPINESS, "60\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), 0);
	check_starts(SWAPPINESS, "0\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_ON), 0);
	check_starts(SWAPPINESS, "60\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OWN), 0);
	check_starts(SWAPPINESS, "0\n");
}
END_TEST

START_TEST(zswap_writes_nothing_back)
{
	struct kernel_settings saved;

	made_put(SWAPPINESS, "60\n");
	made_put(SHRINKER, "Y\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), 0);
	check_starts(SHRINKER, "N\n");
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_ON), 0);
	check_starts(SHRINKER, "Y\n");
	/* Only a part of it can be set: that is restored. */
	made_put(SWAPPINESS, NULL);
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), -ENOENT);
	check_starts(SHRINKER, "N\n");
	made_put(SWAPPINESS, "0\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(SHRINKER, "Y\n");
	check_starts(SWAPPINESS, "60\n");
	/* It was disabled. */
	made_put(SHRINKER, "N\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_swapping(&saved, SWAPPING_OFF), 0);
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(SHRINKER, "N\n");
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
	struct kernel_settings saved;

	made_put(PRINTK, limits[_i].saved);
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 1), 0);
	ck_assert_int_eq(kernel_settings_restore(&saved, limits[_i].max), 0);
	check_starts(PRINTK, limits[_i].restored);
}
END_TEST

START_TEST(levels)
{
	struct kernel_settings saved;

	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, -1), -EINVAL);
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 16), -EINVAL);
	check_starts(PRINTK, "7\t4\t1\t7\n");
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 0), 0);
	check_starts(PRINTK, "0\n");
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 15), 0);
	check_starts(PRINTK, "15\n");
}
END_TEST

START_TEST(what_is_not_there)
{
	struct kernel_settings saved;

	made_put(PRINTK, NULL);
	made_put(IMAGE_SIZE, NULL);
	memset(&saved, 0xff, sizeof(saved));
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 3), -ENOENT);
	/* Nothing was saved, so nothing is restored, even if the files exist now. */
	made_put(PRINTK, "4\n");
	made_put(IMAGE_SIZE, "4\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, 0), 0);
	check_starts(PRINTK, "4\n");
	check_starts(IMAGE_SIZE, "4\n");
}
END_TEST

/* The first error is returned; the rest is restored anyway. */
START_TEST(restores_what_it_can)
{
	struct kernel_settings saved;

	kernel_settings_save(&saved, made_root);
	made_put(PRINTK, NULL);
	made_put(IMAGE_SIZE, "1\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), -ENOENT);
	check_starts(IMAGE_SIZE, "6442450944\n");
	made_put(PRINTK, "7\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_set_console_loglevel(&saved, 1), 0);
	made_put(IMAGE_SIZE, NULL);
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), -ENOENT);
	check_starts(PRINTK, "7\n");
}
END_TEST

/* amdgpu wakes the display only if the kernel will merely sleep. */
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
	struct kernel_settings saved;

	made_put(MODE, modes[_i].modes);
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_wake_display(&saved), 0);
	check_starts(MODE, modes[_i].set);
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(MODE, modes[_i].restored);
	/* A second call changes nothing. */
	made_put(MODE, "other\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(MODE, "other\n");
}
END_TEST

/* Other drivers do not check it. */
START_TEST(display_of_others)
{
	struct kernel_settings saved;

	made_root_remove();
	made_root_create();
	made_put(MODE, "[platform] shutdown reboot suspend\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_wake_display(&saved), 0);
	check_starts(MODE, "[platform]");
}
END_TEST

START_TEST(display_put_back_first)
{
	struct kernel_settings saved;

	made_put(MODE, "[platform] shutdown reboot suspend\n");
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_restore_display(&saved), 0);
	check_starts(MODE, "[platform]");
	ck_assert_int_eq(kernel_settings_wake_display(&saved), 0);
	ck_assert_int_eq(kernel_settings_restore_display(&saved), 0);
	check_starts(MODE, "platform");
	/* A second call changes nothing. */
	made_put(MODE, "other\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(MODE, "other\n");
}
END_TEST

START_TEST(display_without_a_setting)
{
	struct kernel_settings saved;

	/* No such file. */
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_wake_display(&saved), 0);
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	/* What was not changed is not restored. */
	made_put(MODE, "[platform] suspend\n");
	kernel_settings_save(&saved, made_root);
	made_put(MODE, NULL);
	ck_assert_int_eq(kernel_settings_wake_display(&saved), -ENOENT);
	made_put(MODE, "[shutdown] suspend\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(MODE, "[shutdown] suspend\n");
	/* A failing second call does not cancel restoring the first one's change. */
	kernel_settings_save(&saved, made_root);
	ck_assert_int_eq(kernel_settings_wake_display(&saved), 0);
	made_put(MODE, NULL);
	ck_assert_int_eq(kernel_settings_wake_display(&saved), -ENOENT);
	made_put(MODE, "suspend\n");
	ck_assert_int_eq(kernel_settings_restore(&saved, -1), 0);
	check_starts(MODE, "shutdown");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kernel_settings");

	tcase_add_checked_fixture(tcase, make_tree, made_root_remove);
	tcase_add_test(tcase, saves_and_restores);
	tcase_add_test(tcase, swapping);
	tcase_add_test(tcase, swapping_though_the_user_does_not);
	tcase_add_test(tcase, zswap_writes_nothing_back);
	tcase_add_loop_test(tcase, limits_the_level, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(tcase, levels);
	tcase_add_test(tcase, what_is_not_there);
	tcase_add_test(tcase, restores_what_it_can);
	tcase_add_loop_test(tcase, wakes_the_display, 0, (int)(sizeof(modes) / sizeof(modes[0])));
	tcase_add_test(tcase, display_of_others);
	tcase_add_test(tcase, display_put_back_first);
	tcase_add_test(tcase, display_without_a_setting);
}
