/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: configuration files, drop-ins and -P. */
#include "settings.h"

#include "base/bytes.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static char differences[4096];

static void add(const char *name, const char *value, const char *other)
{
	size_t used = strlen(differences);

	if (strcmp(value, other) != 0)
		snprintf(differences + used, sizeof(differences) - used, "%s%s=%s", used ? " " : "",
			 name, value);
}

static void add_number(const char *name, uint64_t value, uint64_t other)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)value);
	add(name, number, value == other ? number : "");
}

#define ADD_NUMBER(member) add_number(#member, (uint64_t)s->member, (uint64_t)defaults.member)
#define ADD_TEXT(member) add(#member, s->member, defaults.member)

/* Every member that is not as settings_defaults() makes it, so that one
 * comparison sees what changed and that nothing else did. */
static const char *changes(const struct settings *s)
{
	struct settings defaults;

	settings_defaults(&defaults);
	differences[0] = '\0';
	ADD_TEXT(config_file);
	ADD_TEXT(snapshot_device);
	ADD_TEXT(resume_device);
	ADD_NUMBER(resume_offset);
	ADD_NUMBER(resume_offset_set);
	ADD_NUMBER(image_size);
	ADD_NUMBER(image_size_set);
	ADD_NUMBER(method);
	ADD_NUMBER(method_set);
	ADD_NUMBER(compress);
	ADD_NUMBER(threads);
	ADD_NUMBER(workers);
	ADD_NUMBER(buffer_mib);
	ADD_NUMBER(block_kib);
	ADD_NUMBER(suspend_loglevel);
	ADD_NUMBER(max_loglevel);
	ADD_NUMBER(splash);
	ADD_NUMBER(compute_checksum);
	ADD_NUMBER(early_writeout);
	ADD_NUMBER(encrypt);
	ADD_NUMBER(cipher);
	ADD_NUMBER(passphrase);
	ADD_NUMBER(passphrase_set);
	ADD_TEXT(key_pair);
	ADD_TEXT(key_file);
	ADD_NUMBER(key_file_in_initramfs);
	ADD_TEXT(rsa_key_file);
	ADD_NUMBER(resume_pause);
	ADD_NUMBER(verify_image);
	ADD_TEXT(test_file);
	ADD_NUMBER(max_attempts);
	return differences;
}

START_TEST(has_defaults)
{
	struct settings s;

	memset(&s, 0xff, sizeof(s));
	settings_defaults(&s);
	ck_assert_str_eq(s.snapshot_device, "/dev/snapshot");
	ck_assert(!s.config_file[0] && !s.resume_device[0] && !s.rsa_key_file[0]);
	ck_assert(!s.resume_offset_set && !s.image_size_set && !s.method_set);
	ck_assert_int_eq(s.method, METHOD_PLATFORM);
	ck_assert(s.compress && s.threads && s.splash && s.compute_checksum && s.early_writeout);
	ck_assert(!s.encrypt && !s.verify_image);
	ck_assert(s.workers == 0 && s.buffer_mib == 64 && s.block_kib == 512);
	ck_assert(s.suspend_loglevel == 2 && s.max_loglevel == -1);
	ck_assert(s.resume_pause == 0 && s.max_attempts == 5);
}
END_TEST

