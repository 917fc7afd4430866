/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of s2disk-swapfile: lines of text, or one JSON object. */
#include "base/cleanup.h"
#include "base/text.h"
#include "swapfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void swapfile_begin(struct swapfile *s, const char *command)
{
	if (!s->use_json)
		return;
	json_begin(&s->json, stdout);
	json_object_begin(&s->json, NULL);
	json_string(&s->json, "command", command);
	json_bool(&s->json, "dry-run", s->dry_run);
}

static void end_steps(struct swapfile *s)
{
	if (s->in_steps)
		json_array_end(&s->json);
	s->in_steps = false;
}

int swapfile_end(struct swapfile *s, const char *result, const char *reason)
{
	if (!s->use_json)
		return 0;
	swapfile_value(s, "result", result);
	swapfile_value(s, "reason", reason);
	json_object_end(&s->json);
	return json_end(&s->json);
}

void swapfile_value(struct swapfile *s, const char *key, const char *value)
{
	end_steps(s);
	if (s->use_json)
		json_string(&s->json, key, value);
}

void swapfile_line(struct swapfile *s, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	if (!line || s->use_json || s->quiet)
		return;
	text_make_printable(line);
	puts(line);
	fflush(stdout);
}

void swapfile_step(struct swapfile *s, const char *verb, const char *what)
{
	swapfile_line(s, "%s%s %s", s->dry_run ? "would " : "", verb, what);
	if (!s->use_json)
		return;
	if (!s->in_steps)
		json_array_begin(&s->json, "steps");
	s->in_steps = true;
	json_object_begin(&s->json, NULL);
	json_string(&s->json, "do", verb);
	json_string(&s->json, "what", what);
	json_object_end(&s->json);
}
