/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output/json.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_begin(struct json *json, FILE *out)
{
	*json = (struct json){ .out = out, .first = { true } };
}

static void put_ascii(FILE *out, unsigned char c)
{
	static const char short_from[] = "\"\\\b\f\n\r\t";
	static const char short_to[] = "\"\\bfnrt";
	const char *found = strchr(short_from, c);

	if (found)
		fprintf(out, "\\%c", short_to[found - short_from]);
	else if (c < 0x20 || c == 0x7f)
		fprintf(out, "\\u%04x", c);
	else
		putc(c, out);
}

static void put_quoted(FILE *out, const char *text)
{
	putc('"', out);
	while (*text) {
		size_t length = text_utf8_length(text);

		if (length == 1)
			put_ascii(out, (unsigned char)*text);
		else if (length > 1)
			fwrite(text, 1, length, out);
		else
			fputs("\xef\xbf\xbd", out);
		text += length ? length : 1;
	}
	putc('"', out);
}

static void put_line(struct json *json)
{
	putc('\n', json->out);
	for (unsigned int i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

/* What precedes every value: comma, newline, key. */
static void put_before(struct json *json, const char *key)
{
	if (!json->first[json->depth]) {
		/* A document has one outermost value. */
		if (json->depth == 0)
			json->misused = true;
		putc(',', json->out);
	}
	json->first[json->depth] = false;
	if (json->depth > 0)
		put_line(json);
	if (key) {
		put_quoted(json->out, key);
		fputs(": ", json->out);
	}
}

static void open_bracket(struct json *json, const char *key, char bracket)
{
	put_before(json, key);
	putc(bracket, json->out);
	if (json->depth == JSON_DEPTH_MAX) {
		json->misused = true;
		return;
	}
	json->depth++;
	json->first[json->depth] = true;
}

static void close_bracket(struct json *json, char bracket)
{
	bool empty = json->first[json->depth];

	if (json->depth == 0) {
		json->misused = true;
		return;
	}
	json->depth--;
	if (!empty)
		put_line(json);
	putc(bracket, json->out);
}

void json_object_begin(struct json *json, const char *key)
{
	open_bracket(json, key, '{');
}

void json_object_end(struct json *json)
{
	close_bracket(json, '}');
}

void json_array_begin(struct json *json, const char *key)
{
	open_bracket(json, key, '[');
}

void json_array_end(struct json *json)
{
	close_bracket(json, ']');
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	put_before(json, key);
	put_quoted(json->out, value);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	put_before(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_double(struct json *json, const char *key, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	/* Try 15 digits first (0.1 stays 0.1); 17 always round-trip. */
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);

	put_before(json, key);
	for (const char *at = text; *at; at++) {
		if (strchr("0123456789+-e", *at))
			putc(*at, json->out);
		else if (at == text || strchr("0123456789", at[-1]))
			putc('.', json->out); /* the locale's decimal separator */
	}
}

void json_bool(struct json *json, const char *key, bool value)
{
	put_before(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	put_before(json, key);
	fputs("null", json->out);
}

int json_end(struct json *json)
{
	putc('\n', json->out);
	if (fflush(json->out) != 0 || ferror(json->out))
		return -EIO;
	return json->misused || json->depth > 0 ? -EINVAL : 0;
}
