/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/sleep_config.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "config/drop_ins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT 1048576
#define SECOND 1000000ull
#define HOUR (3600 * SECOND)

/* The first that exists counts; systemd 252 reads only the first. */
static const char *const main_files[] = {
	"/etc/systemd/sleep.conf",
	"/run/systemd/sleep.conf",
	"/usr/local/lib/systemd/sleep.conf",
	"/usr/lib/systemd/sleep.conf",
};

static const char *const directories[] = {
	"/etc/systemd/sleep.conf.d",	       "/run/systemd/sleep.conf.d",
	"/usr/local/lib/systemd/sleep.conf.d", "/usr/lib/systemd/sleep.conf.d",
	"/lib/systemd/sleep.conf.d",
};

struct reader {
	struct sleep_config *config;
	void (*warn)(const char *message);
	/* -1: not set. */
	int suspend, hibernation, hybrid, then_hibernate, on_mains;
};

static const struct unit {
	const char *name;
	uint64_t usec;
} units[] = {
	{ "", SECOND },
	{ "us", 1 },
	{ "usec", 1 },
	{ "ms", 1000 },
	{ "msec", 1000 },
	{ "s", SECOND },
	{ "sec", SECOND },
	{ "second", SECOND },
	{ "seconds", SECOND },
	{ "m", 60 * SECOND },
	{ "min", 60 * SECOND },
	{ "minute", 60 * SECOND },
	{ "minutes", 60 * SECOND },
	{ "h", HOUR },
	{ "hr", HOUR },
	{ "hour", HOUR },
	{ "hours", HOUR },
	{ "d", 24 * HOUR },
	{ "day", 24 * HOUR },
	{ "days", 24 * HOUR },
	{ "w", 168 * HOUR },
	{ "week", 168 * HOUR },
	{ "weeks", 168 * HOUR },
	{ "M", 2629800 * SECOND },
	{ "month", 2629800 * SECOND },
	{ "months", 2629800 * SECOND },
	{ "y", 31557600 * SECOND },
	{ "year", 31557600 * SECOND },
	{ "years", 31557600 * SECOND },
};

/* Number and unit; *text is moved past them. */
static int parse_part(const char **text, uint64_t *ret)
{
	size_t length = 0;
	double number;
	char *end;

	if (!strchr("0123456789.", **text))
		return -EINVAL;
	number = strtod(*text, &end);
	if (end == *text)
		return -EINVAL;
	end += strspn(end, " \t");
	length = strcspn(end, " \t0123456789.");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) != length || strncmp(end, units[i].name, length) != 0)
			continue;
		number *= (double)units[i].usec;
		if (!(number < 9e18))
			return -ERANGE;
		*ret = (uint64_t)number;
		*text = end + length;
		return 0;
	}
	return -EINVAL;
}

/* As systemd writes it ("90", "1h 30min", "1.5h", "infinity"), in microseconds; -EINVAL, -ERANGE.
 */
