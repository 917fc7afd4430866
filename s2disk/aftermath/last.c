/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "last.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/replace.h"
#include "output/journal.h"
#include "base/text.h"
#include "last_private.h"
#include "verdict/finding.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIRECTORY "/var/lib/s2disk"
#define STATE DIRECTORY "/last"
#define STATE_LIMIT 65536

static const char *const results[] = {
	[LAST_RESUMED] = "resumed", [LAST_WOKE] = "woke",	[LAST_TESTED] = "tested",
	[LAST_FAILED] = "failed",   [LAST_REFUSED] = "refused",
};

const struct last_field last_fields[] = {
	{ "begun", offsetof(struct last, begun), 0 },
	{ "ended", offsetof(struct last, ended), 0 },
	{ "area", offsetof(struct last, area), sizeof(((struct last *)0)->area) },
	{ "method", offsetof(struct last, method), sizeof(((struct last *)0)->method) },
	{ "reason", offsetof(struct last, reason), sizeof(((struct last *)0)->reason) },
	{ "alarm", offsetof(struct last, alarm), sizeof(((struct last *)0)->alarm) },
	{ "image_id", offsetof(struct last, image_id), sizeof(((struct last *)0)->image_id) },
	{ "image_bytes", offsetof(struct last, image_bytes), 0 },
	{ "stored_bytes", offsetof(struct last, stored_bytes), 0 },
	{ "write_usec", offsetof(struct last, write_usec), 0 },
	{ "load_usec", offsetof(struct last, load_usec), 0 },
	{ "attempts", offsetof(struct last, attempts), 0 },
	{ "quarantined_pages", offsetof(struct last, quarantined_pages), 0 },
	{ "unquarantined_pages", offsetof(struct last, unquarantined_pages), 0 },
	{ "shut_down", offsetof(struct last, shut_down), sizeof(((struct last *)0)->shut_down) },
	{ "left_out_pages", offsetof(struct last, left_out_pages), 0 },
	{ "left_out", offsetof(struct last, left_out), sizeof(((struct last *)0)->left_out) },
	{ "verdict", offsetof(struct last, verdict), sizeof(((struct last *)0)->verdict) },
	{ "findings", offsetof(struct last, findings), sizeof(((struct last *)0)->findings) },
	{ NULL, 0, 0 },
};

const char *last_result_name(enum last_result result)
{
	return results[result];
}

const char *last_text_of(const struct last *last, const struct last_field *field)
{
	return (const char *)last + field->at;
}

uint64_t last_number_of(const struct last *last, const struct last_field *field)
{
	uint64_t number;

	memcpy(&number, (const char *)last + field->at, sizeof(number));
	return number;
}

void last_begin(struct last *last, const char *area, const char *method)
{
	*last = (struct last){ .begun = (uint64_t)time(NULL) };
	text_copy(last->area, sizeof(last->area), area);
	text_copy(last->method, sizeof(last->method), method);
}

static bool has_class(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strncmp(line, name, length) == 0 && line[length] == ':';
}

/* The worst class that a line begins with. Harmless findings are not handed over. */
static enum verdict_class worst_of(const char *lines)
{
	enum verdict_class worst = VERDICT_HARMLESS;

	for (; *lines; lines = strchrnul(lines, '\n'), lines += *lines != '\0') {
		/* An older resume, in an initramfs not regenerated since, writes "mended". */
		if (worst < VERDICT_CORRECTED && has_class(lines, "mended"))
			worst = VERDICT_CORRECTED;
		for (enum verdict_class class = worst + 1; class <= VERDICT_FATAL; class ++)
			if (has_class(lines, verdict_class_name(class)))
				worst = class;
	}
	return worst;
}

void last_take_handover(struct last *last, const struct handover *handover, uint64_t quarantined)
{
	uint64_t wanted = 0;

	text_hex(handover->image_id, IMAGE_ID_SIZE, last->image_id);
	for (uint32_t i = 0; i < handover->quarantine_count; i++)
		wanted += handover->quarantine[i].count;
	last->image_bytes = handover->stream_bytes;
	last->stored_bytes = handover->stored_bytes;
	last->write_usec = handover->write_usec;
	last->load_usec = handover->load_usec;
	last->attempts = handover->attempts;
	last->quarantined_pages = quarantined;
	last->unquarantined_pages = wanted - min_u64(wanted, quarantined);
	text_copy(last->findings, sizeof(last->findings), handover->text);
	text_copy(last->verdict, sizeof(last->verdict),
		  verdict_class_name(worst_of(handover->text)));
}

void last_add_shut_down(struct last *last, const char *line)
{
	size_t used = strlen(last->shut_down);

	snprintf(last->shut_down + used, sizeof(last->shut_down) - used, "%s%s", used ? "\n" : "",
		 line);
}

void last_end(struct last *last, enum last_result result, const char *reason)
{
	last->result = result;
	last->ended = (uint64_t)time(NULL);
	if (reason)
		text_copy(last->reason, sizeof(last->reason), reason);
}

