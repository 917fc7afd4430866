/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of a program, and how it ends: each program says in a table which options it
 * has; what is the same in all of them is here. */
#ifndef S2DISK_CONFIG_COMMAND_LINE_H
#define S2DISK_CONFIG_COMMAND_LINE_H

#include "config/options.h"

#include <stdbool.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3, /* by a check */
};

/* An option. What follows its letter says what becomes of it, as far as it is set. It takes a
 * value where text, key or take is set; beside a flag the value can be left out: text is NULL. */
struct command_option {
	const char *name; /* without dashes */
	char letter;	  /* 0: none; two names with one letter are the same option */
	bool *flag;	  /* becomes true */
	const char **text;
	const char *key; /* of the setting that is assigned; "": the value is "key = value" */
	/* false: the value is wrong, and it has logged why. */
	bool (*take)(void *context, const char *value);
	int *choice; /* becomes chosen */
	int chosen;
};

struct command_line {
	const char *program;
	const char *help; /* what --help prints */
	const char *note; /* printed after the version; NULL: none */
	/* Its own options; the last one has no name. */
	const struct command_option *options;
	/* Gets what has a key. A program with settings also has --config, --parameter,
	 * --resume-device, --resume-offset, --quiet and --verbose. NULL: it has none. */
	struct options *settings;
	/* The one argument that may follow. Without a name, the caller looks from optind on. */
	struct command_option operand;
	void *context; /* of take */
};

/* Opens the log, with the program's name, and takes the options. All programs have --help and
 * --version. An option with the letter q or v sets the level of the log; of both, q counts.
 * -1: continue; else an exit code. */
int command_line_parse(const struct command_line *line, int argc, char **argv);

/* Logs what is wrong with the usage, and prints where to read about it. Returns EXIT_USAGE. */
int command_line_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* After printing: EXIT_DONE; or, logged, EXIT_FAILED if standard output did not take all. */
int command_line_printed(void);

#endif
