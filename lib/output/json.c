/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_begin(struct json *json, FILE *out)
{
	*json = (struct json){ .out = out, .first = { true } };
}

/* Length of the valid UTF-8 sequence at text, 0 if there is none (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). A zero byte is never a continuation
 * byte, so this does not read past the end. */
static size_t utf8_sequence(const unsigned char *text)
{
	unsigned char lead = text[0], low = 0x80, high = 0xbf;
	size_t length;

	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		length = 2;
	else if (lead >= 0xe0 && lead <= 0xef)
		length = 3;
	else if (lead >= 0xf0 && lead <= 0xf4)
		length = 4;
	else
		return 0;

	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
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
	const unsigned char *at = (const unsigned char *)text;

	putc('"', out);
	while (*at) {
		size_t length = utf8_sequence(at);

		if (length == 1)
			put_ascii(out, *at);
		else if (length > 1)
			fwrite(at, 1, length, out);
		else
			fputs("\xef\xbf\xbd", out);
		at += length ? length : 1;
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

void json_i64(struct json *json, const char *key, int64_t value)
{
	put_before(json, key);
	fprintf(json->out, "%" PRId64, value);
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