/* Random, chosen for this program; s2disk(8) lists them. */
static const char *const message_ids[] = {
	[LAST_RESUMED] = "42f340171899404dae61adc01022c027",
	[LAST_WOKE] = "dbd2ad3103a64c1d8dc7c2f4dab8832c",
	[LAST_TESTED] = "acf6fea3873a4893a506158d94bb2241",
	[LAST_FAILED] = "c25868841db94df48b973dd3ca034822",
	[LAST_REFUSED] = "87c21056d1b54d3e8236375de91b1757",
};

static const char *const messages[] = {
	[LAST_RESUMED] = "Resumed from disk",	    [LAST_WOKE] = "Woke from RAM",
	[LAST_TESTED] = "A test image was written", [LAST_FAILED] = "Hibernating failed",
	[LAST_REFUSED] = "Hibernating was refused",
};

int last_log_journal(const struct last *last, const char *root)
{
	bool bad = last->result == LAST_FAILED || last->result == LAST_REFUSED;
	enum log_level level = bad ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE;
	struct journal_entry entry;

	/* The journal shows an emergency on every terminal in use. */
	if (last->alarm[0])
		level = LOG_LEVEL_EMERGENCY;
	else if (last->shut_down[0])
		level = LOG_LEVEL_ALERT;
	journal_begin(&entry, "s2disk", level, "%s%s%s%s%s%s", messages[last->result],
		      last->reason[0] ? ": " : "", last->reason,
		      last->shut_down[0]
			      ? "; file systems or swap that another system changed were shut down"
			      : "",
		      last->alarm[0] ? ". " : "", last->alarm);
	journal_field(&entry, "MESSAGE_ID", "%s", message_ids[last->result]);
	journal_field(&entry, "S2DISK_RESULT", "%s", last_result_name(last->result));
	for (const struct last_field *field = last_fields; field->name; field++) {
		char name[64] = "S2DISK_";
		size_t used = strlen(name);

		for (const char *c = field->name; *c && used + 1 < sizeof(name); c++)
			name[used++] = (char)toupper((unsigned char)*c);
		name[used] = '\0';
		if (!field->size)
			journal_field(&entry, name, "%llu",
				      (unsigned long long)last_number_of(last, field));
		else if (*last_text_of(last, field))
			journal_field(&entry, name, "%s", last_text_of(last, field));
	}
	return journal_send(&entry, root);
}

/* One line a field: newlines and backslashes are escaped. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\')
			fputs("\\\\", out);
		else
			putc(*text, out);
	}
}

static void put_fields(FILE *out, const struct last *last)
{
	fprintf(out, "result=%s\n", last_result_name(last->result));
	for (const struct last_field *field = last_fields; field->name; field++) {
		fprintf(out, "%s=", field->name);
		if (field->size)
			put_text(out, last_text_of(last, field));
		else
			fprintf(out, "%llu", (unsigned long long)last_number_of(last, field));
		putc('\n', out);
	}
	fputs("end\n", out);
}

int last_save(const struct last *last, const char *root, struct why *w)
{
	char directory[PATH_MAX], path[PATH_MAX];
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;
	int r = -ENOMEM;

	if (snprintf(directory, sizeof(directory), "%s" DIRECTORY, root) >=
		    (int)sizeof(directory) ||
	    snprintf(path, sizeof(path), "%s" STATE, root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	mkdir(directory, 0755);
	out = open_memstream(&text, &size);
	if (out) {
		put_fields(out, last);
		if (fclose(out) == 0)
			r = replace_file(path, text, 0644);
	}
	return r < 0 ? why(w, r, "%s cannot be written: %s", STATE, strerror(-r)) : 0;
}

static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && text[1]) {
			text++;
			*to++ = *text == 'n' ? '\n' : *text;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static int take_result(struct last *last, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		if (strcmp(value, results[i]) == 0) {
			last->result = (enum last_result)i;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_field(struct last *last, const char *name, char *value)
{
	uint64_t number;

	if (strcmp(name, "result") == 0)
		return take_result(last, value);
	for (const struct last_field *field = last_fields; field->name; field++) {
		if (strcmp(field->name, name) != 0)
			continue;
		if (!field->size) {
			if (text_parse_u64(value, &number) < 0)
				return -EBADMSG;
			memcpy((char *)last + field->at, &number, sizeof(number));
			return 0;
		}
		unescape(value);
		text_copy((char *)last + field->at, field->size, value);
		text_make_printable((char *)last + field->at);
		return 0;
	}
	return 0; /* of another version */
}

static int parse(char *text, struct last *ret)
{
	char *line;
	int r = 0;

	*ret = (struct last){ 0 };
	while (r == 0 && (line = strsep(&text, "\n"))) {
		char *equal = strchr(line, '=');

		if (!equal)
			return strcmp(line, "end") == 0 ? 0 : -EBADMSG;
		*equal = '\0';
		r = take_field(ret, line, equal + 1);
	}
	return r < 0 ? r : -EBADMSG;
}

int last_load(struct last *ret, const char *root, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	int r = io_read_file(root, STATE, STATE_LIMIT, &text, NULL);

	if (r < 0)
		return why(w, r, "%s: %s", STATE, strerror(-r));
	r = parse(text, ret);
	return r < 0 ? why(w, r, "%s is damaged", STATE) : 0;
}
