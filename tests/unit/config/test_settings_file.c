/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: lines, configuration files and drop-ins. */
#include "config/settings.h"
#include "fixtures/check_main.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "fixtures/made_data.h"
#include "fixtures/machine/made_root.h"
#include "fixtures/settings_changes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* What was warned of, one line each. */
static char warnings[4096];

static void forget_warnings(void)
{
	warnings[0] = '\0';
}

static void keep_warning(const char *message)
{
	ck_assert_uint_lt(strlen(warnings) + strlen(message) + 2, sizeof(warnings));
	strcat(warnings, message);
	strcat(warnings, "\n");
}

static const struct {
	const char *line;
	int r;
	const char *device; /* or what the sentence says */
} applied[] = {
	{ "resume device = /dev/a", 0, "/dev/a" },
	{ "resume device=/dev/a", 0, "/dev/a" },
	{ "resume device: /dev/a", 0, "/dev/a" },
	{ "resume device:/dev/a", 0, "/dev/a" },
	{ "  RESUME  DEVICE\t=\t/dev/a \r\n", 0, "/dev/a" },
	{ "resume device = UUID=12:34", 0, "UUID=12:34" },
	{ "resume device: UUID=12:34", 0, "UUID=12:34" },
	{ "resume device = 8:3", 0, "8:3" },
	/* Quotes and comments. */
	{ "resume device = \"LABEL=a # b\"", 0, "LABEL=a # b" },
	{ "resume device = \" /dev/a \" # why", 0, " /dev/a " },
	{ "resume device = /dev/a # \"why\"", 0, "/dev/a" },
	{ "resume device = /dev/a#b", 0, "/dev/a#b" },
	{ "resume device = LABEL=\"a\"", 0, "LABEL=\"a\"" },
	{ "resume device = # none", 0, "" },
	{ "resume device = \"\"", 0, "" },
	{ "# resume device = /dev/a", 0, "" },
	{ "", 0, "" },
	{ " \t\r\n", 0, "" },
	/* Not like that. */
	{ "resume device", -EINVAL, "\"resume device\" is not of the form key = value" },
	{ "resume device # = /dev/a", -EINVAL, "\"resume device\" is not of the form" },
	{ "= /dev/a", -EINVAL, "no key" },
	{ ": /dev/a", -EINVAL, "no key" },
	{ "resume device = \"/dev/a", -EINVAL, "closing quote is missing" },
	{ "resume device = \"", -EINVAL, "closing quote is missing" },
	{ "resume device = \"/dev/a\" b", -EINVAL, "after the closing quote" },
	{ "resume device = \"/dev/a\"\"", -EINVAL, "after the closing quote" },
	{ "resume_device = /dev/a", -ENOENT, "unknown key \"resume_device\"" },
	{ "\"resume device\" = /dev/a", -ENOENT, "unknown key" },
	{ "compress = \"maybe\"", -EINVAL, "\"compress\" cannot be \"maybe\"" },
};

START_TEST(applies_a_line)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_apply_line(&s, applied[_i].line, &w), applied[_i].r);
	if (applied[_i].r == 0) {
		ck_assert_str_eq(s.resume_device, applied[_i].device);
		ck_assert_str_eq(w.text, "");
	} else {
		ck_assert_msg(strstr(w.text, applied[_i].device) != NULL, "%s", w.text);
		ck_assert_str_eq(changes(&s), "");
	}
}
END_TEST

START_TEST(parses_a_file)
{
	static const char text[] = "\xef\xbb\xbf# comment\r\n"
				   "\r\n"
				   "resume device = /dev/sda2\r\n"
				   "image size: 1G\r\n"
				   "  \t\n"
				   "   # compress = n\n"
				   "splash = n # not here\n"
				   "workers = 3\n"
				   "workers = 4";
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_parse(&s, text, "a.conf", keep_warning, &w), 0);
	ck_assert_str_eq(changes(&s), "resume_device=/dev/sda2 image_size=1073741824 "
				      "image_size_set=1 workers=4 splash=0");
	ck_assert_str_eq(warnings, "");
	ck_assert_str_eq(w.text, "");
	ck_assert_int_eq(settings_parse(&s, "", "a.conf", keep_warning, &w), 0);
}
END_TEST

