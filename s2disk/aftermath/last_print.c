/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints struct last, as text and as JSON. */
#include "aftermath.h"
#include "output/json.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "history/boot_record_file.h"
#include "last_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *time_text(uint64_t when, char *buffer, size_t size)
{
	time_t seconds = (time_t)when;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(buffer, size, "%" PRIu64, when);
	return buffer;
}

static void print_image(const struct last *last, FILE *out)
{
	char text[200];

	if (!last->image_bytes)
		return;
	aftermath_describe(text, sizeof(text), last->image_bytes, last->stored_bytes,
			   last->write_usec);
	fprintf(out, "                %s\n", text);
	if (last->left_out_pages)
		fprintf(out, "                %" PRIu64 " offlined page frame%s left out: %s\n",
			last->left_out_pages, last->left_out_pages == 1 ? "" : "s", last->left_out);
}

static void print_lines(const char *lines, FILE *out)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		if (length > 0)
			fprintf(out, "                %.*s\n", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

static void print_pages(uint64_t count, const char *what, FILE *out)
{
	if (count > 0)
		fprintf(out,
			"                %" PRIu64 " page%s that the firmware claims since "
			"then %s\n",
			count, count == 1 ? "" : "s", what);
}

static void print_resumed(const struct last *last, FILE *out)
{
	char when[64];

	fprintf(out, "resumed         %s", time_text(last->ended, when, sizeof(when)));
	if (last->load_usec)
		fprintf(out, ", loaded in %.1f s (%.0f MiB/s)", (double)last->load_usec / 1e6,
			mib_per_second(last->image_bytes, last->load_usec));
	if (last->attempts > 1)
		fprintf(out, ", at attempt %" PRIu64, last->attempts);
	fputs("\n", out);
	if (last->verdict[0])
		fprintf(out, "verdict         %s\n", last->verdict);
	print_lines(last->findings, out);
	print_pages(last->quarantined_pages, "offlined", out);
	print_pages(last->unquarantined_pages, "could not be offlined", out);
	if (last->shut_down[0])
		fputs("SHUT DOWN       file systems and swap that another system changed "
		      "meanwhile:\n",
		      out);
	print_lines(last->shut_down, out);
	if (last->reason[0])
		fprintf(out, "problem         %s\n", last->reason);
	if (last->alarm[0])
		fprintf(out, "ALARM           %s\n", last->alarm);
}

static void print_last(const struct last *last, FILE *out)
{
	bool bad = last->result == LAST_FAILED || last->result == LAST_REFUSED;
	char when[64];

	fprintf(out, "%s  %s%s%s (%s)\n", bad ? "not hibernated" : "hibernated    ",
		time_text(last->begun, when, sizeof(when)), last->area[0] ? " into " : "",
		last->area, last->method);
	print_image(last, out);
	switch (last->result) {
	case LAST_RESUMED:
		print_resumed(last, out);
		break;
	case LAST_WOKE:
		fprintf(out, "woke            %s, from RAM; the image was invalidated\n",
			time_text(last->ended, when, sizeof(when)));
		break;
	case LAST_TESTED:
		fprintf(out, "tested          %s, the system ran on\n",
			time_text(last->ended, when, sizeof(when)));
		break;
	case LAST_FAILED:
	case LAST_REFUSED:
		fprintf(out, "%s         %s\n", last->result == LAST_FAILED ? "failed " : "refused",
			last->reason);
		break;
	}
}

static void print_json_last(struct json *json, const struct last *last)
{
	json_object_begin(json, "last");
	json_string(json, "result", last_result_name(last->result));
	for (const struct last_field *field = last_fields; field->name; field++) {
		if (!field->size)
			json_u64(json, field->name, last_number_of(last, field));
		else
			json_string(json, field->name,
				    *last_text_of(last, field) ? last_text_of(last, field) : NULL);
	}
	json_object_end(json);
}

/* The name that all other messages use. */
static const char *note_name(const struct boot_run *note)
{
	return note->named[0] ? note->named : note->device;
}

static int print_json(const struct last *last, const struct boot_run *note, FILE *out)
{
	struct json json;

	json_begin(&json, out);
	json_object_begin(&json, NULL);
	if (last)
		print_json_last(&json, last);
	else
		json_null(&json, "last");
	if (note) {
		json_object_begin(&json, "set_aside");
		json_u64(&json, "time", note->time);
		json_string(&json, "area", note_name(note));
		json_u64(&json, "offset", note->offset);
		json_string(&json, "reason", note->reason);
		json_object_end(&json);
	} else {
		json_null(&json, "set_aside");
	}
	json_object_end(&json);
	return json_end(&json);
}

/* An image that this boot discarded. */
static bool read_note(const char *root, struct boot_run *ret)
{
	struct boot_record *record = calloc(1, sizeof(*record));
	const struct boot_run *run = NULL;

	if (record && boot_record_read(root, record, NULL) == 0) {
		run = boot_record_discarded(record);
		if (run)
			*ret = *run;
		boot_record_free(record);
	}
	free(record);
	return run != NULL;
}

static void print_note(const struct boot_run *note, FILE *out)
{
	char when[64];

	fprintf(out, "discarded       %s, at this boot, in %s: %s\n",
		time_text(note->time, when, sizeof(when)), note_name(note), note->reason);
}

int last_print(const char *root, bool json, FILE *out, struct why *w)
{
	struct boot_run note;
	struct last last;
	int r = last_load(&last, root, w);
	bool known = r == 0, noted = read_note(root, &note);

	if (r < 0 && r != -ENOENT)
		return r;
	/* A later hibernation makes the note obsolete. */
	if (known && noted && note.time < last.begun)
		noted = false;
	if (json)
		return print_json(known ? &last : NULL, noted ? &note : NULL, out);
	if (known)
		print_last(&last, out);
	if (noted)
		print_note(&note, out);
	if (!known && !noted)
		fputs("no hibernation is recorded\n", out);
	return fflush(out) == 0 ? 0 : -EIO;
}