static int parse_span(const char *text, uint64_t *ret)
{
	uint64_t sum = 0, part;

	if (strcmp(text, "infinity") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	text += strspn(text, " \t");
	if (!*text)
		return -EINVAL;
	while (*text) {
		int r = parse_part(&text, &part);

		if (r < 0)
			return r;
		if (part > (uint64_t)9e18 - sum)
			return -ERANGE;
		sum += part;
		text += strspn(text, " \t");
	}
	*ret = sum;
	return 0;
}

static int set_bool(const char *value, int *ret)
{
	bool yes;

	if (!*value) {
		*ret = -1;
		return 0;
	}
	if (text_parse_bool(value, &yes) < 0)
		return -EINVAL;
	*ret = yes;
	return 0;
}

/* No timer can be set that far ahead, so infinity counts as not set, as in systemd. */
static int set_delay(struct sleep_config *config, const char *value)
{
	uint64_t delay = UINT64_MAX;
	int r = *value ? parse_span(value, &delay) : 0;

	if (r < 0)
		return r;
	config->delay_set = delay != UINT64_MAX;
	config->delay_usec = delay;
	return 0;
}

/* Each line adds to those before; an empty one begins again. */
static int add_states(struct sleep_config *config, const char *value)
{
	char *words = config->suspend_state;
	size_t length = *value ? strlen(words) : 0;
	size_t room = sizeof(config->suspend_state) - length;

	if (strlen(value) + 1 >= room)
		return -EINVAL;
	snprintf(words + length, room, "%s%s", length ? " " : "", value);
	return 0;
}

/* 0 for irrelevant keys, too. */
static int set_key(struct reader *reader, const char *key, const char *value)
{
	struct sleep_config *config = reader->config;

	if (strcmp(key, "AllowSuspend") == 0)
		return set_bool(value, &reader->suspend);
	if (strcmp(key, "AllowHibernation") == 0)
		return set_bool(value, &reader->hibernation);
	if (strcmp(key, "AllowHybridSleep") == 0)
		return set_bool(value, &reader->hybrid);
	if (strcmp(key, "AllowSuspendThenHibernate") == 0)
		return set_bool(value, &reader->then_hibernate);
	if (strcmp(key, "SuspendState") == 0)
		return add_states(config, value);
	if (strcmp(key, "MemorySleepMode") == 0)
		return text_copy(config->memory_mode, sizeof(config->memory_mode), value) ? 0
											  : -EINVAL;
	if (strcmp(key, "HibernateMode") == 0)
		return text_copy(config->hibernate_mode, sizeof(config->hibernate_mode), value)
			       ? 0
			       : -EINVAL;
	if (strcmp(key, "SuspendEstimationSec") == 0)
		return parse_span(value, &config->estimation_usec);
	if (strcmp(key, "HibernateOnACPower") == 0)
		return set_bool(value, &reader->on_mains);
	if (strcmp(key, "HibernateDelaySec") == 0)
		return set_delay(config, value);
	return 0;
}

static void parse_line(struct reader *reader, char *line, const char *file, unsigned int number,
		       bool *in_section)
{
	char *equal, message[512];

	line = text_trim(line);
	if (!*line || *line == '#' || *line == ';')
		return;
	if (*line == '[') {
		*in_section = strcmp(line, "[Sleep]") == 0;
		return;
	}
	if (!*in_section)
		return;
	equal = strchr(line, '=');
	if (equal) {
		*equal = '\0';
		if (set_key(reader, text_trim(line), text_trim(equal + 1)) == 0)
			return;
		*equal = '=';
	}
	if (!reader->warn)
		return;
	snprintf(message, sizeof(message), "%s:%u: \"%s\" is not understood, ignored", file, number,
		 line);
	text_make_printable(message);
	reader->warn(message);
}

/* false: it does not exist or cannot be read. */
static bool read_file(struct reader *reader, const char *root, const char *path)
{
	_cleanup_free_ char *text = NULL;
	unsigned int number = 0;
	bool in_section = false;
	int r = io_read_file(root, path, FILE_LIMIT, &text, NULL);
	char message[512];

	if (r < 0 && r != -ENOENT && reader->warn) {
		snprintf(message, sizeof(message), "%s: %s", path, strerror(-r));
		reader->warn(message);
	}
	if (r < 0)
		return false;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		parse_line(reader, line, path, ++number, &in_section);
	}
	return true;
}

static void read_drop_ins(struct reader *reader, const char *root)
{
	_cleanup_names_ struct tree_names paths = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		drop_ins_add(root, directories[i], &paths);
	for (size_t i = 0; i < paths.count; i++)
		read_file(reader, root, paths.items[i]);
}

/* The kernel would write an image of its own for it: without a place that was checked, and not
 * encrypted. */
static void drop_disk(struct reader *reader)
{
	char *words = reader->config->suspend_state, *rest, *word;
	char copy[sizeof(reader->config->suspend_state)];
	bool dropped = false;
	size_t length = 0;

	strcpy(copy, words);
	words[0] = '\0';
	rest = copy;
	while ((word = strsep(&rest, " \t"))) {
		if (strcmp(word, "disk") == 0)
			dropped = true;
		else if (*word)
			length += (size_t)sprintf(words + length, "%s%s", length ? " " : "", word);
	}
	if (dropped && reader->warn)
		reader->warn("SuspendState= of sleep.conf: \"disk\" is not a way to suspend, "
			     "ignored");
}

void sleep_config_load(const char *root, struct sleep_config *ret,
		       void (*warn)(const char *message))
{
	struct reader reader = { ret, warn, -1, -1, -1, -1, -1 };
	bool both;

	*ret = (struct sleep_config){
		.delay_usec = 2 * HOUR,
		.estimation_usec = HOUR,
	};
	for (size_t i = 0; i < ARRAY_SIZE(main_files); i++)
		if (read_file(&reader, root, main_files[i]))
			break;
	read_drop_ins(&reader, root);
	both = reader.suspend != 0 && reader.hibernation != 0;
	ret->allow_hibernation = reader.hibernation != 0;
	ret->not_on_mains = reader.on_mains == 0;
	ret->allow_hybrid_sleep = reader.hybrid >= 0 ? reader.hybrid : both;
	ret->allow_suspend_then_hibernate =
		reader.then_hibernate >= 0 ? reader.then_hibernate : both;
	if (!ret->delay_set)
		ret->delay_usec = 2 * HOUR;
	drop_disk(&reader);
	if (!ret->suspend_state[0])
		strcpy(ret->suspend_state, "mem standby freeze");
	if (ret->estimation_usec == 0)
		ret->estimation_usec = HOUR;
}
