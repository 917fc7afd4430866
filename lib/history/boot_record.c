/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/boot_record.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "history/boot_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE "s2disk boot record "
#define FORM 1

void boot_record_free(struct boot_record *record)
{
	free(record->map);
	free(record->log);
	record->map = record->log = NULL;
}

static int weight(const struct boot_run *run)
{
	switch (run->found) {
	case FOUND_IMAGE:
	case FOUND_KERNEL_IMAGE:
		return 2;
	case FOUND_NOTHING_NAMED:
	case FOUND_NOT_LOOKED:
		return 0;
	default:
		return 1;
	}
}

void boot_record_append(struct boot_record *record, const struct boot_run *run)
{
	size_t least = 0;

	if (record->run_count == BOOT_RUNS_MAX) {
		for (size_t i = 1; i < BOOT_RUNS_MAX; i++)
			if (weight(&record->runs[i]) < weight(&record->runs[least]))
				least = i;
		memmove(&record->runs[least], &record->runs[least + 1],
			(BOOT_RUNS_MAX - 1 - least) * sizeof(*run));
		record->run_count--;
		record->forgotten++;
	}
	record->runs[record->run_count++] = *run;
}

const struct boot_run *boot_record_discarded(const struct boot_record *record)
{
	for (size_t i = record->run_count; i-- > 0;)
		if (record->runs[i].fate == FATE_DISCARDED)
			return &record->runs[i];
	return NULL;
}

/* A value must not start a line of its own; an empty one is not written. */
static void put(FILE *file, const char *key, const char *value)
{
	char line[sizeof(((struct boot_record *)NULL)->command_line)];

	if (value[0])
		fprintf(file, "%s %s\n", key, text_excerpt(value, line, sizeof(line)));
}

static void put_lines(FILE *file, const char *key, const char *text, size_t limit)
{
	const char *begin = text;
	char line[BOOT_LINE_SIZE];

	while (text && *text) {
		size_t length = strcspn(text, "\n");

		if ((size_t)(text - begin) + length > limit)
			break;
		snprintf(line, sizeof(line), "%.*s", (int)min_u64(length, sizeof(line)), text);
		put(file, key, line);
		text += length + (text[length] == '\n');
	}
}

static void put_run(FILE *file, const struct boot_run *run)
{
	fprintf(file, "run %" PRIu64 "\n", run->time);
	put(file, " program", run->program);
	put(file, " form", run->form);
	put(file, " named-by", boot_named_word(run->by));
	put(file, " named-in", run->by_file);
	put(file, " named", run->named);
	fprintf(file, " offset %" PRIu64 "\n", run->offset);
	put(file, " noresume", run->noresume ? "y" : "n");
	put(file, " encrypt", run->encrypt ? "y" : "n");
	put(file, " settings", run->settings);
	put(file, " device", run->device);
	if (run->has_number)
		fprintf(file, " number %" PRIu32 ":%" PRIu32 "\n", run->major, run->minor);
	put(file, " uuid", run->uuid);
	put(file, " found", boot_found_word(run->found));
	put(file, " image", boot_fate_word(run->fate));
	put(file, " reason", run->reason);
	for (size_t i = 0; i < run->key_count; i++) {
		const struct boot_key_file *key = &run->keys[i];

		fprintf(file, " key %s", key->digest[0] ? key->digest : "-");
		put(file, "", key->path);
	}
}

int boot_record_encode(const struct boot_record *record, char **ret_text, size_t *ret_length)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return -ENOMEM;
	fprintf(file, TITLE "%d\n", FORM);
	put(file, "boot-id", record->boot_id);
	put(file, "kernel", record->kernel);
	put(file, "command-line", record->command_line);
	for (size_t i = 0; i < record->run_count; i++)
		put_run(file, &record->runs[i]);
	if (record->forgotten)
		fprintf(file, "forgotten %" PRIu64 "\n", record->forgotten);
	put(file, "left-out", record->keys_left_out ? "key" : "");
	put_lines(file, "map", record->map, BOOT_RECORD_MAP_LIMIT);
	put_lines(file, "log", record->log, BOOT_RECORD_LOG_LIMIT);
	if (fclose(file) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	*ret_length = length;
	return 0;
}

/* Lines without their key: never longer than the source text. */
struct lines {
	char *text;
	size_t length;
};

static void add_line(struct lines *lines, const char *line, size_t limit)
{
	size_t length = strlen(line);

	if (lines->length + length + 1 > limit)
		return;
	memcpy(lines->text + lines->length, line, length);
	lines->length += length;
	lines->text[lines->length++] = '\n';
}

struct reading {
	struct boot_record *record;
	struct boot_run *run; /* whose lines these are; NULL: none, or one beyond the limit */
	struct lines map, log;
};

static void take_key_file(struct boot_run *run, char *value)
{
	char *path = strchr(value, ' ');
	struct boot_key_file *key;

	if (!path || !path[1] || run->key_count == BOOT_KEYS_MAX)
		return;
	*path++ = '\0';
	key = &run->keys[run->key_count++];
	text_copy(key->path, sizeof(key->path), path);
	if (strlen(value) == sizeof(key->digest) - 1 &&
	    strspn(value, "0123456789abcdef") == sizeof(key->digest) - 1)
		text_copy(key->digest, sizeof(key->digest), value);
}

