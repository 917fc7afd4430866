/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: what s2disk and resume share, and that it comes after the file. */
#include "base/log.h"
#include "config/options.h"

#include <check.h>
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

START_TEST(takes_the_common_ones)
{
	struct options options = { 0 };

	ck_assert(options_take(&options, 'f', "/a/file"));
	ck_assert_str_eq(options.config_file, "/a/file");
	ck_assert(!options.quiet && !options.verbose);
	ck_assert(options_take(&options, 'q', NULL));
	ck_assert(options.quiet && !options.verbose);
	ck_assert(options_take(&options, 'v', NULL));
	ck_assert(options.verbose);
	ck_assert_uint_eq(options.count, 0);
	ck_assert(options_take(&options, 'r', "/dev/a"));
	ck_assert(options_take(&options, 'o', "12"));
	ck_assert(options_take(&options, 'P', "splash = n"));
	ck_assert_uint_eq(options.count, 3);
	ck_assert_str_eq(options.assignments[0].key, "resume device");
	ck_assert_str_eq(options.assignments[0].value, "/dev/a");
	ck_assert_str_eq(options.assignments[1].key, "resume offset");
	ck_assert_ptr_null(options.assignments[2].key);
	ck_assert_str_eq(options.assignments[2].value, "splash = n");
}
END_TEST

/* Every byte that getopt_long could return but for those taken above. */
START_TEST(leaves_the_others)
{
	struct options options = { 0 }, before = options;

	for (int option = 0; option < 256; option++) {
		if (option && strchr("fProqv", option))
			continue;
		ck_assert(!options_take(&options, option, "x"));
	}
	ck_assert(memcmp(&options, &before, sizeof(options)) == 0);
}
END_TEST

/* The strings that programs put together agree with what is taken. */
START_TEST(names)
{
	static const struct option long_options[] = { COMMON_LONG_OPTIONS, { 0 } };
	static const char letters[] = COMMON_SHORT_OPTIONS;

	for (const struct option *option = long_options; option->name; option++) {
		const char *letter = strchr(letters, option->val);
		struct options options = { 0 };

		ck_assert_ptr_nonnull(letter);
		ck_assert_int_eq(letter[1] == ':', option->has_arg == required_argument);
		ck_assert_int_eq(options_take(&options, option->val, "x"),
				 option->val != 'h' && option->val != 'V');
	}
}
END_TEST

START_TEST(too_many)
{
	struct options options = { 0 };

	for (unsigned int i = 0; i < OPTIONS_ASSIGNMENTS_MAX; i++)
		ck_assert(options_take(&options, "Pro"[i % 3], "x"));
	ck_assert(!options_take(&options, 'P', "y"));
	ck_assert(!options_take(&options, 'r', "y"));
	ck_assert(!options_assign(&options, "key", "y"));
	ck_assert_uint_eq(options.count, OPTIONS_ASSIGNMENTS_MAX);
	ck_assert_str_eq(options.assignments[OPTIONS_ASSIGNMENTS_MAX - 1].value, "x");
	/* Those that are no assignments are still taken. */
	ck_assert(options_take(&options, 'q', NULL));
}
END_TEST

static struct options with_file(void)
{
	struct options options = { 0 };

	options_take(&options, 'f', file);
	return options;
}

START_TEST(file_then_options_in_order)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };
	int r;

	put("resume device = /dev/file\nresume offset = 1\nworkers = 3\nmax attempts = 9\n");
	options_take(&options, 'r', "/dev/first");
	options_take(&options, 'P', "resume device: /dev/second");
	options_take(&options, 'P', "workers = 4");
	options_take(&options, 'o', "0x20");
	options_assign(&options, "image size", "2G");
	options_take(&options, 'P', "# nothing");
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
		options_take(&options, 'o', offsets[_i].offset);
	if (offsets[_i].device)
		options_take(&options, 'r', offsets[_i].device);
	if (offsets[_i].assignment)
		options_take(&options, 'P', offsets[_i].assignment);
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
	options_take(&options, 'P', "resume device = /dev/a");
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_str_eq(settings.resume_device, "/dev/a");
	ck_assert(!settings.resume_offset_set);
}
END_TEST

static const struct {
	int option;
	const char *argument;
	int error;
	const char *sentence;
} wrong[] = {
	{ 'o', "many", -EINVAL, "\"resume offset\" cannot be \"many\"" },
	{ 'o', "-1", -EINVAL, "\"resume offset\" cannot be \"-1\"" },
	{ 'r', "a\nb", -EINVAL, "\"resume device\" cannot be \"a?b\"" },
	{ 'P', "no separator", -EINVAL, "not of the form key = value" },
	{ 'P', "no such key = 1", -ENOENT, "no such key" },
	{ 'P', "workers = 65", -EINVAL, "0 to 64" },
};

START_TEST(wrong_values)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };

	put("workers = 2\n");
	ck_assert(options_take(&options, wrong[_i].option, wrong[_i].argument));
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), wrong[_i].error);
	ck_assert_msg(strstr(w.text, wrong[_i].sentence) != NULL, "%s", w.text);
}
END_TEST

START_TEST(first_error_is_told)
{
	struct options options = with_file();
	struct settings settings;
	struct why w = { "" };

	put("workers = 999\n");
	options_take(&options, 'P', "block size = 1");
	ck_assert_int_eq(options_load_settings(&options, &settings, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, "workers"));
	ck_assert_ptr_nonnull(strstr(w.text, file));
	put("");
	options_take(&options, 'P', "buffer size = 1");
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
	options_take(&options, 'P', "block size = 1");
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

START_TEST(levels_of_the_log)
{
	struct options options = with_file();
	struct settings settings;

	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_int_eq(log_level(), LOG_LEVEL_INFO);
	options_take(&options, 'v', NULL);
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_int_eq(log_level(), LOG_LEVEL_DEBUG);
	options_take(&options, 'q', NULL);
	ck_assert_int_eq(options_load_settings(&options, &settings, NULL), 0);
	ck_assert_int_eq(log_level(), LOG_LEVEL_WARNING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_file, remove_file);
	tcase_add_test(tcase, takes_the_common_ones);
	tcase_add_test(tcase, leaves_the_others);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, too_many);
	tcase_add_test(tcase, file_then_options_in_order);
	tcase_add_loop_test(tcase, offset_of_another_device, 0,
			    (int)(sizeof(offsets) / sizeof(offsets[0])));
	tcase_add_test(tcase, offset_of_another_device_by_parameter);
	tcase_add_loop_test(tcase, wrong_values, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tcase, first_error_is_told);
	tcase_add_test(tcase, salvages_what_can_be_used);
	tcase_add_test(tcase, unknown_keys);
	tcase_add_test(tcase, levels_of_the_log);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
