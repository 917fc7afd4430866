/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The variable's value: JSON in UTF-16, little endian. */
#include "boot/hibernate_location.h"

#include "base/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Objects and arrays in one another. */
#define NESTED_MAX 16

static const struct member {
	const char *name;
	size_t at, size;
} members[] = {
#define MEMBER(name, field)                                             \
	{                                                               \
		name, offsetof(struct hibernate_location, field),       \
			sizeof(((struct hibernate_location *)0)->field) \
	}
	MEMBER("kernelVersion", kernel),
	MEMBER("osReleaseId", id),
	MEMBER("osReleaseImageId", image_id),
	MEMBER("osReleaseVersionId", version_id),
	MEMBER("osReleaseImageVersion", image_version),
};

/* What is beyond ASCII is in no member that counts. */
static void from_utf16(const unsigned char *value, size_t length, char *text, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && 2 * i + 1 < length && get_le16(value + 2 * i); i++)
		text[i] = value[2 * i + 1] || value[2 * i] > 126 ? '?' : (char)value[2 * i];
	text[i] = '\0';
}

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t\r\n");
}

/* Four hexadecimal digits; *at is moved past them. false: there are none. */
static bool take_code(const char **at, char *ret)
{
	unsigned int code = 0;

	for (int i = 0; i < 4; i++, (*at)++) {
		if (!isxdigit((unsigned char)**at))
			return false;
		code = code * 16 +
		       (unsigned int)(isdigit((unsigned char)**at)
					      ? **at - '0'
					      : tolower((unsigned char)**at) - 'a' + 10);
	}
	*ret = code >= 32 && code < 127 ? (char)code : '?';
	return true;
}

/* After a backslash. */
static bool take_escape(const char **at, char *ret)
{
	static const char letters[] = "\"\\/bfnrt";
	char letter = *(*at)++;

	if (letter == 'u')
		return take_code(at, ret);
	*ret = strchr("\"\\/", letter) ? letter : '?';
	return letter && strchr(letters, letter);
}

/* A string; what does not fit is cut. */
static bool take_string(const char **at, char *ret, size_t size)
{
	size_t length = 0;

	if (*(*at)++ != '"')
		return false;
	while (**at != '"') {
		char letter = *(*at)++;

		if (!letter || (letter == '\\' && !take_escape(at, &letter)))
			return false;
		if (length + 1 < size)
			ret[length++] = letter;
	}
	(*at)++;
	ret[length] = '\0';
	return true;
}

/* An object or an array, of no meaning here: to the bracket that closes it. */
static bool skip_nested(const char **at)
{
	char closing[NESTED_MAX], ignored[2];
	size_t depth = 0;

	do {
		const char letter = **at;

		if (letter == '"') {
			if (!take_string(at, ignored, sizeof(ignored)))
				return false;
			continue;
		}
		if (letter == '{' || letter == '[') {
			if (depth == NESTED_MAX)
				return false;
			closing[depth++] = letter == '{' ? '}' : ']';
		} else if (!letter ||
			   ((letter == '}' || letter == ']') && closing[--depth] != letter)) {
			return false;
		}
		(*at)++;
	} while (depth > 0);
	return true;
}

/* A string, a number or a word; systemd accepts a number in quotes, too. "": something nested. */
static bool take_value(const char **at, char *ret, size_t size)
{
	size_t length;

	if (**at == '"')
		return take_string(at, ret, size);
	ret[0] = '\0';
	if (**at == '{' || **at == '[')
		return skip_nested(at);
	length = strspn(*at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
	snprintf(ret, size, "%.*s", (int)length, *at);
	*at += length;
	return length > 0;
}

/* With dashes or without. */
static bool set_uuid(const char *text, char ret[TEXT_UUID_SIZE])
{
	size_t length = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (!isxdigit((unsigned char)*text) || length >= TEXT_UUID_SIZE - 1)
			return false;
		if (length == 8 || length == 13 || length == 18 || length == 23)
			ret[length++] = '-';
		ret[length++] = (char)tolower((unsigned char)*text);
	}
	ret[length] = '\0';
	return length == TEXT_UUID_SIZE - 1;
}

static bool set_member(struct hibernate_location *location, const char *name, const char *value,
		       bool *has_offset)
{
	if (strcmp(name, "uuid") == 0)
		return set_uuid(value, location->uuid);
	if (strcmp(name, "offset") == 0) {
		*has_offset = true;
		return isdigit((unsigned char)value[0]) &&
		       text_parse_u64(value, &location->offset) == 0;
	}
	/* Whose it is: a text that is cut is equal to none that is not. */
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (strcmp(name, members[i].name) == 0)
			text_copy((char *)location + members[i].at, members[i].size, value);
	return true;
}

static bool take_member(const char **at, struct hibernate_location *location, bool *has_offset)
{
	char name[64], value[256];

	skip_blanks(at);
	if (!take_string(at, name, sizeof(name)))
		return false;
	skip_blanks(at);
	if (*(*at)++ != ':')
		return false;
	skip_blanks(at);
	if (!take_value(at, value, sizeof(value)) || !set_member(location, name, value, has_offset))
		return false;
	skip_blanks(at);
	return true;
}

int hibernate_location_parse(const unsigned char *value, size_t length,
			     struct hibernate_location *ret)
{
	struct hibernate_location location = { .uuid = "" };
	char text[HIBERNATE_LOCATION_MAX / 2 + 1];
	const char *at = text;
	bool has_offset = false;

	from_utf16(value, length, text, sizeof(text));
	skip_blanks(&at);
	if (*at != '{')
		return -EBADMSG;
	do {
		at++;
		if (!take_member(&at, &location, &has_offset))
			return -EBADMSG;
	} while (*at == ',');
	if (*at != '}' || !location.uuid[0] || !has_offset)
		return -EBADMSG;
	*ret = location;
	return 0;
}

/* Needs no escape in JSON. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < 32 || *text > 126 || *text == '"' || *text == '\\')
			return false;
	return true;
}

ssize_t hibernate_location_encode(const struct hibernate_location *location,
				  unsigned char value[HIBERNATE_LOCATION_MAX])
{
	char text[HIBERNATE_LOCATION_MAX];
	size_t used;

	snprintf(text, sizeof(text), "{\"uuid\":\"%s\",\"offset\":%" PRIu64, location->uuid,
		 location->offset);
	used = strlen(text);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *word = (const char *)location + members[i].at;

		if (!word[0] || !is_plain(word))
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",\"%s\":\"%s\"",
					 members[i].name, word);
	}
	text[used++] = '}';
	text[used++] = '\0';
	if (2 * used > HIBERNATE_LOCATION_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < used; i++)
		put_le16(value + 2 * i, (uint16_t)(unsigned char)text[i]);
	return (ssize_t)(2 * used);
}
