/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: the text of configuration files, and where they are. */
#include "config/settings.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "config/drop_ins.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest line and largest file, far beyond anything written by hand. */
#define LINE_SIZE 1024
#define FILE_LIMIT 1048576

static const char *const default_files[] = { "/etc/suspend.conf", "/etc/uswsusp.conf" };

/* Cuts off a comment: a '#' that begins the line or follows a blank, outside
 * of quotes. Quotes begin a value, so they follow a blank or the separator. */
static void cut_comment(char *line)
{
	bool in_quotes = false, separated = false, after_blank = true, in_value = false;

	for (char *c = line; *c; c++) {
		if (*c == '#' && after_blank && !in_quotes) {
			*c = '\0';
			return;
		}
		after_blank = isspace((unsigned char)*c) != 0;
		if (in_quotes) {
			in_quotes = *c != '"';
		} else if (!separated) {
			separated = *c == '=' || *c == ':';
		} else if (!in_value && !after_blank) {
			in_value = true;
			in_quotes = *c == '"';
		}
	}
}

static int unquote(char **value, struct why *w)
{
	char *last;

	if (**value != '"')
		return 0;
	last = strchr(*value + 1, '"');
	if (!last)
		return why(w, -EINVAL, "the closing quote is missing");
	if (last[1])
		return why(w, -EINVAL, "there is text after the closing quote");
	*last = '\0';
	(*value)++;
	return 0;
}

/* Splits a line in place. *ret_key is NULL for an empty one. */
static int split_line(char *line, char **ret_key, char **ret_value, struct why *w)
{
	char *separator, text[64];
	int r;

	cut_comment(line);
	line = text_trim(line);
	*ret_key = NULL;
	if (!*line)
		return 0;
	separator = strpbrk(line, "=:");
	if (!separator)
		return why(w, -EINVAL, "\"%s\" is not of the form key = value",
			   text_excerpt(line, text, sizeof(text)));
	*separator = '\0';
	*ret_value = text_trim(separator + 1);
	r = unquote(ret_value, w);
	if (r < 0)
		return r;
	line = text_trim(line);
	if (!*line)
		return why(w, -EINVAL, "there is no key before the separator");
	*ret_key = line;
	return 0;
}

/* Where a line comes from. */
struct place {
	const char *file;
	unsigned int line;
};

static void note_unknown(struct unknown_keys *unknown, const struct place *place, const char *key,
			 const char *value, const struct why *reason)
{
	const char *nearest = settings_nearest_key(key);
	size_t used = strlen(unknown->text);
	struct why text;
	bool wanted;

	why(&text, 0, "%s:%u: %s", place->file, place->line, reason->text);
	/* Once one did not fit, the rest is only counted. */
	if (unknown->named == unknown->count &&
	    (used == 0 || used + strlen(text.text) + 2 < sizeof(unknown->text))) {
		snprintf(unknown->text + used, sizeof(unknown->text) - used, "%s%s",
			 used ? "; " : "", text.text);
		unknown->named++;
	}
	unknown->count++;
	if (nearest && strcmp(nearest, "encrypt") == 0 &&
	    (text_parse_bool(value, &wanted) < 0 || wanted))
		text_copy(unknown->encrypt, sizeof(unknown->encrypt), text.text);
}

/* The source of what is to be released is shown with it. */
static void note_release(struct release_config *release, const struct place *place)
{
	if (place)
		snprintf(release->devices_by, sizeof(release->devices_by), "%s:%u", place->file,
			 place->line);
	else
		text_copy(release->devices_by, sizeof(release->devices_by), "the command line");
}

/* place is NULL for a line that does not come from a file. */
static int apply_line(struct settings *settings, const char *line, const struct place *place,
		      struct why *w)
{
	char copy[LINE_SIZE], device[sizeof(settings->resume_device)], *key, *value;
	char release[sizeof(settings->release.devices)];
	struct why reason = { "" };
	int r;

	if (!text_copy(copy, sizeof(copy), line))
		return why(w, -EINVAL, "the line has more than %zu bytes", sizeof(copy) - 1);
	r = split_line(copy, &key, &value, w);
	if (r < 0 || !key)
		return r;
	text_copy(device, sizeof(device), settings->resume_device);
	text_copy(release, sizeof(release), settings->release.devices);
	r = settings_set(settings, key, value, &reason);
	if (place && strcmp(device, settings->resume_device) != 0)
		snprintf(settings->resume_device_by, sizeof(settings->resume_device_by), "%s:%u",
			 place->file, place->line);
	if (strcmp(release, settings->release.devices) != 0)
		note_release(&settings->release, place);
	if (r == -ENOENT && place)
		note_unknown(&settings->unknown, place, key, value, &reason);
	return r < 0 ? why(w, r, "%s", reason.text) : 0;
}

int settings_apply_line(struct settings *settings, const char *line, struct why *w)
{
	return apply_line(settings, line, NULL, w);
}

