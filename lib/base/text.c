/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits at *text; *text is moved past them. */
static int parse_digits(const char **text, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	/* strtoull alone would accept a sign, white space and octal numbers. */
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	value = strtoull(*text, &end, text_starts(*text, "0x") ? 16 : 10);
	if (errno)
		return -errno;
	*text = end;
	*ret = value;
	return 0;
}

int text_parse_u64(const char *text, uint64_t *ret)
{
	uint64_t value;
	int r = parse_digits(&text, &value);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret = value;
	return 0;
}

int text_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGTPE";
	uint64_t value;
	int r = parse_digits(&text, &value);

	if (r < 0)
		return r;
	while (*text == ' ')
		text++;
	if (*text) {
		const char *unit = strchr(units, toupper((unsigned char)*text));

		if (unit) {
			unsigned int shift = 10 * (unsigned int)(unit - units + 1);

			if (value > UINT64_MAX >> shift)
				return -ERANGE;
			value <<= shift;
			text++;
			if (*text == 'i')
				text++;
		}
		if (*text == 'B')
			text++;
		if (*text)
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

int text_parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = { "n", "y", "no",	"yes",	"0",   "1",
					     "f", "t", "false", "true", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret = i % 2 == 1;
			return 0;
		}
	}
	return -EINVAL;
}

char *text_trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *end)
{
	size_t length = strlen(text), of_end = strlen(end);

	return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

bool text_assigned(const char *text, const char *name, char *value, size_t size)
{
	size_t length = strlen(name), width;
	bool found = false;

	for (; *text; text = strchrnul(text, '\n'), text += *text == '\n') {
		const char *at = text + length + 1;

		if (strncmp(text, name, length) != 0 || text[length] != '=')
			continue;
		at += strspn(at, "\"'");
		width = strcspn(at, "\"'# \t\n");
		found = width > 0 && width < size;
		memcpy(value, at, found ? width : 0);
		value[found ? width : 0] = '\0';
	}
	return found;
}

char *text_size(uint64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buffer, size, "%u bytes", (unsigned int)bytes);
		return buffer;
	}
	value /= 1024;
	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer, size, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buffer;
}

char *text_duration(uint64_t usec, char *buffer, size_t size)
{
	uint64_t seconds = usec / 1000000 + (usec % 1000000 >= 500000);

	if (seconds < 60)
		snprintf(buffer, size, "%" PRIu64 " s", seconds);
	else if (seconds < 3600)
		snprintf(buffer, size, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
	else
		snprintf(buffer, size, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
			 seconds % 3600 / 60);
	return buffer;
}

bool text_copy(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size;
}

static bool is_octal(char c, char most)
{
	return c >= '0' && c <= most;
}

bool text_escape_octal(const char *from, char *to, size_t size)
{
	for (; *from; from++) {
		unsigned char c = (unsigned char)*from;
		bool plain = c > ' ' && c != 0x7f && c != '\\';
		int length = snprintf(to, size, plain ? "%c" : "\\%03o", c);

		if (length >= (int)size)
			return false;
		to += length;
		size -= (size_t)length;
	}
	if (size == 0)
		return false;
	*to = '\0';
	return true;
}

bool text_unescape_octal(const char *from, size_t length, char *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char c = from[i];

		if (c == '\\' && length - i > 3 && is_octal(from[i + 1], '3') &&
		    is_octal(from[i + 2], '7') && is_octal(from[i + 3], '7')) {
			c = (char)((from[i + 1] - '0') << 6 | (from[i + 2] - '0') << 3 |
				   (from[i + 3] - '0'));
			i += 3;
		}
		if (used + 1 >= size || c == '\0')
			return false;
		to[used++] = c;
	}
	to[used] = '\0';
	return true;
}

size_t text_utf8_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = at[0] < 0x80			 ? 1
			: at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
			: at[0] >= 0xe0 && at[0] < 0xf0	 ? 3
			: at[0] >= 0xc2 && at[0] < 0xe0	 ? 2
							 : 0;

	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, a surrogate, or beyond the last character. */
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

void text_hex(const unsigned char *bytes, size_t count, char *text)
{
	for (size_t i = 0; i < count; i++) {
		*text++ = TEXT_HEX_DIGITS[bytes[i] >> 4];
		*text++ = TEXT_HEX_DIGITS[bytes[i] & 15];
	}
	*text = '\0';
}

void text_uuid(const unsigned char uuid[16], char text[TEXT_UUID_SIZE])
{
	static const unsigned char parts[] = { 4, 2, 2, 2, 6 };

	for (size_t i = 0; i < sizeof(parts); i++) {
		text_hex(uuid, parts[i], text);
		uuid += parts[i];
		text += 2 * parts[i];
		*text++ = '-';
	}
	text[-1] = '\0'; /* the last hyphen */
}

void text_make_printable(char *text)
{
	while (*text) {
		const unsigned char *at = (const unsigned char *)text;
		size_t length = text_utf8_length(text);
		/* U+0080 to U+009F are control characters too. */
		bool control =
			length == 1 ? !isprint(*at) && *at != '\n' : *at == 0xc2 && at[1] < 0xa0;

		if (length == 0 || control) {
			*text = '?';
			length = 1;
		}
		text += length;
	}
}

void text_make_line(char *text, char feed)
{
	text_make_printable(text);
	while ((text = strchr(text, '\n')))
		*text++ = feed;
}

const char *text_excerpt(const char *text, char *buffer, size_t size)
{
	if (!text_copy(buffer, size, text))
		memcpy(buffer + size - 4, "...", 4);
	text_make_line(buffer, '?');
	return buffer;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment; only the last three rows are kept. */
size_t text_distance(const char *a, const char *b)
{
	size_t rows[3][TEXT_DISTANCE_MAX + 1], a_length = strlen(a), b_length = strlen(b);

	if (a_length > TEXT_DISTANCE_MAX || b_length > TEXT_DISTANCE_MAX)
		return a_length > b_length ? a_length : b_length;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3],
		       *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
			row[j] = smaller(row[j], 1 + smaller(above[j], row[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = smaller(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}
