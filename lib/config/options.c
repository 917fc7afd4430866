/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/options.h"

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

static void warn(const char *message)
{
	log_warning("%s", message);
}

/* Stops at the first bad one, or skips it with skip_bad. */
static int assign_all(const struct options *options, struct settings *settings, struct why *w)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < options->count; i++) {
		const char *key = options->assignments[i].key;
		const char *value = options->assignments[i].value;

		r = key ? settings_set(settings, key, value, w)
			: settings_apply_line(settings, value, w);
		if (settings->skip_bad)
			r = 0;
	}
	return r;
}

static int load(const struct options *options, struct settings *settings,
		void (*report)(const char *message), struct why *w)
{
	struct settings from_file;
	int r = settings_load(settings, options->root ? options->root : "", options->config_file,
			      report, w);

	if (r < 0)
		return r;
	/* The file's offset belongs to the file's device. */
	from_file = *settings;
	settings->resume_offset = 0;
	settings->resume_offset_set = false;
	r = assign_all(options, settings, w);
	if (strcmp(settings->resume_device, from_file.resume_device) != 0)
		settings->resume_device_by[0] = '\0';
	if (r == 0 && !settings->resume_offset_set &&
	    strcmp(settings->resume_device, from_file.resume_device) == 0) {
		settings->resume_offset = from_file.resume_offset;
		settings->resume_offset_set = from_file.resume_offset_set;
	}
	return r;
}

int options_load_settings(const struct options *options, struct settings *settings, struct why *w)
{
	settings_defaults(settings);
	return load(options, settings, options->keeps_unknown ? NULL : warn, w);
}

int options_salvage_settings(const struct options *options, struct settings *settings)
{
	struct why w = { 0 };

	settings_defaults(settings);
	settings->skip_bad = true;
	return load(options, settings, NULL, &w);
}
