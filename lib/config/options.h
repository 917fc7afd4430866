/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options common to s2disk and resume. Each is a setting under another name, applied after the
 * configuration file, in the order
 * given. */
#ifndef S2DISK_CONFIG_OPTIONS_H
#define S2DISK_CONFIG_OPTIONS_H

#include "base/why.h"
#include "config/settings.h"

#include <getopt.h>
#include <stdbool.h>

/* Put into the short and long options of each program. uswsusp's names with
 * underscores are accepted too. */
#define COMMON_SHORT_OPTIONS "f:P:r:o:qvhV"
#define COMMON_LONG_OPTIONS                                                                        \
	{ "config", required_argument, NULL, 'f' }, { "parameter", required_argument, NULL, 'P' }, \
		{ "resume-device", required_argument, NULL, 'r' },                                 \
		{ "resume_device", required_argument, NULL, 'r' },                                 \
		{ "resume-offset", required_argument, NULL, 'o' },                                 \
		{ "resume_offset", required_argument, NULL, 'o' },                                 \
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },        \
		{ "help", no_argument, NULL, 'h' },                                                \
	{                                                                                          \
		"version", no_argument, NULL, 'V'                                                  \
	}

#define OPTIONS_ASSIGNMENTS_MAX 64

struct options {
	const char *config_file; /* NULL: the usual ones */
	const char *root;	 /* below which these are; NULL: "/" */
	struct {
		const char *key; /* NULL: value is a whole "key = value" */
		const char *value;
	} assignments[OPTIONS_ASSIGNMENTS_MAX];
	unsigned int count;
	bool quiet, verbose;
	bool keeps_unknown; /* the program itself reports settings->unknown */
};

/* Takes one of the common options. false: it is not one of them (h and V are
 * not taken either), or there are too many. */
bool options_take(struct options *options, int option, const char *argument);

/* Remembers a setting under its key. */
bool options_assign(struct options *options, const char *key, const char *value);

/* Configuration file, then the options; sets the log level. Warns of unknown keys in files, unless
 * keeps_unknown. A negative errno with a message in w. */
int options_load_settings(const struct options *options, struct settings *settings, struct why *w);

/* If that failed: takes what is usable, without a message. 0, or a negative errno if a file that
 * was named does not exist. */
int options_salvage_settings(const struct options *options, struct settings *settings);

#endif
