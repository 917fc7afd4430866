/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: settings of a command line come after the file. */
#include "config/options.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[64];

static void make_file(void)
{
	strcpy(file, "/tmp/test_options.XXXXXX");
	close(mkstemp(file));
}

static void remove_file(void)
{
	unlink(file);
}

static void put(const char *text)
{
	FILE *out = fopen(file, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

START_TEST(too_many)
{
	struct options options = { 0 };

	for (unsigned int i = 0; i < OPTIONS_ASSIGNMENTS_MAX; i++)
		ck_assert(options_assign(&options, i % 2 ? NULL : "key", "x"));
	ck_assert(!options_assign(&options, NULL, "y"));
	ck_assert(!options_assign(&options, "key", "y"));
	ck_assert_uint_eq(options.count, OPTIONS_ASSIGNMENTS_MAX);
	ck_assert_str_eq(options.assignments[OPTIONS_ASSIGNMENTS_MAX - 1].value, "x");
}
END_TEST

static struct options with_file(void)
{
	struct options options = { 0 };

	options.config_file = file;
	return options;
}

START_TEST(file_then_options_in_order)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };
	int r;

	put("resume device = /dev/file\nresume offset = 1\nworkers = 3\nmax attempts = 9\n");
	options_assign(&options, "resume device", "/dev/first");
	options_assign(&options, NULL, "resume device: /dev/second");
	options_assign(&options, NULL, "workers = 4");
	options_assign(&options, "resume offset", "0x20");
	options_assign(&options, "image size", "2G");
	options_assign(&options, NULL, "# nothing");
	memset(&settings, 0xff, sizeof(settings));
	r = options_load_settings(&options, &settings, &w);
	ck_assert_msg(r == 0, "%s", w.text);
	ck_assert_str_eq(settings.resume_device, "/dev/second");
	ck_assert_uint_eq(settings.resume_offset, 32);
	ck_assert(settings.resume_offset_set);
	ck_assert_uint_eq(settings.workers, 4);
	ck_assert_uint_eq(settings.max_attempts, 9);
	ck_assert_uint_eq(settings.image_size, 2ull << 30);
	ck_assert(settings.image_size_set);
	ck_assert_str_eq(settings.config_file, file);
	/* And the defaults for what was not set. */
	ck_assert_uint_eq(settings.block_kib, 512);
	ck_assert(!settings.method_set);
}
END_TEST

/* The offset of the file belongs to the device of the file. */
static const struct {
	const char *device, *offset, *assignment; /* NULL: not given */
	bool set;
	uint64_t value;
} offsets[] = {
	{ NULL, NULL, NULL, true, 7 },
	{ NULL, "8", NULL, true, 8 },
	{ "/dev/a", NULL, NULL, false, 0 },
	{ "/dev/a", "8", NULL, true, 8 },
	{ NULL, NULL, "resume offset = 9", true, 9 },
	{ "/dev/a", NULL, "resume offset = 9", true, 9 },
	{ "/dev/a", "8", "resume offset = 9", true, 9 },
};

START_TEST(offset_of_another_device)
{
	struct options options = with_file();
	struct settings settings;

	put("resume device = /dev/file\nresume offset = 7\n");
	if (offsets[_i].offset)
		options_assign(&options, "resume offset", offsets[_i].offset);
	if (offsets[_i].device)
		options_assign(&options, "resume device", offsets[_i].device);
	if (offsets[_i].assignment)
		options_assign(&options, NULL, offsets[_i].assignment);
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_int_eq(settings.resume_offset_set, offsets[_i].set);
	ck_assert_uint_eq(settings.resume_offset, offsets[_i].value);
	ck_assert_str_eq(settings.resume_device, offsets[_i].device ? "/dev/a" : "/dev/file");
	/* Who named it. */
	if (offsets[_i].device)
		ck_assert_str_eq(settings.resume_device_by, "");
	else
		ck_assert_ptr_nonnull(strstr(settings.resume_device_by, file));
}
END_TEST

/* -P is the same setting by another way. */
START_TEST(offset_of_another_device_by_parameter)
{
	struct options options = with_file();
	struct settings settings;

	put("resume device = /dev/file\nresume offset = 7\n");
	options_assign(&options, NULL, "resume device = /dev/a");
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_str_eq(settings.resume_device, "/dev/a");
	ck_assert(!settings.resume_offset_set);
}
END_TEST