START_TEST(warns_of_unknown_keys)
{
	static const char text[] = "one = 1\nthreads = n\n\n\033two: 2\r\nworkers = 2\n";
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_parse(&s, text, "a.conf", keep_warning, &w), 0);
	ck_assert_str_eq(warnings, "a.conf:1: unknown key \"one\", ignored\n"
				   "a.conf:4: unknown key \"?two\", ignored\n");
	ck_assert_str_eq(w.text, "");
	ck_assert(!s.threads);
	ck_assert_uint_eq(s.workers, 2);
	ck_assert_int_eq(settings_parse(&s, text, "a.conf", NULL, NULL), 0);
}
END_TEST

/* For a check of s2disk: where they are, as many as the text holds. */
START_TEST(keeps_unknown_keys)
{
	static const char text[] = "one = 1\nthreads = n\ncmopress: 2\n";
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_parse(&s, "threads = n\n", "a.conf", NULL, NULL), 0);
	ck_assert_uint_eq(s.unknown.count, 0);
	ck_assert_int_eq(settings_parse(&s, text, "a.conf", NULL, NULL), 0);
	ck_assert_uint_eq(s.unknown.count, 2);
	ck_assert_str_eq(s.unknown.text,
			 "a.conf:1: unknown key \"one\"; "
			 "a.conf:3: unknown key \"cmopress\" (did you mean \"compress\"?)");
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(settings_parse(&s, text, "b.conf", NULL, NULL), 0);
	ck_assert_uint_eq(s.unknown.count, 42);
	ck_assert_uint_gt(s.unknown.named, 4);
	ck_assert_uint_lt(s.unknown.named, 42);
	ck_assert_uint_lt(strlen(s.unknown.text), sizeof(s.unknown.text) - 1);
	ck_assert_ptr_nonnull(strstr(s.unknown.text, "b.conf:3: unknown key \"cmopress\""));
	/* What fails changes nothing. */
	ck_assert_int_eq(settings_parse(&s, "two = 2\nworkers = x\n", "c.conf", NULL, NULL),
			 -EINVAL);
	ck_assert_uint_eq(s.unknown.count, 42);
}
END_TEST

static const struct {
	const char *text, *where;
} mistyped[] = {
	{ "enrypt = y\n", "a.conf:1: unknown key \"enrypt\" (did you mean \"encrypt\"?)" },
	{ "encrypt = n\nencryption = yes", "a.conf:2: unknown key \"encryption\"" },
	{ "enrypt = maybe\n", "a.conf:1: unknown key" },
	{ "enrypt = n\n", "" },
	{ "enrypt = off\n", "" },
	{ "enrypt = y\nencrypt = n\n", "" },
	{ "enrypt = y\nencrypt = y\n", "" },
	{ "key flie = /a\ncmopress = y\n", "" },
};

START_TEST(keeps_a_mistyped_encrypt)
{
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_parse(&s, mistyped[_i].text, "a.conf", NULL, NULL), 0);
	if (mistyped[_i].where[0])
		ck_assert_ptr_nonnull(strstr(s.unknown.encrypt, mistyped[_i].where));
	else
		ck_assert_str_eq(s.unknown.encrypt, "");
	ck_assert_int_eq(settings_apply_line(&s, "encrypt = n", NULL), 0);
	ck_assert_str_eq(s.unknown.encrypt, "");
}
END_TEST