static const struct {
	const char *key, *value, *changes;
} good[] = {
	{ "snapshot device", "/dev/other", "snapshot_device=/dev/other" },
	{ "resume device", "LABEL=my swap", "resume_device=LABEL=my swap" },
	{ "resume device", "", "" },
	{ "resume offset", "38912", "resume_offset=38912 resume_offset_set=1" },
	{ "resume offset", "0", "resume_offset_set=1" },
	{ "image size", "350000000", "image_size=350000000 image_size_set=1" },
	{ "image size", "2 GiB", "image_size=2147483648 image_size_set=1" },
	{ "shutdown method", "platform", "method_set=1" },
	{ "shutdown method", "shutdown", "method=1 method_set=1" },
	{ "shutdown method", "reboot", "method=2 method_set=1" },
	{ "shutdown method", "Suspend", "method=3 method_set=1" },
	{ "compress", "n", "compress=0" },
	{ "threads", "no", "threads=0" },
	{ "workers", "64", "workers=64" },
	{ "workers", "0", "" },
	{ "buffer size", "8", "buffer_mib=8" },
	{ "buffer size", "4 GiB", "buffer_mib=4096" },
	{ "block size", "64", "block_kib=64" },
	{ "block size", "1M", "block_kib=1024" },
	{ "suspend loglevel", "0", "suspend_loglevel=0" },
	{ "suspend loglevel", "-1", "suspend_loglevel=-1" },
	{ "max loglevel", "15", "max_loglevel=15" },
	{ "splash", "false", "splash=0" },
	{ "compute checksum", "n", "compute_checksum=0" },
	{ "early writeout", "n", "early_writeout=0" },
	{ "encrypt", "y", "encrypt=1" },
	{ "cipher", "auto", "" },
	{ "cipher", "AES-256-GCM", "cipher=2" },
	{ "cipher", "chacha20-poly1305", "cipher=3" },
	{ "passphrase", "y", "passphrase=1 passphrase_set=1" },
	{ "passphrase", "n", "passphrase_set=1" },
	{ "key pair", "/etc/s2disk/key-pair", "key_pair=/etc/s2disk/key-pair" },
	{ "key file", "/a.key /b.key", "key_file=/a.key /b.key" },
	{ "key file in initramfs", "y", "key_file_in_initramfs=1" },
	{ "RSA key file", "/etc/suspend.key", "rsa_key_file=/etc/suspend.key" },
	{ "rsa  KEY\tfile", "k", "rsa_key_file=k" },
	{ "resume pause", "3600", "resume_pause=3600" },
	{ "debug verify image", "y", "verify_image=1" },
	{ "debug test file", "/tmp/image", "test_file=/tmp/image" },
	{ "max attempts", "1", "max_attempts=1" },
};

START_TEST(sets_a_key)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_set(&s, good[_i].key, good[_i].value, &w), 0);
	ck_assert_str_eq(changes(&s), good[_i].changes);
	ck_assert_str_eq(w.text, "");
}
END_TEST

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *key, *value, *says;
} bad[] = {
	{ "compress", "maybe", "\"compress\" cannot be \"maybe\"; expected: y or n" },
	{ "threads", "", "\"threads\" cannot be \"\"; expected: y or n" },
	{ "splash", "2", "y or n" },
	{ "cipher", "blowfish", "\"cipher\" cannot be \"blowfish\"; expected: auto, aes" },
	{ "encrypt", "\033[31m", "\"encrypt\" cannot be \"?[31m\"" },
	{ "early writeout", "j", "y or n" },
	{ "compute checksum", "yy", "y or n" },
	{ "debug verify image", "-", "y or n" },
	{ "resume offset", "0x", "a number of pages" },
	{ "resume offset", "-1", "a number of pages" },
	{ "resume offset", "12K", "a number of pages" },
	{ "resume offset", "18446744073709551616", "a number of pages" },
	{ "image size", "lots", "a number of bytes, or one with K, M or G behind it" },
	{ "image size", "16777216T", "a number of bytes" },
	{ "shutdown method", "halt", "platform, shutdown, reboot or suspend" },
	{ "workers", "65", "a number from 0 to 64" },
	{ "workers", "4294967297", "a number from 0 to 64" },
	{ "workers", "1K", "a number from 0 to 64" },
	{ "buffer size", "7", "a number from 8 to 4096 MiB" },
	{ "buffer size", "4097", "a number from 8 to 4096 MiB" },
	{ "buffer size", "5G", "a number from 8 to 4096 MiB" },
	{ "buffer size", "9000K", "a number from 8 to 4096 MiB" },
	{ "block size", "96", "a power of two from 64 to 4096 KiB" },
	{ "block size", "32", "a power of two from 64 to 4096 KiB" },
	{ "block size", "8M", "a power of two from 64 to 4096 KiB" },
	{ "suspend loglevel", "16", "a number from 0 to 15" },
	{ "max loglevel", "-2", "a number from 0 to 15, or -1 for no change" },
	{ "resume pause", "3601", "a number from 0 to 3600" },
	{ "max attempts", "0", "a number from 1 to 1000" },
	{ "snapshot device", "snapshot", "a path from / on" },
	{ "snapshot device", "", "a path from / on" },
	{ "resume device", "/dev/sda\n", "\"/dev/sda?\"; expected: printable text" },
	{ "RSA key file", X64 X64 X64 X64, "xxx...\"; expected: printable text of at most 255" },
	{ "debug test file", X64 X64 X64 X64, "printable text of at most 255 bytes" },
};

