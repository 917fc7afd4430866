/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel_cmdline.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The kernel's own limit is 2 to 4 KiB; some boot loaders come close to it. */
#define CMDLINE_LIMIT 65536

/* One word, split as next_arg() in the kernel's lib/cmdline.c does. */
struct word {
	const char *name;
	size_t name_length;
	const char *value; /* NULL: no '=' */
	size_t value_length;
};

/* isspace() would depend on the locale. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A quote may open at the value (a="b c") or before the name ("a=b c"). */
static bool next_word(const char **at, struct word *ret)
{
	struct word word = { 0 };
	const char *start = *at, *end, *equals = NULL;
	bool in_quotes = false, quoted;

	while (is_space(*start))
		start++;
	if (!*start)
		return false;
	quoted = *start == '"';
	if (quoted) {
		start++;
		in_quotes = true;
	}
	for (end = start; *end && (in_quotes || !is_space(*end)); end++) {
		if (*end == '=' && !equals && end > start)
			equals = end;
		if (*end == '"')
			in_quotes = !in_quotes;
	}
	*at = end;
	if (quoted && end > start && end[-1] == '"')
		end--;
	word.name = start;
	word.name_length = (size_t)((equals ? equals : end) - start);
	if (equals) {
		word.value = equals + 1;
		if (word.value < end && *word.value == '"') {
			word.value++;
			if (end > word.value && end[-1] == '"')
				end--;
		}
		word.value_length = (size_t)(end - word.value);
	}
	*ret = word;
	return true;
}

/* For the kernel, '-' and '_' are equal in a name. */
static bool is_named(const struct word *word, const char *name)
{
	if (strlen(name) != word->name_length)
		return false;
	for (size_t i = 0; i < word->name_length; i++) {
		char c = word->name[i];

		if (c != name[i] && !(c == '-' && name[i] == '_'))
			return false;
	}
	return true;
}

/* Copies what fits. The kernel truncates resume= at the same length. */
static void copy_value(const struct word *word, char *to, size_t size)
{
	snprintf(to, size, "%.*s", (int)word->value_length, word->value);
}

static bool value_starts(const struct word *word, const char *prefix)
{
	size_t length = strlen(prefix);

	return word->value_length >= length && memcmp(word->value, prefix, length) == 0;
}

static void take_resume(struct word word, struct kernel_cmdline *ret)
{
	/* Prefixes of other hibernation code, still found in old configurations. */
	if (value_starts(&word, "swap:") || value_starts(&word, "file:")) {
		word.value += 5;
		word.value_length -= 5;
	}
	copy_value(&word, ret->resume, sizeof(ret->resume));
}

static void take_offset(const struct word *word, struct kernel_cmdline *ret)
{
	char text[sizeof(ret->bad_offset)];

	copy_value(word, text, sizeof(text));
	ret->resume_offset = 0;
	ret->bad_offset[0] = '\0';
	if (word->value_length < sizeof(text) && text_parse_u64(text, &ret->resume_offset) == 0)
		return;
	text_copy(ret->bad_offset, sizeof(ret->bad_offset), text[0] ? text : "(empty)");
	text_make_printable(ret->bad_offset);
}

/* kernel/power/hibernate.c: what forbids hibernation also forbids resuming. */
static void take_hibernate(const struct word *word, struct kernel_cmdline *ret)
{
	if (value_starts(word, "noresume")) {
		ret->noresume = true;
	} else if (value_starts(word, "no") && !value_starts(word, "nocompress")) {
		ret->noresume = true;
		ret->nohibernate = true;
	}
}

void kernel_cmdline_parse(const char *text, struct kernel_cmdline *ret)
{
	struct word word;

	*ret = (struct kernel_cmdline){ 0 };
	while (next_word(&text, &word)) {
		/* Everything after "--" is for init. */
		if (!word.value && word.name_length == 2 && memcmp(word.name, "--", 2) == 0)
			break;
		if (is_named(&word, "noresume")) {
			ret->noresume = true;
		} else if (is_named(&word, "nohibernate")) {
			ret->noresume = true;
			ret->nohibernate = true;
		} else if (word.value && is_named(&word, "hibernate")) {
			take_hibernate(&word, ret);
		} else if (word.value && is_named(&word, "resume")) {
			take_resume(word, ret);
		} else if (word.value && is_named(&word, "resume_offset")) {
			take_offset(&word, ret);
		}
	}
}

int kernel_cmdline_read(const char *root, struct kernel_cmdline *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = io_read_file(root, "/proc/cmdline", CMDLINE_LIMIT, &text, NULL);

	if (r < 0)
		return r;
	kernel_cmdline_parse(text, ret);
	return 0;
}