START_TEST(names_the_bad_line)
{
	static const struct {
		const char *text, *says;
	} files[] = {
		{ "compress = x", "a.conf:1: \"compress\" cannot be \"x\"" },
		{ "threads = n\n#\n\r\ncompress: x\nworkers = y\n", "a.conf:4: \"compress\" can" },
		{ "threads = n\nhello", "a.conf:2: \"hello\" is not of the form key = value" },
		{ "threads = n\nresume device = \"a\n\"", "a.conf:2: the closing quote" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct why w = { "" };
		struct settings s;

		settings_defaults(&s);
		ck_assert_int_eq(settings_parse(&s, files[i].text, "a.conf", keep_warning, &w),
				 -EINVAL);
		ck_assert_msg(strstr(w.text, files[i].says) == w.text, "%s", w.text);
		ck_assert_str_eq(changes(&s), "");
	}
}
END_TEST

START_TEST(takes_long_lines_as_comments_only)
{
	static char text[20000];
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	memset(text, 'x', 9000);
	text[0] = '#';
	memset(text + 9000, ' ', 5000);
	strcpy(text + 14000, "\nworkers = 3\n");
	ck_assert_int_eq(settings_parse(&s, text, "a.conf", keep_warning, &w), 0);
	ck_assert_uint_eq(s.workers, 3);

	text[0] = 'x';
	ck_assert_int_eq(settings_parse(&s, text, "a.conf", keep_warning, &w), -EINVAL);
	ck_assert_str_eq(w.text, "a.conf:1: the line has more than 1023 bytes");
	ck_assert_int_eq(settings_apply_line(&s, text, &w), -EINVAL);

	/* Right at the limit. */
	memset(text, 0, sizeof(text));
	memset(text, ' ', 1023);
	memcpy(text, "workers =", 9);
	text[1022] = '7';
	ck_assert_int_eq(settings_apply_line(&s, text, &w), 0);
	ck_assert_uint_eq(s.workers, 7);
	text[1023] = ' ';
	ck_assert_int_eq(settings_apply_line(&s, text, &w), -EINVAL);
}
END_TEST

/* Any byte anywhere: nothing but an error may come of it. */
START_TEST(survives_noise)
{
	static const char seed[] =
		"resume device = \"LABEL=a\" # b\nimage size: 1G\nmax loglevel=3\n";
	struct settings s;

	settings_defaults(&s);
	for (size_t at = 0; at < sizeof(seed) - 1; at++) {
		for (int c = 1; c < 256; c++) {
			char *text = strdup(seed);
			struct why w = { "" };
			int r;

			ck_assert_ptr_nonnull(text);
			text[at] = (char)c;
			r = settings_parse(&s, text, "a.conf", NULL, &w);
			ck_assert(r == 0 || (r == -EINVAL && strncmp(w.text, "a.conf:", 7) == 0));
			free(text);
		}
	}
}
END_TEST

/* Takes the '#' from lines that show a key, in place: one that is not followed
 * by a blank or a second one. */
static void uncomment(char *text)
{
	char *to = text;

	for (char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		length += line[length] == '\n';
		if (line[0] == '#' && line[1] && !strchr("# \n", line[1])) {
			line++;
			length--;
		}
		memmove(to, line, length);
		to += length;
		line += length;
	}
	*to = '\0';
}

/* doc/examples/suspend.conf: what it shows is what holds without it, but for the
 * keys that have no default of their own. */
START_TEST(example_shows_the_defaults)
{
	_cleanup_free_ char *text = NULL;
	struct why w = { "" };
	struct settings s;
	char path[512];

	snprintf(path, sizeof(path), "%s/../../doc/examples/suspend.conf", test_data());
	ck_assert_int_eq(io_read_file("", path, 65536, &text, NULL), 0);

	settings_defaults(&s);
	ck_assert_int_eq(settings_parse(&s, text, "example", keep_warning, &w), 0);
	ck_assert_str_eq(changes(&s), "");

	uncomment(text);
	ck_assert_msg(settings_parse(&s, text, "example", keep_warning, &w) == 0, "%s", w.text);
	ck_assert_str_eq(warnings, "");
	ck_assert_str_eq(changes(&s), "resume_offset=34816 resume_offset_set=1 "
				      "image_size=8589934592 image_size_set=1 method_set=1 "
				      "passphrase=1 passphrase_set=1");
}
END_TEST

static const char *below(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", made_root, path);
	return full;
}

static void make_root(void)
{
	made_root_create();
	made_directory("/etc");
	forget_warnings();
}

static int load(struct settings *s, const char *file, struct why *w)
{
	*w = (struct why){ "" };
	settings_defaults(s);
	return settings_load(s, made_root, file, keep_warning, w);
}

START_TEST(loads_the_first_file)
{
	struct settings s;
	struct why w;

	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_str_eq(changes(&s), "");
	ck_assert_str_eq(w.text, "");

	made_put("/etc/uswsusp.conf", "workers = 2\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 2);
	ck_assert_str_eq(s.config_file, below("/etc/uswsusp.conf"));
	ck_assert_str_eq(w.text, "");

	made_put("/etc/suspend.conf", "threads = n\nhello = 1\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 0);
	ck_assert(!s.threads);
	ck_assert_str_eq(s.config_file, below("/etc/suspend.conf"));
	ck_assert_ptr_nonnull(
		strstr(warnings, below("/etc/suspend.conf:2: unknown key \"hello\"")));
}
END_TEST

START_TEST(loads_a_named_file)
{
	struct settings s;
	struct why w;

	made_put("/etc/suspend.conf", "workers = 2\n");
	made_put("/etc/mine", "workers = 3\n");
	ck_assert_int_eq(load(&s, below("/etc/mine"), &w), 0);
	ck_assert_uint_eq(s.workers, 3);
	ck_assert_str_eq(s.config_file, below("/etc/mine"));

	ck_assert_int_eq(load(&s, below("/etc/none"), &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/none: No such file")));
	ck_assert_str_eq(changes(&s), "");
	ck_assert_int_eq(load(&s, made_root, &w), -EISDIR);
	ck_assert_ptr_nonnull(strstr(w.text, made_root));
	ck_assert_int_eq(load(&s, X64 X64 X64 X64, &w), -ENAMETOOLONG);
}
END_TEST

START_TEST(loads_drop_ins_in_order)
{
	struct settings s;
	struct why w;

	/* Without a main file. */
	made_directory("/etc/suspend.conf.d");
	made_put("/etc/suspend.conf.d/20-b.conf", "workers = 20\n");
	made_put("/etc/suspend.conf.d/10-a.conf", "workers = 10\nthreads = n\n");
	made_put("/etc/suspend.conf.d/30-c.conf~", "workers = 30\n");
	made_put("/etc/suspend.conf.d/.40.conf", "workers = 40\n");
	made_put("/etc/suspend.conf.d/.conf", "workers = 50\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 20);
	ck_assert(!s.threads);
	ck_assert_str_eq(s.config_file, "");

	/* The main file comes first. */
	made_put("/etc/suspend.conf", "workers = 1\nthreads = y\nresume pause = 5\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 20);
	ck_assert(!s.threads);
	ck_assert_uint_eq(s.resume_pause, 5);

	/* A bad one spoils all, and nothing is changed. */
	made_put("/etc/suspend.conf.d/15.conf", "\nworkers = many\n");
	ck_assert_int_eq(load(&s, NULL, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/suspend.conf.d/15.conf:2: \"workers\"")));
	ck_assert_str_eq(changes(&s), "");

	/* Those of another file's name are not read. */
	made_put("/etc/suspend.conf", NULL);
	made_put("/etc/uswsusp.conf", "workers = 2\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 2);
	made_directory("/etc/uswsusp.conf.d");
	made_put("/etc/uswsusp.conf.d/a.conf", "workers = 9\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 9);
}
END_TEST

START_TEST(refuses_what_is_no_text)
{
	static char big[(1 << 20) + 1];
	struct settings s;
	struct why w;

	made_put_bytes("/etc/suspend.conf", "workers = 3\nthreads\0 = n\n", 25);
	ck_assert_int_eq(load(&s, NULL, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/suspend.conf:2: a zero byte")));
	ck_assert_str_eq(changes(&s), "");

	memset(big, '\n', sizeof(big));
	made_put_bytes("/etc/suspend.conf", big, sizeof(big));
	ck_assert_int_eq(load(&s, NULL, &w), -EFBIG);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/suspend.conf: more than")));
	made_put_bytes("/etc/suspend.conf", big, sizeof(big) - 1);
	ck_assert_int_eq(load(&s, NULL, &w), 0);
}
END_TEST

/* A directory that cannot be read may have asked for encryption. */
START_TEST(cannot_list_drop_ins)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	made_put("/etc/suspend.conf", "threads = n\n");
	made_link("/etc/suspend.conf.d", "suspend.conf.d");
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), -ELOOP);
	s.skip_bad = true;
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), 0);
	ck_assert(s.encrypt && !s.threads);
}
END_TEST

/* In the initramfs: what can be used of a bad file is better than nothing. */
START_TEST(skips_what_is_bad)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	s.skip_bad = true;
	made_put("/etc/suspend.conf", "workers = many\nhello\nresume pause = 5\n");
	made_put("/etc/suspend.conf.d/10.conf", "compress = x\nthreads = n\n");
	made_put_bytes("/etc/suspend.conf.d/20.conf", "splash = n\n\0", 12);
	made_directory("/etc/suspend.conf.d/30.conf");
	made_put("/etc/suspend.conf.d/40.conf", "max attempts = 2\n");
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), 0);
	ck_assert_uint_eq(s.resume_pause, 5);
	ck_assert_uint_eq(s.max_attempts, 2);
	ck_assert(!s.threads && s.compress && s.splash && s.workers == 0);
	ck_assert_ptr_nonnull(strstr(warnings, "suspend.conf:1: \"workers\" cannot be \"many\""));
	ck_assert_ptr_nonnull(strstr(warnings, "suspend.conf:2: \"hello\" is not of the form"));
	ck_assert_ptr_nonnull(strstr(warnings, "10.conf:1: \"compress\" cannot be \"x\""));

	/* No image in plain gets in by a slip of the pen, nor because a file cannot be read. */
	ck_assert(s.encrypt);
	made_put("/etc/suspend.conf.d/20.conf", NULL);
	s.encrypt = false;
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), 0);
	ck_assert(s.encrypt);
	ck_assert_int_eq(rmdir(below("/etc/suspend.conf.d/30.conf")), 0);
	s.encrypt = false;
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), 0);
	ck_assert(!s.encrypt);
	made_put("/etc/suspend.conf.d/50.conf", "encrypt = yse\n");
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), 0);
	ck_assert(s.encrypt);
	made_put("/etc/suspend.conf.d/60.conf", "encrypt = n\n");
	ck_assert_int_eq(settings_load(&s, made_root, NULL, keep_warning, &w), 0);
	ck_assert(!s.encrypt);

	/* A file that was named must exist anyway. */
	ck_assert_int_eq(settings_load(&s, made_root, below("/etc/none"), keep_warning, &w),
			 -ENOENT);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *pure = test_case(suite, "pure"), *files = test_case(suite, "files");

	tcase_add_checked_fixture(pure, forget_warnings, NULL);
	tcase_add_loop_test(pure, applies_a_line, 0, (int)ARRAY_SIZE(applied));
	tcase_add_test(pure, parses_a_file);
	tcase_add_test(pure, warns_of_unknown_keys);
	tcase_add_test(pure, keeps_unknown_keys);
	tcase_add_loop_test(pure, keeps_a_mistyped_encrypt, 0, (int)ARRAY_SIZE(mistyped));
	tcase_add_test(pure, names_the_bad_line);
	tcase_add_test(pure, takes_long_lines_as_comments_only);
	tcase_add_test(pure, survives_noise);
	tcase_add_test(pure, example_shows_the_defaults);
	tcase_add_checked_fixture(files, make_root, made_root_remove);
	tcase_add_test(files, loads_the_first_file);
	tcase_add_test(files, loads_a_named_file);
	tcase_add_test(files, loads_drop_ins_in_order);
	tcase_add_test(files, refuses_what_is_no_text);
	tcase_add_test(files, skips_what_is_bad);
	tcase_add_test(files, cannot_list_drop_ins);
}