START_TEST(refuses_a_bad_value)
{
	struct why w = { "" };
	struct settings s;

	settings_defaults(&s);
	ck_assert_int_eq(settings_set(&s, bad[_i].key, bad[_i].value, &w), -EINVAL);
	ck_assert_msg(strstr(w.text, bad[_i].says) != NULL, "%s", w.text);
	ck_assert_str_eq(changes(&s), "");
	ck_assert_int_eq(settings_set(&s, bad[_i].key, bad[_i].value, NULL), -EINVAL);
}
END_TEST

START_TEST(does_not_know_a_key)
{
	static const char *const unknown[] = { "",	    "compres", "compressed",  "image",
					       "imagesize", "image  ", "image sizes", X64 X64 };
	struct settings s;

	settings_defaults(&s);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct why w = { "" };

		ck_assert_int_eq(settings_set(&s, unknown[i], "y", &w), -ENOENT);
		ck_assert_ptr_nonnull(strstr(w.text, "unknown key"));
	}
	ck_assert_str_eq(changes(&s), "");
}
END_TEST

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
	{ "resume device = \"/dev/a\" b", -EINVAL, "behind the closing quote" },
	{ "resume device = \"/dev/a\"\"", -EINVAL, "behind the closing quote" },
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

static char root[] = "/tmp/test_settings.XXXXXX";

