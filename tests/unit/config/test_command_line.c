/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_line: what becomes of each kind of option, and what is the same in all programs. */
#include "base/log.h"
#include "config/command_line.h"
#include "fixtures/check_main.h"
#include "fixtures/capture.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	struct options options;
	bool flag, other, maybe;
	const char *text, *maybe_text, *operand;
	int choice;
	char taken[32];
} got;

static bool is_operand, has_settings;
static char out[1024], said[1024];
static char *words[OPTIONS_ASSIGNMENTS_MAX + 16];

static bool take(void *context, const char *value)
{
	ck_assert_ptr_eq(context, &got);
	snprintf(got.taken, sizeof(got.taken), "%s", value);
	return strcmp(value, "wrong") != 0;
}

static const struct command_option options[] = {
	{ "flag", 'n', .flag = &got.flag },
	{ "other", .flag = &got.other },
	{ "text", 't', .text = &got.text },
	{ "maybe", .flag = &got.maybe, .text = &got.maybe_text },
	{ "image-size", 's', .key = "image size" },
	{ "image_size", 's', .key = "image size" },
	{ "first", .choice = &got.choice, .chosen = 1 },
	{ "second", .choice = &got.choice, .chosen = 2 },
	{ "take", .take = take },
	{ 0 },
};

/* The words with blanks between, none in them. Gives what was printed as well. */
static int parse(const char *line)
{
	static char text[2048];
	struct command_line command = {
		.program = "made-up",
		.help = "Usage: made-up\n",
		.note = ", a test",
		.options = options,
		.context = &got,
	};
	FILE *kept = tmpfile();
	int real = dup(STDERR_FILENO), argc = 0, code;
	char *rest;

	if (has_settings)
		command.settings = &got.options;
	if (is_operand)
		command.operand = (struct command_option){ "THING", .text = &got.operand };
	snprintf(text, sizeof(text), "program %s", line);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		words[argc++] = word;
	words[argc] = NULL;
	memset(&got, 0, sizeof(got));
	optind = 0; /* from the first again */
	ck_assert(kept && real >= 0);
	ck_assert_int_ge(dup2(fileno(kept), STDERR_FILENO), 0);
	capture_begin();
	code = command_line_parse(&command, argc, words);
	capture_end(out, sizeof(out));
	ck_assert_int_ge(dup2(real, STDERR_FILENO), 0);
	close(real);
	rewind(kept);
	said[fread(said, 1, sizeof(said) - 1, kept)] = '\0';
	fclose(kept);
	return code;
}

static void begin(void)
{
	is_operand = has_settings = true;
}

START_TEST(each_kind)
{
	ck_assert_int_eq(parse("-n -t a --take=b --second --maybe"), -1);
	ck_assert(got.flag && !got.other && got.maybe);
	ck_assert_str_eq(got.text, "a");
	ck_assert_str_eq(got.taken, "b");
	ck_assert_int_eq(got.choice, 2);
	ck_assert_ptr_null(got.maybe_text);
	ck_assert_ptr_null(got.operand);
	ck_assert_int_eq(parse("--flag thing --text c --other --maybe=d --second --first"), -1);
	ck_assert(got.flag && got.other && got.maybe);
	ck_assert_str_eq(got.text, "c");
	ck_assert_str_eq(got.maybe_text, "d");
	ck_assert_str_eq(got.operand, "thing");
	ck_assert_int_eq(got.choice, 1);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(parse(""), -1);
	ck_assert(!got.flag && !got.choice && !got.text);
}
END_TEST

START_TEST(settings)
{
	static const char *const keys[] = { NULL,
					    "resume device",
					    "resume device",
					    "resume device",
					    "resume offset",
					    "resume offset",
					    "image size",
					    "image size",
					    "image size" };

	ck_assert_int_eq(parse("-f /a/file -P splash=n -r 1 --resume-device=2 --resume_device=3 "
			       "-o 4 --resume_offset 5 -s 6 --image_size=7 --image=8"),
			 -1);
	ck_assert_str_eq(got.options.config_file, "/a/file");
	ck_assert_uint_eq(got.options.count, 9);
	for (int i = 0; i < 9; i++) {
		const char *key = got.options.assignments[i].key;

		ck_assert_int_eq(key == NULL, keys[i] == NULL);
		ck_assert_str_eq(key ? key : "", keys[i] ? keys[i] : "");
		if (key)
			ck_assert_int_eq(atoi(got.options.assignments[i].value), i);
	}
	ck_assert_str_eq(got.options.assignments[0].value, "splash=n");
}
END_TEST

START_TEST(too_many_settings)
{
	char text[2048] = "-q";

	for (unsigned int i = 0; i < OPTIONS_ASSIGNMENTS_MAX; i++)
		strcat(text, " -Px=1");
	ck_assert_int_eq(parse(text), -1);
	ck_assert_uint_eq(got.options.count, OPTIONS_ASSIGNMENTS_MAX);
	strcat(text, " -r/dev/sda2");
	ck_assert_int_eq(parse(text), EXIT_USAGE);
	ck_assert_str_eq(said, "Try 'made-up --help'.\n");
}
END_TEST

