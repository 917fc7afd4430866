/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_text.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define MARK_END "# s2disk-swapfile end\n"

/* Length of the line at text, its newline with it. */
static size_t line_length(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? (size_t)(end - text) + 1 : strlen(text);
}

/* Start of the line that ends right before `end`. */
static size_t line_before(const char *text, size_t end)
{
	do
		end--;
	while (end > 0 && text[end - 1] != '\n');
	return end;
}

struct text_hunk text_changed(const char *old, const char *new)
{
	size_t start = 0, old_end = strlen(old), new_end = strlen(new);

	while (old[start] && line_length(old + start) == line_length(new + start) &&
	       memcmp(old + start, new + start, line_length(old + start)) == 0)
		start += line_length(old + start);
	while (old_end > start && new_end > start) {
		size_t old_line = line_before(old, old_end), new_line = line_before(new, new_end);

		if (old_end - old_line != new_end - new_line ||
		    memcmp(old + old_line, new + new_line, old_end - old_line) != 0)
			break;
		old_end = old_line;
		new_end = new_line;
	}
	return (struct text_hunk){ start, old_end - start, new_end - start };
}

/* Where whole lines stand in a text; NULL for nowhere. */
static const char *find_lines(const char *text, const char *lines, size_t length)
{
	for (; *text; text += line_length(text))
		if (strncmp(text, lines, length) == 0)
			return text;
	return NULL;
}

char *text_take_back(const char *old, const char *new, const char *current)
{
	struct text_hunk hunk = text_changed(old, new);
	const char *found =
		hunk.new_length ? find_lines(current, new + hunk.start, hunk.new_length) : NULL;
	const char *rest = found ? found + hunk.new_length : NULL;
	char *result;
	/* The old last line without an end is not the last any more. */
	bool open = found && hunk.old_length > 0 && old[hunk.start + hunk.old_length - 1] != '\n' &&
		    *rest && *rest != '\n';

	if (!found || asprintf(&result, "%.*s%.*s%s%s", (int)(found - current), current,
			       (int)hunk.old_length, old + hunk.start, open ? "\n" : "", rest) < 0)
		return NULL;
	return result;
}

/* Where our block begins and ends; false for none. */
static bool find_block(const char *text, const char **ret_begin, const char **ret_end)
{
	const char *begin = find_lines(text, MARK_BEGIN, strlen(MARK_BEGIN));
	const char *end = begin ? find_lines(begin, MARK_END, strlen(MARK_END)) : NULL;

	if (!end)
		return false;
	*ret_begin = begin;
	*ret_end = end + strlen(MARK_END);
	return true;
}

char *text_put_block(const char *text, const char *body)
{
	const char *begin = text + strlen(text), *end = begin;
	const char *newline = begin > text && begin[-1] != '\n' ? "\n" : "";
	char *result;

	if (find_block(text, &begin, &end))
		newline = "";
	if (asprintf(&result, "%.*s%s" MARK_BEGIN "%s" MARK_END "%s", (int)(begin - text), text,
		     newline, body, end) < 0)
		return NULL;
	return result;
}

char *text_drop_block(const char *text)
{
	const char *begin, *end;
	char *result;

	if (!find_block(text, &begin, &end) ||
	    asprintf(&result, "%.*s%s", (int)(begin - text), text, end) < 0)
		return NULL;
	return result;
}

char *text_block_word(const char *text)
{
	const char *begin, *end;
	char *word;

	if (!find_block(text, &begin, &end))
		return NULL;
	begin += strlen(MARK_BEGIN);
	word = strndup(begin, strcspn(begin, " \t\n"));
	if (word && !text_unescape_octal(word, strlen(word), word, strlen(word) + 1))
		free(steal_pointer(&word));
	return word;
}

char *text_fstab_escape(const char *path)
{
	char *result = malloc(4 * strlen(path) + 1), *to = result;

	for (; result && *path; path++)
		to += sprintf(to, strchr(" \t\n\\#", *path) ? "\\%03o" : "%c",
			      (unsigned char)*path);
	if (result)
		*to = '\0';
	return result;
}

bool text_has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (strncmp(options, wanted, length) == 0 &&
		    (options[length] == ',' || options[length] == '\0'))
			return true;
	return false;
}

bool text_fstab_has_swap(const char *text, bool (*is_it)(const void *context, const char *name),
			 const void *context)
{
	bool found = false;

	for (; *text && !found; text += line_length(text)) {
		char *what = NULL, *where = NULL, *type = NULL, *options = NULL;
		_cleanup_free_ char *line = strndup(text, line_length(text));

		if (line && sscanf(line, "%ms %ms %ms %ms", &what, &where, &type, &options) >= 3 &&
		    what[0] != '#' && strcmp(type, "swap") == 0 &&
		    !(options && text_has_option(options, "noauto"))) {
			size_t length = strlen(what);

			found = text_unescape_octal(what, length, what, length + 1) &&
				is_it(context, what);
		}
		free(what);
		free(where);
		free(type);
		free(options);
	}
	return found;
}
