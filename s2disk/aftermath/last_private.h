/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For last.c and last_print.c only. */
#ifndef S2DISK_LAST_PRIVATE_H
#define S2DISK_LAST_PRIVATE_H

#include "last.h"

#include <stddef.h>

/* All but the result; the same names in the file, in JSON and in the journal. */
struct last_field {
	const char *name;
	size_t at;   /* in struct last */
	size_t size; /* of a text; 0: it is a uint64_t */
};

extern const struct last_field last_fields[]; /* a NULL name ends it */

const char *last_result_name(enum last_result result);
const char *last_text_of(const struct last *last, const struct last_field *field);
uint64_t last_number_of(const struct last *last, const struct last_field *field);

#endif