/* A line of a file. Only comments may be longer than the limit. */
static int parse_line(struct settings *settings, const char *line, size_t length,
		      const struct place *place, struct why *w)
{
	char copy[LINE_SIZE];

	while (length > 0 && isspace((unsigned char)*line)) {
		line++;
		length--;
	}
	if (length == 0 || *line == '#')
		return 0;
	if (length >= sizeof(copy))
		return why(w, -EINVAL, "the line has more than %zu bytes", sizeof(copy) - 1);
	memcpy(copy, line, length);
	copy[length] = '\0';
	return apply_line(settings, copy, place, w);
}

static void warn_ignored(void (*warn)(const char *message), const struct place *place,
			 const struct why *reason)
{
	struct why message;

	if (!warn)
		return;
	why(&message, 0, "%s:%u: %s, ignored", place->file, place->line, reason->text);
	warn(message.text);
}

int settings_parse(struct settings *settings, const char *text, const char *file,
		   void (*warn)(const char *message), struct why *w)
{
	struct settings parsed = *settings;
	struct place place = { .file = file, .line = 1 };

	/* Some editors write a byte order mark first. */
	if (text_starts(text, "\xef\xbb\xbf"))
		text += 3;
	for (; *text; place.line++) {
		const char *end = strchrnul(text, '\n');
		struct why reason = { "" };
		int r = parse_line(&parsed, text, (size_t)(end - text), &place, &reason);

		if (r == -ENOENT || (r < 0 && settings->skip_bad))
			warn_ignored(warn, &place, &reason);
		else if (r < 0)
			return why(w, r, "%s:%u: %s", file, place.line, why_text(&reason, r));
		text = *end ? end + 1 : end;
	}
	*settings = parsed;
	return 0;
}

/* path begins with root. */
static int load_whole_file(struct settings *settings, const char *root, const char *path,
			   void (*warn)(const char *message), struct why *w)
{
	_cleanup_free_ char *text = NULL;
	unsigned int line = 1;
	size_t length;
	int r = io_read_file(root, path + strlen(root), FILE_LIMIT, &text, &length);

	if (r == -EFBIG)
		return why(w, r, "%s: more than %d bytes for a configuration file", path,
			   FILE_LIMIT);
	if (r < 0)
		return why(w, r, "%s: %s", path, strerror(-r));
	if (strlen(text) != length) {
		for (const char *c = text; *c; c++)
			line += *c == '\n';
		return why(w, -EINVAL, "%s:%u: a zero byte; this is not a text file", path, line);
	}
	return settings_parse(settings, text, path, warn, w);
}

static int load_file(struct settings *settings, const char *root, const char *path,
		     void (*warn)(const char *message), struct why *w)
{
	int r = load_whole_file(settings, root, path, warn, w);

	/* A missing file is for the caller to decide. */
	if (!settings->skip_bad || r == 0 || r == -ENOENT)
		return r;
	/* An unreadable file may ask for encryption. */
	settings->encrypt = true;
	return 0;
}

/* file begins with root. */
static int load_drop_ins(struct settings *settings, const char *root, const char *file,
			 void (*warn)(const char *message), struct why *w)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char directory[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	int r;

	if (snprintf(directory, sizeof(directory), "%s.d", file) >= (int)sizeof(directory))
		return why(w, -ENAMETOOLONG, "%s: the path is too long", file);
	r = drop_ins_add(root, directory + strlen(root), &names);
	if (r < 0 && settings->skip_bad) {
		settings->encrypt = true; /* as above */
		return 0;
	}
	if (r < 0)
		return why(w, r, "%s: %s", directory, strerror(-r));
	for (size_t i = 0; i < names.count && r == 0; i++) {
		snprintf(path, sizeof(path), "%s%s", root, names.items[i]);
		r = load_file(settings, root, path, warn, w);
	}
	return r;
}

/* Reads the first default file that exists. *path becomes its path, or that of the first default if
 * none exists, which may have drop-ins anyway. */
static int load_default_file(struct settings *settings, const char *root, char *path, size_t size,
			     void (*warn)(const char *message), struct why *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_files); i++) {
		struct why reason = { "" };
		int r;

		if (snprintf(path, size, "%s%s", root, default_files[i]) >= (int)size)
			return why(w, -ENAMETOOLONG, "%s: the path is too long", root);
		r = load_file(settings, root, path, warn, &reason);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return why(w, r, "%s", reason.text);
		text_copy(settings->config_file, sizeof(settings->config_file), path);
		return 0;
	}
	snprintf(path, size, "%s%s", root, default_files[0]);
	settings->config_file[0] = '\0';
	return 0;
}

int settings_load(struct settings *settings, const char *root, const char *file,
		  void (*warn)(const char *message), struct why *w)
{
	struct settings loaded = *settings;
	char path[sizeof(loaded.config_file)];
	int r;

	if (file) {
		if (!text_copy(path, sizeof(path), file))
			return why(w, -ENAMETOOLONG, "%s: the path is too long", file);
		text_copy(loaded.config_file, sizeof(loaded.config_file), path);
		r = load_file(&loaded, "", path, warn, w);
	} else {
		r = load_default_file(&loaded, root, path, sizeof(path), warn, w);
	}
	if (r == 0)
		r = load_drop_ins(&loaded, file ? "" : root, path, warn, w);
	if (r == 0)
		*settings = loaded;
	return r;
}
