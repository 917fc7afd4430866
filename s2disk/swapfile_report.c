/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_report.h"

#include "base/log.h"
#include "swapfile_run.h"
#include "swapfile_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HUNKS_MAX 64

void report_begin(struct report *report, const char *command)
{
	if (!report->use_json)
		return;
	json_begin(&report->json, stdout);
	json_object_begin(&report->json, NULL);
	json_string(&report->json, "command", command);
	json_bool(&report->json, "dry-run", report->dry_run);
}

int report_end(struct report *report, const char *result, const char *reason)
{
	if (!report->use_json)
		return 0;
	report_steps_end(report);
	json_string(&report->json, "result", result);
	json_string(&report->json, "reason", reason);
	json_object_end(&report->json);
	return json_end(&report->json);
}

void report_value(struct report *report, const char *key, const char *value)
{
	if (report->use_json)
		json_string(&report->json, key, value);
}

void report_number(struct report *report, const char *key, uint64_t value)
{
	if (report->use_json)
		json_u64(&report->json, key, value);
}

void report_line(struct report *report, const char *format, ...)
{
	va_list args;

	if (report->use_json || report->quiet)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* What a step does in a few words: a verb (with "would" it must still be
 * right) and what it is done to. */
static void describe(const struct step *step, bool undo, const char **ret_verb,
		     const char **ret_what, char *buffer, size_t size)
{
	*ret_what = step->path;
	switch (step->kind) {
	case STEP_FILE:
		*ret_verb = undo && !step->old_text ? "delete" : "write";
		break;
	case STEP_FOLDER:
		*ret_verb = undo ? "delete the folder" : "make the folder";
		break;
	case STEP_RUN:
		*ret_verb = "run";
		*ret_what = swapfile_run_text(undo ? step->undo : step->command, buffer, size);
		break;
	case STEP_KERNELS:
		*ret_verb = "run";
		snprintf(buffer, size, "%s add, for each kernel",
			 undo ? step->undo : step->command);
		*ret_what = buffer;
		break;
	case STEP_ENTRIES:
		*ret_verb = "take";
		snprintf(buffer, size, "%s out of boot loader entries made since", step->undo);
		*ret_what = buffer;
		break;
	case STEP_SWAP:
		*ret_verb = undo ? "switch off" : "switch on";
		break;
	case STEP_MADE:
		*ret_verb = undo ? "delete" : "make";
		break;
	case STEP_SUBVOLUME:
		*ret_verb = undo ? "delete the subvolume" : "make the subvolume";
		break;
	}
}

static void print_lines(const char *text, size_t length, char mark)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		printf("    %c %.*s\n", mark, (int)(stop - text), text);
		text = newline ? newline + 1 : end;
	}
}

static void put_json_lines(struct json *json, const char *key, const char *text, size_t length)
{
	char line[2048];
	const char *end = text + length;

	json_array_begin(json, key);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		snprintf(line, sizeof(line), "%.*s", (int)(stop - text), text);
		json_string(json, NULL, line);
		text = newline ? newline + 1 : end;
	}
	json_array_end(json);
}

/* What goes and what comes, as in a diff. */
static void tell_lines(struct report *report, const struct step *step, bool undo)
{
	const char *old = step->old_text ? step->old_text : "", *new = step->new_text;
	struct text_hunk hunks[HUNKS_MAX];
	size_t count = text_hunks(old, new, hunks, HUNKS_MAX);

	if (report->use_json)
		json_array_begin(&report->json, "changes");
	for (size_t i = 0; i < count && i < HUNKS_MAX; i++) {
		const char *gone = undo ? new + hunks[i].new_start : old + hunks[i].old_start;
		const char *come = undo ? old + hunks[i].old_start : new + hunks[i].new_start;
		size_t gone_length = undo ? hunks[i].new_length : hunks[i].old_length;
		size_t come_length = undo ? hunks[i].old_length : hunks[i].new_length;

		if (report->use_json) {
			json_object_begin(&report->json, NULL);
			put_json_lines(&report->json, "removed", gone, gone_length);
			put_json_lines(&report->json, "added", come, come_length);
			json_object_end(&report->json);
		} else {
			print_lines(gone, gone_length, '-');
			print_lines(come, come_length, '+');
		}
	}
	if (report->use_json)
		json_array_end(&report->json);
}

static void tell(void *context, const struct step *step, bool undo)
{
	struct report *report = context;
	const char *verb = "", *what = "";
	char buffer[512];

	describe(step, undo, &verb, &what, buffer, sizeof(buffer));
	if (report->use_json) {
		json_object_begin(&report->json, NULL);
		json_string(&report->json, "do", verb);
		json_string(&report->json, "what", what);
		if (step->kind == STEP_FILE)
			tell_lines(report, step, undo);
		json_object_end(&report->json);
		return;
	}
	report_line(report, "%s%s %s", report->dry_run ? "would " : "", verb, what);
	if (step->kind == STEP_FILE && !report->quiet)
		tell_lines(report, step, undo);
}

static void warn(void *context, const char *message)
{
	(void)context;
	log_warning("%s", message);
}

struct step_teller report_steps_begin(struct report *report)
{
	if (report->use_json && !report->in_steps)
		json_array_begin(&report->json, "steps");
	report->in_steps = true;
	return (struct step_teller){ .tell = tell, .warn = warn, .context = report };
}

void report_steps_end(struct report *report)
{
	if (report->use_json && report->in_steps)
		json_array_end(&report->json);
	report->in_steps = false;
}

void report_plan(struct report *report, const struct plan *plan, bool undo)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[undo ? plan->count - 1 - i : i];

		if (step_runs(step) && !(undo ? step->undo : step->command))
			continue;
		tell(report, step, undo);
	}
}
