/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: what it says of the configuration and of what is named there. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "preflight/preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct settings settings;
static struct preflight_target target;
static struct preflight result;

static uid_t root_user(void)
{
	return 0;
}

static int no_device(const char *path, int flags, mode_t kind)
{
	(void)path, (void)flags, (void)kind;
	return -ENOENT;
}

static const struct check *run(const char *id)
{
	static const struct preflight_system system = { .euid = root_user,
							.entry_device = preflight_entry_device,
							.open_device = no_device };

	preflight_run_on(&system, &settings, &target, made_root, &result);
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.checks[i].id, id) == 0)
			return &result.checks[i];
	ck_abort_msg("no check %s", id);
}

static void expect(const char *id, enum check_level level, const char *text, const char *advice)
{
	const struct check *check = run(id);

	ck_assert_msg(check->level == level, "%s: level %d: %s", id, check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "%s: text: %s", id, check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "%s: advice: %s", id, check->advice);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

static void setup(void)
{
	made_root_create();
	settings_defaults(&settings);
	settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	target = (struct preflight_target){ .area_problem = "none" };
}

static void parse(const char *text)
{
	ck_assert_int_eq(settings_parse(&settings, text, "/etc/suspend.conf", NULL, NULL), 0);
}

START_TEST(unknown_keys)
{
	parse("# a comment\nthreads = y\n");
	expect("settings", CHECK_OK, "no unknown keys", "");
	parse("\nwrkers = 2\n");
	expect("settings", CHECK_WARNING,
	       "/etc/suspend.conf:2: unknown key \"wrkers\" (did you mean \"workers\"?), ignored",
	       "correct it or remove it");
	for (int i = 0; i < 30; i++)
		parse("some key = 1\nwhatever = 1\n");
	expect("settings", CHECK_WARNING, "; and 55 more, ignored", "correct them or remove them");
	/* The longest that there can be. */
	memset(settings.unknown.text, 'x', sizeof(settings.unknown.text) - 1);
	settings.unknown.count = 4294967295;
	expect("settings", CHECK_WARNING, "x; and 42", "");
}
END_TEST

/* What was to be secret is not written for all to read because of a slip. */
START_TEST(encrypt_that_was_mistyped)
{
	parse("compress = y\n");
	expect("encrypt", CHECK_OK, "not enabled", "");
	parse("enrypt = y\n");
	expect("settings", CHECK_WARNING, ":1: unknown key \"enrypt\"", "");
	expect("encrypt", CHECK_FAILED, "/etc/suspend.conf:1: unknown key \"enrypt\" (did you",
	       "\"encrypt = n\" after it");
	/* The wish is clear again. */
	parse("encrypt = n\n");
	expect("encrypt", CHECK_OK, "not enabled", "");
	parse("enrypt = n\n");
	expect("encrypt", CHECK_OK, "not enabled", "");
	/* On already. */
	parse("encrypt = y\nencrypted = y\n");
	expect("encrypt", CHECK_OK, "the image will be encrypted", "");
	memset(settings.unknown.encrypt, 'x', sizeof(settings.unknown.encrypt) - 1);
	settings.encrypt = false;
	expect("encrypt", CHECK_FAILED, "x", "");
}
END_TEST

/* A mistyped device must not lead to a new swap file. */
START_TEST(device_that_does_not_exist)
{
	target.area_error = -ENODEV;
	target.area_problem = "/dev/sad2: does not exist";
	parse("threads = y\n\nresume device = /dev/sad2\n");
	expect("swap-area", CHECK_FAILED, "/dev/sad2: does not exist",
	       "correct the name in /etc/suspend.conf:3, or attach the device; \"lsblk -f\"");
	ck_assert_ptr_null(strstr(run("swap-area")->advice, "s2disk-swapfile"));
	settings.resume_device_by[0] = '\0';
	expect("swap-area", CHECK_FAILED, "", "correct the name in the option -r or -P");
	settings.resume_device[0] = '\0';
	made_put("/proc/cmdline", "quiet resume=UUID=1234\n");
	expect("swap-area", CHECK_FAILED, "", "in resume= of the kernel command line");
}
END_TEST

START_TEST(device_that_is_none)
{
	target.area_error = -EACCES;
	parse("resume device = /dev/null\n");
	expect("swap-area", CHECK_FAILED, "", "as root");
	target.area_error = -ENOTBLK;
	expect("swap-area", CHECK_FAILED, "", "name a swap partition or a swap file in /etc/susp");
	ck_assert_ptr_null(strstr(run("swap-area")->advice, "s2disk-swapfile"));
}
END_TEST

START_TEST(no_device_is_named)
{
	target.area_error = -ENOENT;
	expect("swap-area", CHECK_FAILED, "", "s2disk-swapfile create");
	expect("swap-area", CHECK_FAILED, "", "with swapon");
	/* It was the only line of /proc/swaps. */
	target.area_error = -ENODEV;
	expect("swap-area", CHECK_FAILED, "", "s2disk-swapfile create");
	target.area_error = 0;
	parse("swap on demand = /swapfile\n");
	expect("swap-area", CHECK_FAILED, "", "s2disk-swapfile check to see");
	/* What to do stands in the problem then. */
	target.area_error = -ENOTUNIQ;
	expect("swap-area", CHECK_FAILED, "", "swapon --show");
	ck_assert_ptr_null(strstr(run("swap-area")->advice, "s2disk-swapfile"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_settings");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, unknown_keys);
	tcase_add_test(tcase, encrypt_that_was_mistyped);
	tcase_add_test(tcase, device_that_does_not_exist);
	tcase_add_test(tcase, device_that_is_none);
	tcase_add_test(tcase, no_device_is_named);
}