static const struct {
	const char *line;
	bool operand, settings;
	const char *words;
} wrong[] = {
	{ "--nonsense", true, true, "program: unrecognized option '--nonsense'\n" },
	{ "-x", true, true, "program: invalid option -- 'x'\n" },
	{ "-t", true, true, "program: option requires an argument -- 't'\n" },
	{ "--flag=1", true, true, "program: option '--flag' doesn't allow an argument\n" },
	{ "--resume-", true, true, "program: option '--resume-' is ambiguous" },
	{ "--take=wrong", true, true, "" },
	{ "a b c", true, true, "made-up: one THING only, not also 'b'\n" },
	/* Of programs without settings. */
	{ "-q", true, false, "program: invalid option -- 'q'\n" },
	{ "--config=x", true, false, "program: unrecognized option '--config=x'\n" },
};

START_TEST(wrong_usage)
{
	const char *hint = "Try 'made-up --help'.\n";
	size_t length;

	is_operand = wrong[_i].operand;
	has_settings = wrong[_i].settings;
	ck_assert_int_eq(parse(wrong[_i].line), EXIT_USAGE);
	ck_assert_msg(strncmp(said, wrong[_i].words, strlen(wrong[_i].words)) == 0, "%s", said);
	length = strlen(said);
	ck_assert_uint_ge(length, strlen(hint));
	ck_assert_str_eq(said + length - strlen(hint), hint);
	ck_assert_str_eq(out, "");
}
END_TEST

/* Every other letter that could be given. */
START_TEST(no_other_letters)
{
	char line[] = "-?";

	for (int letter = '!'; letter <= '~'; letter++) {
		if (strchr("fProqvhVnts-", letter))
			continue;
		line[1] = (char)letter;
		ck_assert_int_eq(parse(line), EXIT_USAGE);
		ck_assert_uint_eq(got.options.count, 0);
	}
}
END_TEST

/* What follows the options is left to the program. */
START_TEST(without_an_operand)
{
	is_operand = false;
	ck_assert_int_eq(parse("a -n b -- -c"), -1);
	ck_assert(got.flag);
	ck_assert_str_eq(words[optind], "a");
	ck_assert_str_eq(words[optind + 1], "b");
	ck_assert_str_eq(words[optind + 2], "-c");
	ck_assert_ptr_null(words[optind + 3]);
}
END_TEST

START_TEST(help_and_version)
{
	has_settings = _i;
	ck_assert_int_eq(parse("--help --nonsense"), EXIT_DONE);
	ck_assert_str_eq(out, "Usage: made-up\n");
	ck_assert_int_eq(parse("-h"), EXIT_DONE);
	ck_assert_str_eq(out, "Usage: made-up\n");
	ck_assert_int_eq(parse("-V"), EXIT_DONE);
	ck_assert_str_eq(out, "made-up " PACKAGE_VERSION ", a test\n");
	ck_assert_int_eq(parse("--version"), EXIT_DONE);
	ck_assert_str_eq(out, "made-up " PACKAGE_VERSION ", a test\n");
	ck_assert_str_eq(said, "");
}
END_TEST

/* Where there is no room for what is printed. */
START_TEST(cannot_be_printed)
{
	static const struct command_line command = { .program = "made-up",
						     .help = "Usage: made-up\n",
						     .options = options };
	char *argv[] = { "program", "--help", NULL };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), real = dup(STDOUT_FILENO);

	ck_assert(full >= 0 && real >= 0);
	argv[1] = _i ? "--help" : "--version";
	ck_assert_int_ge(dup2(full, STDOUT_FILENO), 0);
	optind = 0;
	ck_assert_int_eq(command_line_parse(&command, 2, argv), EXIT_FAILED);
	/* And where it failed before the end. */
	ck_assert_int_eq(command_line_printed(), EXIT_FAILED);
	__fpurge(stdout);
	clearerr(stdout);
	ck_assert_int_ge(dup2(real, STDOUT_FILENO), 0);
	ck_assert_int_eq(command_line_printed(), EXIT_DONE);
	close(real);
	close(full);
}
END_TEST

START_TEST(levels_of_the_log)
{
	static const struct {
		const char *line;
		enum log_level level;
	} levels[] = {
		{ "-n", LOG_LEVEL_INFO },
		{ "-v", LOG_LEVEL_DEBUG },
		{ "--verbose -n", LOG_LEVEL_DEBUG },
		{ "-q", LOG_LEVEL_WARNING },
		{ "--quiet", LOG_LEVEL_WARNING },
		{ "-qv", LOG_LEVEL_WARNING },
		{ "-vq", LOG_LEVEL_WARNING },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		log_set_level(LOG_LEVEL_INFO);
		ck_assert_int_eq(parse(levels[i].line), -1);
		ck_assert_int_eq(log_level(), levels[i].level);
		ck_assert_uint_eq(got.options.count, 0);
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "command_line");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, each_kind);
	tcase_add_test(tcase, settings);
	tcase_add_test(tcase, too_many_settings);
	tcase_add_loop_test(tcase, wrong_usage, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tcase, no_other_letters);
	tcase_add_test(tcase, without_an_operand);
	tcase_add_loop_test(tcase, help_and_version, 0, 2);
	tcase_add_loop_test(tcase, cannot_be_printed, 0, 2);
	tcase_add_test(tcase, levels_of_the_log);
}