static void take_number(struct boot_run *run, char *value)
{
	char *rest = strchr(value, ':');
	uint64_t major, minor;

	if (!rest)
		return;
	*rest++ = '\0';
	if (text_parse_u64(value, &major) < 0 || text_parse_u64(rest, &minor) < 0 ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return;
	run->has_number = true;
	run->major = (uint32_t)major;
	run->minor = (uint32_t)minor;
}

static void take_of_run(struct boot_run *run, const char *key, char *value)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} texts[] = {
		{ "program", run->program, sizeof(run->program) },
		{ "form", run->form, sizeof(run->form) },
		{ "named-in", run->by_file, sizeof(run->by_file) },
		{ "named", run->named, sizeof(run->named) },
		{ "settings", run->settings, sizeof(run->settings) },
		{ "device", run->device, sizeof(run->device) },
		{ "uuid", run->uuid, sizeof(run->uuid) },
		{ "reason", run->reason, sizeof(run->reason) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(key, texts[i].key) == 0)
			text_copy(texts[i].to, texts[i].size, value);
	if (strcmp(key, "named-by") == 0)
		run->by = boot_named_parse(value);
	else if (strcmp(key, "found") == 0)
		run->found = boot_found_parse(value);
	else if (strcmp(key, "image") == 0)
		run->fate = boot_fate_parse(value);
	else if (strcmp(key, "offset") == 0)
		(void)text_parse_u64(value, &run->offset);
	else if (strcmp(key, "noresume") == 0)
		run->noresume = strcmp(value, "y") == 0;
	else if (strcmp(key, "encrypt") == 0)
		run->encrypt = strcmp(value, "y") == 0;
	else if (strcmp(key, "number") == 0)
		take_number(run, value);
	else if (strcmp(key, "key") == 0)
		take_key_file(run, value);
}

static void begin_run(struct reading *reading, const char *value)
{
	struct boot_record *record = reading->record;

	reading->run = NULL;
	if (record->run_count == BOOT_RUNS_MAX) {
		record->forgotten++;
		return;
	}
	reading->run = &record->runs[record->run_count++];
	(void)text_parse_u64(value, &reading->run->time);
}

static void take(struct reading *reading, const char *key, char *value)
{
	struct boot_record *record = reading->record;
	uint64_t forgotten;

	if (key[0] == ' ' && reading->run)
		take_of_run(reading->run, key + 1, value);
	else if (strcmp(key, "run") == 0)
		begin_run(reading, value);
	else if (strcmp(key, "boot-id") == 0)
		text_copy(record->boot_id, sizeof(record->boot_id), value);
	else if (strcmp(key, "kernel") == 0)
		text_copy(record->kernel, sizeof(record->kernel), value);
	else if (strcmp(key, "command-line") == 0)
		text_copy(record->command_line, sizeof(record->command_line), value);
	else if (strcmp(key, "forgotten") == 0 && text_parse_u64(value, &forgotten) == 0)
		record->forgotten = forgotten;
	else if (strcmp(key, "left-out") == 0)
		record->keys_left_out = strstr(value, "key") != NULL;
	else if (strcmp(key, "map") == 0)
		add_line(&reading->map, value, BOOT_RECORD_MAP_LIMIT);
	else if (strcmp(key, "log") == 0)
		add_line(&reading->log, value, BOOT_RECORD_LOG_LIMIT);
}

static int check_title(const char *text, struct why *w)
{
	char number[16];
	uint64_t version;

	if (!text_starts(text, TITLE))
		return why(w, -EBADMSG, "it is not a boot record");
	text += strlen(TITLE);
	snprintf(number, sizeof(number), "%.*s", (int)min_u64(strcspn(text, "\n"), 15), text);
	if (text_parse_u64(number, &version) < 0 || version == 0)
		return why(w, -EBADMSG, "it is not a boot record");
	if (version > FORM)
		return why(w, -ENOTSUP, "a newer resume(8) wrote it (form %" PRIu64 ")", version);
	return 0;
}

/* The key is what precedes the first blank, which may be the very first byte. */
static void take_line(struct reading *reading, char *line)
{
	char *blank = line[0] ? strchr(line + 1, ' ') : NULL;

	if (!blank)
		return;
	*blank = '\0';
	take(reading, line, blank + 1);
}

static void read_lines(struct reading *reading, char *copy)
{
	char *line;

	strsep(&copy, "\n"); /* the title */
	while ((line = strsep(&copy, "\n")))
		take_line(reading, line);
}

/* The text, or NULL where there is no line. */
static char *finish(struct lines *lines, char **memory)
{
	if (lines->length == 0)
		return NULL;
	lines->text[lines->length] = '\0';
	return steal_pointer(memory);
}

int boot_record_parse(const char *text, struct boot_record *ret, struct why *w)
{
	_cleanup_free_ char *copy = NULL, *map = NULL, *log = NULL;
	_cleanup_free_ struct boot_record *record = NULL;
	struct reading reading = { 0 };
	size_t size = strlen(text) + 1;
	int r = check_title(text, w);

	if (r < 0)
		return r;
	copy = strdup(text);
	map = malloc(size);
	log = malloc(size);
	record = calloc(1, sizeof(*record));
	if (!copy || !map || !log || !record)
		return -ENOMEM;
	text_make_printable(copy);
	reading = (struct reading){ .record = record, .map = { map, 0 }, .log = { log, 0 } };
	read_lines(&reading, copy);
	*ret = *record;
	ret->map = finish(&reading.map, &map);
	ret->log = finish(&reading.log, &log);
	return 0;
}
