/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/command_line.h"

#include "base/bytes.h"
#include "base/log.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 32

/* What getopt_long returns for the first option, if it has no letter. */
#define FIRST_VALUE 256

/* The program's options and the common ones, also as getopt_long wants them. */
struct table {
	const struct command_option *rows[OPTIONS_MAX];
	struct option names[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 1];
	size_t count;
};

static const char *program;

static int hint(void)
{
	fprintf(stderr, "Try '%s --help'.\n", program);
	return EXIT_USAGE;
}

int command_line_wrong(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_error("%s", text);
	return hint();
}

int command_line_printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	log_error("standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

static void add(struct table *table, const struct command_option *row)
{
	for (; row->name && table->count < OPTIONS_MAX; row++) {
		bool value = row->text || row->key || row->take;
		int has_arg = !value	  ? no_argument
			      : row->flag ? optional_argument
					  : required_argument;
		int returned = row->letter ? row->letter : FIRST_VALUE + (int)table->count;

		table->names[table->count] =
			(struct option){ .name = row->name, .has_arg = has_arg, .val = returned };
		strncat(table->letters, &row->letter, 1);
		strcat(table->letters, row->letter && value ? ":" : "");
		table->rows[table->count++] = row;
	}
}

/* NULL: getopt_long has complained. */
static const struct command_option *find(const struct table *table, int returned)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->names[i].val == returned)
			return table->rows[i];
	return NULL;
}

static bool take(const struct command_line *line, const struct command_option *row,
		 const char *value)
{
	if (row->flag)
		*row->flag = true;
	if (row->text)
		*row->text = value;
	if (row->choice)
		*row->choice = row->chosen;
	if (row->key && !options_assign(line->settings, *row->key ? row->key : NULL, value))
		return false;
	return !row->take || row->take(line->context, value);
}

static int take_all(const struct command_line *line, const struct table *table, int argc,
		    char **argv)
{
	enum log_level level = log_level();
	int returned;

	while ((returned = getopt_long(argc, argv, table->letters, table->names, NULL)) != -1) {
		const struct command_option *row = find(table, returned);

		if (returned == 'h' || returned == 'V') {
			if (returned == 'h')
				fputs(line->help, stdout);
			else
				printf("%s %s%s\n", program, PACKAGE_VERSION,
				       line->note ? line->note : "");
			return command_line_printed();
		}
		if (returned == 'q')
			level = LOG_LEVEL_WARNING;
		else if (returned == 'v' && level != LOG_LEVEL_WARNING)
			level = LOG_LEVEL_DEBUG;
		if (!row || !take(line, row, optarg))
			return hint();
	}
	log_set_level(level);
	return -1;
}

int command_line_parse(const struct command_line *line, int argc, char **argv)
{
	struct options none, *settings = line->settings ? line->settings : &none;
	const struct command_option common[] = {
		{ "config", 'f', .text = &settings->config_file },
		{ "parameter", 'P', .key = "" },
		{ "resume-device", 'r', .key = "resume device" },
		{ "resume_device", 'r', .key = "resume device" },
		{ "resume-offset", 'o', .key = "resume offset" },
		{ "resume_offset", 'o', .key = "resume offset" },
		{ "quiet", 'q' },
		{ "verbose", 'v' },
		{ 0 },
	};
	const struct command_option every[] = { { "help", 'h' }, { "version", 'V' }, { 0 } };
	struct table table = { 0 };
	int code;

	program = line->program;
	log_open(program);
	if (line->settings)
		add(&table, common);
	add(&table, every);
	add(&table, line->options);
	code = take_all(line, &table, argc, argv);
	if (code >= 0 || !line->operand.name)
		return code;
	if (optind < argc && !take(line, &line->operand, argv[optind++]))
		return hint();
	if (optind < argc)
		return command_line_wrong("one %s only, not also '%s'", line->operand.name,
					  argv[optind]);
	return -1;
}
