/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What s2disk-swapfile says: lines for people, or one JSON object. */
#ifndef S2DISK_SWAPFILE_REPORT_H
#define S2DISK_SWAPFILE_REPORT_H

#include "base/json.h"
#include "swapfile_steps.h"

#include <stdbool.h>

struct report {
	bool use_json, dry_run, quiet;
	struct json json;
	bool in_steps; /* inside of the JSON's array of steps */
};

void report_begin(struct report *report, const char *command);
/* The result in JSON: "done", "refused" or "failed" with the reason; people
 * have been told. 0 or -EIO. */
int report_end(struct report *report, const char *result, const char *reason);

/* A value (NULL for none), for JSON only, and a line, for people only, made printable. Values end
 * the array of steps. */
void report_value(struct report *report, const char *key, const char *value);
void report_number(struct report *report, const char *key, uint64_t value);
void report_line(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Tells one step before it is done or undone, unless it does nothing then. */
void report_step(struct report *report, const struct step *step, bool undo);

/* Tells all steps of a plan as they would be done. */
void report_plan(struct report *report, const struct plan *plan);

#endif
