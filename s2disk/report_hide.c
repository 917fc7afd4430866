/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report_hide.h"

#include "base/bytes.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SALT_SIZE 32

static bool is_name_letter(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

static bool ends_value(char c)
{
	return isspace((unsigned char)c) || c == ',' || c == '"' || c == '\'' || c == '\0';
}

static bool names_password(const char *name, size_t length)
{
	static const char *const words[] = { "pass", "pwd", "secret",	     "token",
					     "psk",  "pin", "set_credential" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t at = 0; at + strlen(words[i]) <= length; at++)
			if (strncasecmp(name + at, words[i], strlen(words[i])) == 0 &&
			    /* "pin" is in too many words. */
			    (strcmp(words[i], "pin") != 0 || length == 3 || at + 3 == length))
				return true;
	return false;
}

/* NAME=VALUE, with the sign at this place. */
static void hide_value(char *text, char *sign)
{
	char *name = sign, *value = sign + 1;

	while (name > text && is_name_letter(name[-1]))
		name--;
	if (!names_password(name, (size_t)(sign - name)))
		return;
	value += *value == '"' || *value == '\'';
	for (; !ends_value(*value); value++)
		*value = 'x';
}

/* SCHEME:USER:PASSWORD@HOST, with @ at this place. */
static void hide_address(char *text, char *at)
{
	char *start = at;

	while (start > text && !ends_value(start[-1]) && start[-1] != '=')
		start--;
	start = memchr(start, ':', (size_t)(at - start));
	/* Without a second one there is no password (a device that is named so). */
	if (!start || !memchr(start + 1, ':', (size_t)(at - start - 1)))
		return;
	for (start++; start < at; start++)
		if (*start != ':' && *start != '/')
			*start = 'x';
}

void report_hide_passwords(char *text, size_t length)
{
	if (memchr(text, '\0', length))
		return;
	for (char *at = text; (at = strchr(at, '=')); at++)
		hide_value(text, at);
	for (char *at = text; (at = strchr(at, '@')); at++)
		hide_address(text, at);
}

size_t report_hide_maps(char *text, const char *const *names, size_t count)
{
	char *to = text;

	for (char *line = text, *next; *line; line = next) {
		size_t length = strcspn(line, "\n");
		bool wanted = false;

		next = line + length + (line[length] == '\n');
		for (size_t i = 0; i < count; i++)
			wanted |= memmem(line, length, names[i], strlen(names[i])) != NULL;
		if (!wanted)
			continue;
		memmove(to, line, (size_t)(next - line));
		to += next - line;
	}
	*to = '\0';
	return (size_t)(to - text);
}

int report_hide_secret(const unsigned char salt[32], const char *digest, char *to, size_t size)
{
	char both[SALT_SIZE + SHA256_TEXT_SIZE], standing[SHA256_TEXT_SIZE];
	int r;

	memcpy(both, salt, SALT_SIZE);
	if (!text_copy(both + SALT_SIZE, sizeof(both) - SALT_SIZE, digest))
		return -EINVAL;
	r = crypto_sha256_text(both, sizeof(both), standing);
	for (size_t i = 0; i < size && r == 0; i++)
		to[i] = standing[i % (sizeof(standing) - 1)];
	return r;
}

#define DIGEST_LENGTH (SHA256_TEXT_SIZE - 1)

static int hide_digest(const unsigned char salt[32], const struct report_digest *known,
		       size_t count, char *at)
{
	char digest[SHA256_TEXT_SIZE] = "";

	memcpy(digest, at, DIGEST_LENGTH);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i].of_secret, digest) == 0) {
			memcpy(at, known[i].of_standing, DIGEST_LENGTH);
			return 0;
		}
	}
	return report_hide_secret(salt, digest, at, DIGEST_LENGTH);
}

int report_hide_digests(const unsigned char salt[32], const struct report_digest *known,
			size_t count, char *text)
{
	static const char key[] = "key ";
	int r = 0;

	for (char *at = text; r == 0 && (at = strstr(at, key));) {
		at += strlen(key);
		if (strspn(at, "0123456789abcdef") == DIGEST_LENGTH)
			r = hide_digest(salt, known, count, at);
	}
	return r;
}
