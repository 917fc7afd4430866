/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_report.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "swapfile_run.h"
#include "swapfile_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_begin(struct report *report, const char *command)
{
	if (!report->use_json)
		return;
	json_begin(&report->json, stdout);
	json_object_begin(&report->json, NULL);
	json_string(&report->json, "command", command);
	json_bool(&report->json, "dry-run", report->dry_run);
}

static void end_steps(struct report *report)
{
	if (report->in_steps)
		json_array_end(&report->json);
	report->in_steps = false;
}

int report_end(struct report *report, const char *result, const char *reason)
{
	if (!report->use_json)
		return 0;
	end_steps(report);
	json_string(&report->json, "result", result);
	json_string(&report->json, "reason", reason);
	json_object_end(&report->json);
	return json_end(&report->json);
}

void report_value(struct report *report, const char *key, const char *value)
{
	end_steps(report);
	if (report->use_json)
		json_string(&report->json, key, value);
}

void report_number(struct report *report, const char *key, uint64_t value)
{
	end_steps(report);
	if (report->use_json)
		json_u64(&report->json, key, value);
}

void report_line(struct report *report, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;

	if (report->use_json || report->quiet)
		return;
	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	if (!line)
		return;
	for (char *c = line; *c; c++)
		if (*c == '\t')
			*c = ' ';
	text_make_printable(line);
	puts(line);
	fflush(stdout);
}

static void tell_lines(struct report *report, char mark, const char *text, size_t length)
{
	/* Whole lines, the last one may have no end. */
	for (const char *end = text + length; text < end; text = strchrnul(text, '\n') + 1)
		report_line(report, "    %c %.*s", mark, (int)strcspn(text, "\n"), text);
}

/* What goes and what comes, as in a diff. */
static void tell_changes(struct report *report, const struct step *step, bool undo)
{
	const char *old = step->text[TEXT_OLD] ? step->text[TEXT_OLD] : "";
	const char *gone = undo ? step->text[TEXT_NEW] : old;
	const char *come = undo ? old : step->text[TEXT_NEW];
	struct text_hunk hunk = text_changed(gone, come);

	tell_lines(report, '-', gone + hunk.start, hunk.old_length);
	tell_lines(report, '+', come + hunk.start, hunk.new_length);
}

void report_step(struct report *report, const struct step *step, bool undo)
{
	const char *verb = undo ? step_kinds[step->kind].undo_verb : step_kinds[step->kind].verb;
	const char *what = step->text[TEXT_PATH], *run = step->text[undo ? TEXT_UNDO : TEXT_DO];
	char buffer[512];

	if (!report || !verb || (step->kind == STEP_RUN && !run))
		return;
	if (step->kind == STEP_RUN)
		what = swapfile_run_text(run, buffer, sizeof(buffer));
	if (step->kind == STEP_FILE && undo && !step->text[TEXT_OLD])
		verb = "delete";
	if (report->use_json) {
		if (!report->in_steps)
			json_array_begin(&report->json, "steps");
		report->in_steps = true;
		json_object_begin(&report->json, NULL);
		json_string(&report->json, "do", verb);
		json_string(&report->json, "what", what);
	} else {
		report_line(report, "%s%s %s", report->dry_run ? "would " : "", verb, what);
	}
	if (step->kind == STEP_FILE)
		tell_changes(report, step, undo);
	if (report->use_json)
		json_object_end(&report->json);
}

void report_plan(struct report *report, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		report_step(report, &plan->steps[i], false);
}
