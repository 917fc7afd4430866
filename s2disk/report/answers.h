/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a system answered while the checks ran, in the files that describe a system
 * (described.h): area, area-page, devices, mapper, claimed, answers. */
#ifndef S2DISK_REPORT_ANSWERS_H
#define S2DISK_REPORT_ANSWERS_H

#include "preflight/preflight.h"

#include <stdio.h>

struct report_answers;

/* Of that system, whose files are below root. NULL without memory. One at a time. */
struct report_answers *report_answers_begin(const struct preflight_system *system,
					    const char *root);
void report_answers_free(struct report_answers *answers);

/* Queries that system, and records the answers. */
const struct preflight_system *report_answers_system(struct report_answers *answers);

/* Where the image would go, or why there is no such place; why the machine cannot be
 * described. */
void report_answers_target(struct report_answers *answers, const struct preflight_target *target);
void report_answers_no_platform(struct report_answers *answers, const char *problem);

/* Which disks the kernel has claimed for one user: what is released depends on that. */
void report_answers_claimed(struct report_answers *answers);

/* Gives each file to a function. */
void report_answers_write(struct report_answers *answers, FILE *out,
			  void (*add)(FILE *out, const char *name, const char *text, size_t size));

#endif
