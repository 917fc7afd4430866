/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings that a command line gives: they are applied after the configuration file, in the order
 * given. */
#ifndef S2DISK_CONFIG_OPTIONS_H
#define S2DISK_CONFIG_OPTIONS_H

#include "base/why.h"
#include "config/settings.h"

#include <stdbool.h>

#define OPTIONS_ASSIGNMENTS_MAX 64

struct options {
	const char *config_file; /* NULL: the usual ones */
	const char *root;	 /* below which these are; NULL: "/" */
	struct {
		const char *key; /* NULL: value is a whole "key = value" */
		const char *value;
	} assignments[OPTIONS_ASSIGNMENTS_MAX];
	unsigned int count;
	bool keeps_unknown; /* the program itself reports settings->unknown */
};

/* Remembers a setting under its key. false: there are too many. */
bool options_assign(struct options *options, const char *key, const char *value);

/* Configuration file, then the options. Warns of unknown keys in files, unless keeps_unknown. A
 * negative errno with a message in w. */
int options_load_settings(const struct options *options, struct settings *settings, struct why *w);

/* If that failed: takes what is usable, without a message. 0, or a negative errno if a file that
 * was named does not exist. */
int options_salvage_settings(const struct options *options, struct settings *settings);

#endif