static const char *below(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static void put_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(below(path), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static void make_root(void)
{
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(mkdir(below("/etc"), 0700), 0);
	forget_warnings();
}

static void remove_root(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static int load(struct settings *s, const char *file, struct why *w)
{
	*w = (struct why){ "" };
	settings_defaults(s);
	return settings_load(s, root, file, keep_warning, w);
}

START_TEST(loads_the_first_file)
{
	struct settings s;
	struct why w;

	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_str_eq(changes(&s), "");
	ck_assert_str_eq(w.text, "");

	put("/etc/uswsusp.conf", "workers = 2\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 2);
	ck_assert_str_eq(s.config_file, below("/etc/uswsusp.conf"));
	ck_assert_str_eq(w.text, "");

	put("/etc/suspend.conf", "threads = n\nhello = 1\n");
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

	put("/etc/suspend.conf", "workers = 2\n");
	put("/etc/mine", "workers = 3\n");
	ck_assert_int_eq(load(&s, below("/etc/mine"), &w), 0);
	ck_assert_uint_eq(s.workers, 3);
	ck_assert_str_eq(s.config_file, below("/etc/mine"));

	ck_assert_int_eq(load(&s, below("/etc/none"), &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/none: No such file")));
	ck_assert_str_eq(changes(&s), "");
	ck_assert_int_eq(load(&s, root, &w), -EISDIR);
	ck_assert_ptr_nonnull(strstr(w.text, root));
	ck_assert_int_eq(load(&s, X64 X64 X64 X64, &w), -ENAMETOOLONG);
}
END_TEST

START_TEST(loads_drop_ins_in_order)
{
	struct settings s;
	struct why w;

	/* Without a main file. */
	ck_assert_int_eq(mkdir(below("/etc/suspend.conf.d"), 0700), 0);
	put("/etc/suspend.conf.d/20-b.conf", "workers = 20\n");
	put("/etc/suspend.conf.d/10-a.conf", "workers = 10\nthreads = n\n");
	put("/etc/suspend.conf.d/30-c.conf~", "workers = 30\n");
	put("/etc/suspend.conf.d/.40.conf", "workers = 40\n");
	put("/etc/suspend.conf.d/.conf", "workers = 50\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 20);
	ck_assert(!s.threads);
	ck_assert_str_eq(s.config_file, "");

	/* The main file comes first. */
	put("/etc/suspend.conf", "workers = 1\nthreads = y\nresume pause = 5\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 20);
	ck_assert(!s.threads);
	ck_assert_uint_eq(s.resume_pause, 5);

	/* A bad one spoils all, and nothing is changed. */
	put("/etc/suspend.conf.d/15.conf", "\nworkers = many\n");
	ck_assert_int_eq(load(&s, NULL, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/suspend.conf.d/15.conf:2: \"workers\"")));
	ck_assert_str_eq(changes(&s), "");

	/* Those of another file's name are not read. */
	unlink(below("/etc/suspend.conf"));
	put("/etc/uswsusp.conf", "workers = 2\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 2);
	ck_assert_int_eq(mkdir(below("/etc/uswsusp.conf.d"), 0700), 0);
	put("/etc/uswsusp.conf.d/a.conf", "workers = 9\n");
	ck_assert_int_eq(load(&s, NULL, &w), 0);
	ck_assert_uint_eq(s.workers, 9);
}
END_TEST

START_TEST(refuses_what_is_no_text)
{
	static char big[(1 << 20) + 1];
	struct settings s;
	struct why w;

	put_bytes("/etc/suspend.conf", "workers = 3\nthreads\0 = n\n", 25);
	ck_assert_int_eq(load(&s, NULL, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/suspend.conf:2: a zero byte")));
	ck_assert_str_eq(changes(&s), "");

	memset(big, '\n', sizeof(big));
	put_bytes("/etc/suspend.conf", big, sizeof(big));
	ck_assert_int_eq(load(&s, NULL, &w), -EFBIG);
	ck_assert_ptr_nonnull(strstr(w.text, below("/etc/suspend.conf: more than")));
	put_bytes("/etc/suspend.conf", big, sizeof(big) - 1);
	ck_assert_int_eq(load(&s, NULL, &w), 0);
}
END_TEST

START_TEST(names_methods)
{
	enum method method = METHOD_REBOOT;

	ck_assert_int_eq(method_parse("", &method), -EINVAL);
	ck_assert_int_eq(method_parse("platform ", &method), -EINVAL);
	ck_assert_int_eq(method, METHOD_REBOOT);
	for (int i = METHOD_PLATFORM; i <= METHOD_SUSPEND; i++) {
		ck_assert_int_eq(method_parse(method_name((enum method)i), &method), 0);
		ck_assert_int_eq(method, i);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *pure = tcase_create("pure"), *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(pure, forget_warnings, NULL);
	tcase_add_test(pure, has_defaults);
	tcase_add_loop_test(pure, sets_a_key, 0, (int)ARRAY_SIZE(good));
	tcase_add_loop_test(pure, refuses_a_bad_value, 0, (int)ARRAY_SIZE(bad));
	tcase_add_test(pure, does_not_know_a_key);
	tcase_add_loop_test(pure, applies_a_line, 0, (int)ARRAY_SIZE(applied));
	tcase_add_test(pure, parses_a_file);
	tcase_add_test(pure, warns_of_unknown_keys);
	tcase_add_test(pure, names_the_bad_line);
	tcase_add_test(pure, takes_long_lines_as_comments_only);
	tcase_add_test(pure, survives_noise);
	tcase_add_test(pure, names_methods);
	tcase_add_checked_fixture(files, make_root, remove_root);
	tcase_add_test(files, loads_the_first_file);
	tcase_add_test(files, loads_a_named_file);
	tcase_add_test(files, loads_drop_ins_in_order);
	tcase_add_test(files, refuses_what_is_no_text);
	suite_add_tcase(suite, pure);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
