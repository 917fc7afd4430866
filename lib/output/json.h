/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes JSON (RFC 8259) to a stream; commas, indentation and escapes are always right.
 * Text that is not valid UTF-8 is replaced by U+FFFD. */
#ifndef S2DISK_BASE_JSON_H
#define S2DISK_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 16

struct json {
	FILE *out;
	unsigned int depth;
	bool misused; /* nested too deep, or an end without its beginning */
	bool first[JSON_DEPTH_MAX + 1];
};

void json_begin(struct json *json, FILE *out);

/* key is NULL inside arrays and for the outermost value. */
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value); /* NULL: null */
void json_u64(struct json *json, const char *key, uint64_t value);
void json_double(struct json *json, const char *key, double value); /* not finite: null */
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Ends the document with a newline and flushes. 0, -EIO if anything could not be written,
 * or -EINVAL if beginnings and ends do not match (a bug of the caller). */
int json_end(struct json *json);

#endif
