/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

bool options_assign(struct options *options, const char *key, const char *value)
{
	if (options->count == OPTIONS_ASSIGNMENTS_MAX)
		return false;
	options->assignments[options->count].key = key;
	options->assignments[options->count++].value = value;
	return true;
}

bool options_take(struct options *options, int option, const char *argument)
{
	switch (option) {
	case 'f':
		options->config_file = argument;
		return true;
	case 'P':
		return options_assign(options, NULL, argument);
	case 'r':
		return options_assign(options, "resume device", argument);
	case 'o':
		return options_assign(options, "resume offset", argument);
	case 'q':
		options->quiet = true;
		return true;
	case 'v':
		options->verbose = true;
		return true;
	default:
		return false;
	}
}

static void warn(const char *message)
{
	log_warning("%s", message);
}

static bool assigns(const struct options *options, const char *key)
{
	for (unsigned int i = 0; i < options->count; i++)
		if (options->assignments[i].key && strcmp(options->assignments[i].key, key) == 0)
			return true;
	return false;
}

int options_load_settings(const struct options *options, struct settings *settings, struct why *w)
{
	int r;

	if (options->quiet)
		log_set_level(LOG_LEVEL_WARNING);
	else if (options->verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	settings_defaults(settings);
	r = settings_load(settings, "", options->config_file, warn, w);
	/* The file's offset belongs to the file's device. */
	if (r == 0 && assigns(options, "resume device") && !assigns(options, "resume offset")) {
		settings->resume_offset = 0;
		settings->resume_offset_set = false;
	}
	for (unsigned int i = 0; r == 0 && i < options->count; i++) {
		const char *key = options->assignments[i].key;
		const char *value = options->assignments[i].value;

		r = key ? settings_set(settings, key, value, w)
			: settings_apply_line(settings, value, w);
	}
	return r;
}
