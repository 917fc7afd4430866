/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hide.h"

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

static bool contains(const char *text, size_t length, const char *word)
{
	for (size_t at = 0; at + strlen(word) <= length; at++)
		if (strncasecmp(text + at, word, strlen(word)) == 0)
			return true;
	return false;
}

static bool ends_with(const char *text, size_t length, const char *word)
{
	return length >= strlen(word) &&
	       strncasecmp(text + length - strlen(word), word, strlen(word)) == 0;
}

/* Only the first letter of the value matters: the name of a key file begins with a slash. */
static bool names_password(const char *name, size_t length, const char *value)
{
	static const char *const anywhere[] = { "pass", "pwd", "secret", "token", "psk", "cred" };
	/* These are parts of too many other words, so only the end of a name is compared. */
	static const char *const at_the_end[] = { "pin", "pw", "auth", "key" };

	for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++)
		if (contains(name, length, anywhere[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(at_the_end); i++)
		if (ends_with(name, length, at_the_end[i]))
			return value[0] != '/' && !ends_with(name, length, "luks.key");
	return false;
}

/* Where the word ends that at is in, as the kernel's command line has it: a blank within
 * quotes does not end it. */
static char *end_of_word(char *line, char *at)
{
	char quote = '\0';

	for (char *c = line; *c && *c != '\n'; c++) {
		if (quote ? *c == quote : *c == '"' || *c == '\'')
			quote = quote ? '\0' : *c;
		else if (c >= at && !quote && isspace((unsigned char)*c))
			return c;
	}
	return at + strcspn(at, "\n");
}

static void cross_out(char *from, const char *end)
{
	for (; from < end; from++)
		if (!isspace((unsigned char)*from) && *from != '"' && *from != '\'')
			*from = 'x';
}

/* NAME=VALUE, with the sign at this place. */
static void hide_value(char *line, char *sign)
{
	char *name = sign, *value = sign + 1;

	while (name > line && is_name_letter(name[-1]))
		name--;
	value += *value == '"' || *value == '\'';
	if (names_password(name, (size_t)(sign - name), value))
		cross_out(value, end_of_word(line, sign));
}

/* SCHEME:USER:PASSWORD@HOST or SCHEME://USER:PASSWORD@HOST, with @ at this place. */
static void hide_address(char *line, char *at)
{
	char *start = at, *slashes, *colon;

	while (start > line && !isspace((unsigned char)start[-1]) && start[-1] != '"')
		start--;
	slashes = memmem(start, (size_t)(at - start), "//", 2);
	colon = memchr(slashes ? slashes : start, ':', (size_t)(at - (slashes ? slashes : start)));
	/* Without a second colon there is no password (a device may have such a name). */
	if (!colon || (!slashes && !memchr(colon + 1, ':', (size_t)(at - colon - 1))))
		return;
	for (char *c = colon + 1; c < at; c++)
		if (*c != ':' && *c != '/')
			*c = 'x';
}

static char *first_word(char *line)
{
	return line + strspn(line, " \t");
}

/* GRUB's commands: "password USER WORD", "password_pbkdf2 USER HASH", "cryptomount -p WORD". */
static void hide_grub(char *line)
{
	char *word = first_word(line), *end = line + strcspn(line, "\n"), *option;

	if (text_starts(word, "password ") || text_starts(word, "password_pbkdf2 ")) {
		cross_out(strchr(word, ' '), end);
		return;
	}
	if (!text_starts(word, "cryptomount "))
		return;
	option = memmem(word, (size_t)(end - word), " -p", 3);
	if (option)
		cross_out(option + 3, end);
}

/* crypttab(5): of a key script, the third field may be anything. */
static void hide_crypttab(char *line)
{
	char *end = line + strcspn(line, "\n"), *at = first_word(line);

	if (!memmem(line, (size_t)(end - line), "keyscript=", strlen("keyscript=")))
		return;
	for (int i = 0; i < 2 && at < end; i++) {
		at += strcspn(at, " \t\n");
		at += strspn(at, " \t");
	}
	if (at < end)
		cross_out(at, at + strcspn(at, " \t\n"));
}

static void hide_line(char *line)
{
	char *end = line + strcspn(line, "\n");

	hide_grub(line);
	hide_crypttab(line);
	for (char *at = line; (at = memchr(at, '=', (size_t)(end - at))); at++)
		hide_value(line, at);
	for (char *at = line; (at = memchr(at, '@', (size_t)(end - at))); at++)
		hide_address(line, at);
}

void report_hide_passwords(char *text, size_t length)
{
	if (memchr(text, '\0', length))
		return;
	for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		hide_line(line);
}

/* KEY = VALUE, where a value other than yes or no may be the passphrase itself. */
void report_hide_settings(char *text)
{
	static const char *const plain[] = { "y", "n", "yes", "no", "true", "false", "1", "0" };

	for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char *end = line + strcspn(line, "\n");
		char *sign = memchr(line, '=', (size_t)(end - line));
		bool known = false;
		size_t length;

		if (!sign || !(contains(line, (size_t)(sign - line), "pass") ||
			       contains(line, (size_t)(sign - line), "secret")))
			continue;
		sign++;
		sign += strspn(sign, " \t");
		length = strcspn(sign, " \t\n");
		for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
			known |= strlen(plain[i]) == length &&
				 strncasecmp(sign, plain[i], length) == 0;
		if (!known)
			cross_out(sign, end);
	}
}

size_t report_hide_boot_option(const char *option, size_t length)
{
	/* The variable's attributes, the option's, the length of its path; then the title. */
	size_t at = 10, path;

	if (length < at)
		return length;
	path = get_le16((const unsigned char *)option + 8);
	while (at + 1 < length && (option[at] || option[at + 1]))
		at += 2;
	return min_u64(at + 2 + path, length);
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
		if (strspn(at, TEXT_HEX_DIGITS) == DIGEST_LENGTH)
			r = hide_digest(salt, known, count, at);
	}
	return r;
}