START_TEST(source_of_a_release)
{
	struct options options = with_file();
	struct settings settings;
	char by[300];

	put("splash = y\nrelease devices = e1000e\nrelease wait = 3\n");
	snprintf(by, sizeof(by), "%s:2", file);
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_str_eq(settings.release.devices, "e1000e");
	ck_assert_str_eq(settings.release.devices_by, by);
	options_assign(&options, NULL, "release devices = class:02");
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_str_eq(settings.release.devices, "class:02");
	ck_assert_str_eq(settings.release.devices_by, "the command line");
}
END_TEST

static const struct {
	const char *key, *value;
	int error;
	const char *sentence;
} wrong[] = {
	{ "resume offset", "many", -EINVAL, "\"resume offset\" cannot be \"many\"" },
	{ "resume offset", "-1", -EINVAL, "\"resume offset\" cannot be \"-1\"" },
	{ "resume device", "a\nb", -EINVAL, "\"resume device\" cannot be \"a?b\"" },
	{ NULL, "no separator", -EINVAL, "not of the form key = value" },
	{ NULL, "no such key = 1", -ENOENT, "no such key" },
	{ NULL, "workers = 65", -EINVAL, "0 to 64" },
};

START_TEST(wrong_values)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };

	put("workers = 2\n");
	ck_assert(options_assign(&options, wrong[_i].key, wrong[_i].value));
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), wrong[_i].error);
	ck_assert_msg(strstr(w.text, wrong[_i].sentence) != NULL, "%s", w.text);
}
END_TEST

START_TEST(first_error_is_reported)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };

	put("workers = 999\n");
	options_assign(&options, NULL, "block size = 1");
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "workers"));
	ck_assert_ptr_nonnull(strstr(w.text, file));
	put("");
	options_assign(&options, NULL, "buffer size = 1");
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "block size"));
	remove_file();
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, file));
}
END_TEST

/* What leads to the area is found in spite of errors. */
START_TEST(salvages_what_can_be_used)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };

	put("workers = 999\nresume device = /dev/sda7\nno sense\nresume offset = 77\n");
	options_assign(&options, NULL, "block size = 1");
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), -EINVAL);
	ck_assert_int_eq(options_salvage_settings(&options, &settings), 0);
	ck_assert_str_eq(settings.resume_device, "/dev/sda7");
	ck_assert_uint_eq(settings.resume_offset, 77);
	remove_file();
	ck_assert_int_eq(options_salvage_settings(&options, &settings), -ENOENT);
}
END_TEST

/* What is logged meanwhile. */
static void load_logged(const struct options *options, struct settings *ret, char *text,
			size_t size)
{
	FILE *kept = tmpfile();
	int real = dup(STDERR_FILENO);

	ck_assert(kept && real >= 0);
	ck_assert_int_ge(dup2(fileno(kept), STDERR_FILENO), 0);
	ck_assert_int_eq(options_load_settings(options, ret, NULL), 0);
	ck_assert_int_ge(dup2(real, STDERR_FILENO), 0);
	close(real);
	rewind(kept);
	text[fread(text, 1, size - 1, kept)] = '\0';
	fclose(kept);
}

/* A warning, but for a program that speaks of them itself. */
START_TEST(unknown_keys)
{
	struct options options = with_file();
	struct settings settings;
	char text[512];

	put("workrs = 2\n");
	load_logged(&options, &settings, text, sizeof(text));
	ck_assert_msg(strstr(text, ":1: unknown key \"workrs\" (did you") != NULL, "%s", text);
	ck_assert_uint_eq(settings.unknown.count, 1);
	options.keeps_unknown = true;
	load_logged(&options, &settings, text, sizeof(text));
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(settings.unknown.count, 1);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "options");

	tcase_add_checked_fixture(tcase, make_file, remove_file);
	tcase_add_test(tcase, too_many);
	tcase_add_test(tcase, file_then_options_in_order);
	tcase_add_loop_test(tcase, offset_of_another_device, 0,
			    (int)(sizeof(offsets) / sizeof(offsets[0])));
	tcase_add_test(tcase, offset_of_another_device_by_parameter);
	tcase_add_test(tcase, source_of_a_release);
	tcase_add_loop_test(tcase, wrong_values, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tcase, first_error_is_reported);
	tcase_add_test(tcase, salvages_what_can_be_used);
	tcase_add_test(tcase, unknown_keys);
}
