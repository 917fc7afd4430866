/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_text.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARK_BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)\n"
#define MARK_END "# s2disk-swapfile end\n"

/* Length of the line at text, its newline with it. */
static size_t line_length(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? (size_t)(end - text) + 1 : strlen(text);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text += line_length(text))
		count++;
	return count;
}

static bool same_line(const char *a, const char *b)
{
	size_t length = line_length(a);

	return length == line_length(b) && memcmp(a, b, length) == 0;
}

/* Line against line. */
static size_t paired_hunks(const char *old, const char *new, struct text_hunk *hunks, size_t max)
{
	size_t at_old = 0, at_new = 0, count = 0;
	bool inside = false;

	while (old[at_old] && new[at_new]) {
		size_t old_length = line_length(old + at_old);
		size_t new_length = line_length(new + at_new);

		if (same_line(old + at_old, new + at_new)) {
			inside = false;
		} else {
			if (!inside && count++ < max)
				hunks[count - 1] = (struct text_hunk){ at_old, 0, at_new, 0 };
			inside = true;
			if (count <= max) {
				hunks[count - 1].old_length += old_length;
				hunks[count - 1].new_length += new_length;
			}
		}
		at_old += old_length;
		at_new += new_length;
	}
	return count;
}

/* Start of the line that ends right before `end`. */
static size_t line_before(const char *text, size_t end)
{
	do
		end--;
	while (end > 0 && text[end - 1] != '\n');
	return end;
}

size_t text_hunks(const char *old, const char *new, struct text_hunk *hunks, size_t max)
{
	size_t start = 0, old_end = strlen(old), new_end = strlen(new);

	if (strcmp(old, new) == 0)
		return 0;
	if (count_lines(old) == count_lines(new))
		return paired_hunks(old, new, hunks, max);
	while (old[start] && new[start] && same_line(old + start, new + start))
		start += line_length(old + start);
	while (old_end > start && new_end > start) {
		size_t old_line = line_before(old, old_end), new_line = line_before(new, new_end);

		if (old_end - old_line != new_end - new_line ||
		    memcmp(old + old_line, new + new_line, old_end - old_line) != 0)
			break;
		old_end = old_line;
		new_end = new_line;
	}
	if (max > 0)
		hunks[0] = (struct text_hunk){ start, old_end - start, start, new_end - start };
	return 1;
}

/* Where whole lines stand in a text, from `from` on; NULL for nowhere. */
static const char *find_lines(const char *from, const char *lines, size_t length)
{
	for (; *from; from += line_length(from))
		if (strncmp(from, lines, length) == 0)
			return from;
	return NULL;
}

#define HUNKS_MAX 256

int text_take_back(const char *old, const char *new, const char *current, char **ret)
{
	struct text_hunk *hunks;
	size_t count, size = 0;
	FILE *out;
	int r = 0;

	*ret = NULL;
	if (strcmp(current, new) == 0) {
		*ret = strdup(old);
		return *ret ? 0 : -ENOMEM;
	}
	hunks = calloc(HUNKS_MAX, sizeof(*hunks));
	out = open_memstream(ret, &size);
	if (!hunks || !out) {
		free(hunks);
		if (out)
			fclose(out);
		free(steal_pointer(ret));
		return -ENOMEM;
	}
	count = text_hunks(old, new, hunks, HUNKS_MAX);
	if (count > HUNKS_MAX)
		r = -ENOENT;
	for (size_t i = 0; i < count && r == 0; i++) {
		const struct text_hunk *hunk = &hunks[i];
		const char *found = hunk->new_length ? find_lines(current, new + hunk->new_start,
								  hunk->new_length)
						     : NULL;

		if (!found) {
			r = -ENOENT;
			break;
		}
		fwrite(current, 1, (size_t)(found - current), out);
		fwrite(old + hunk->old_start, 1, hunk->old_length, out);
		current = found + hunk->new_length;
		/* The old last line without an end is not the last any more. */
		if (hunk->old_length > 0 && old[hunk->old_start + hunk->old_length - 1] != '\n' &&
		    *current && *current != '\n')
			putc('\n', out);
	}
	fputs(current, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	free(hunks);
	if (r < 0)
		free(steal_pointer(ret));
	return r;
}

/* Where our block begins and ends; false for none. */
static bool find_block(const char *text, const char **ret_begin, const char **ret_end)
{
	const char *begin = find_lines(text, MARK_BEGIN, strlen(MARK_BEGIN)), *end;

	if (!begin)
		return false;
	end = find_lines(begin, MARK_END, strlen(MARK_END));
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

	if (!find_block(text, &begin, &end))
		return NULL;
	return asprintf(&result, "%.*s%s", (int)(begin - text), text, end) < 0 ? NULL : result;
}

bool text_has_block(const char *text, const char *body)
{
	_cleanup_free_ char *with = text_put_block(text, body);

	return with && strcmp(with, text) == 0;
}

/* Is this word (not ended by a zero byte) one of those we set? The kernel
 * takes '-' for '_' in names. */
static bool is_ours(const char *word, size_t length)
{
	return (length >= 7 && memcmp(word, "resume=", 7) == 0) ||
	       (length >= 14 && (memcmp(word, "resume_offset=", 14) == 0 ||
				 memcmp(word, "resume-offset=", 14) == 0));
}

/* Length of the word at text: up to a blank outside of double quotes. */
static size_t word_length(const char *text, const char *end)
{
	const char *at = text;
	bool quoted = false;

	for (; at < end && (quoted || !isspace((unsigned char)*at)); at++)
		if (*at == '"')
			quoted = !quoted;
	return (size_t)(at - text);
}

/* Writes a piece of command line without our words and the blanks before
 * them; blanks at its end are left out too. */
static void put_stripped(FILE *out, const char *from, const char *end)
{
	while (from < end) {
		const char *word = from;
		size_t length;

		while (word < end && isspace((unsigned char)*word))
			word++;
		length = word_length(word, end);
		if (length == 0)
			return;
		if (!is_ours(word, length))
			fwrite(from, 1, (size_t)(word - from) + length, out);
		from = word + length;
	}
}

/* Are exactly these arguments, and no others of ours, in that piece? */
static bool has_arguments(const char *from, const char *end, const char *arguments)
{
	size_t used = 0, size = strlen(arguments);

	while (from < end) {
		size_t length;

		while (from < end && isspace((unsigned char)*from))
			from++;
		length = word_length(from, end);
		if (is_ours(from, length)) {
			if (used > 0 && (used >= size || arguments[used++] != ' '))
				return false;
			if (length > size - used || memcmp(arguments + used, from, length) != 0)
				return false;
			used += length;
		}
		from += length;
	}
	return used == size;
}

static bool is_blank_line(const char *line)
{
	while (*line == ' ' || *line == '\t')
		line++;
	return *line == '\n' || *line == '\0' || *line == '#';
}

/* Start of the last line with something on it; NULL for none. */
static const char *last_line(const char *text)
{
	const char *last = NULL;

	for (; *text; text += line_length(text))
		if (!is_blank_line(text))
			last = text;
	return last;
}

static const char *line_end(const char *line)
{
	return strchrnul(line, '\n');
}

/* One line, with or without the arguments at its end. */
static void put_line(FILE *out, const char *line, const char *arguments)
{
	const char *end = line_end(line);

	put_stripped(out, line, end);
	if (arguments)
		fprintf(out, " %s", arguments);
	if (*end)
		putc('\n', out);
}

char *text_put_arguments(const char *text, const char *arguments)
{
	const char *last = last_line(text);
	char *result = NULL;
	size_t size;
	FILE *out;

	if (!last) {
		if (asprintf(&result, "%s%s\n", text, arguments) < 0)
			return NULL;
		return result;
	}
	if (has_arguments(text, text + strlen(text), arguments))
		return strdup(text);
	out = open_memstream(&result, &size);
	if (!out)
		return NULL;
	for (; *text; text += line_length(text)) {
		if (is_blank_line(text))
			fwrite(text, 1, line_length(text), out);
		else
			put_line(out, text, text == last ? arguments : NULL);
	}
	fclose(out);
	return result;
}

static bool has_keyword(const char *line, const char *keyword)
{
	size_t length = strlen(keyword);

	while (*line == ' ' || *line == '\t')
		line++;
	return strncasecmp(line, keyword, length) == 0 &&
	       (line[length] == ' ' || line[length] == '\t' || line[length] == '\n' ||
		line[length] == '\0');
}

static const char *last_with_keyword(const char *text, const char *keyword)
{
	const char *last = NULL;

	for (; *text; text += line_length(text))
		if (has_keyword(text, keyword))
			last = text;
	return last;
}

char *text_put_keyword_arguments(const char *text, const char *keyword, bool each,
				 const char *arguments)
{
	const char *last = last_with_keyword(text, keyword);
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	for (; *text; text += line_length(text)) {
		bool gets = arguments && (each || text == last);

		if (!has_keyword(text, keyword) ||
		    (gets && has_arguments(text, line_end(text), arguments)))
			fwrite(text, 1, line_length(text), out);
		else
			put_line(out, text, gets ? arguments : NULL);
		if (!text[line_length(text)] && !last && !each && arguments)
			fprintf(out, "%s%s %s\n", *line_end(text) ? "" : "\n", keyword, arguments);
	}
	fclose(out);
	return result;
}

char *text_fstab_escape(const char *path)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	for (; *path; path++) {
		if (strchr(" \t\n\\#", *path))
			fprintf(out, "\\%03o", (unsigned char)*path);
		else
			putc(*path, out);
	}
	fclose(out);
	return result;
}

static bool has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (strncmp(options, wanted, length) == 0 &&
		    (options[length] == ',' || options[length] == '\0'))
			return true;
	return false;
}

bool text_fstab_has_swap(const char *text, bool (*is_it)(const void *context, const char *path),
			 const void *context)
{
	bool found = false;

	for (; *text && !found; text += line_length(text)) {
		char *what = NULL, *where = NULL, *type = NULL, *options = NULL;
		_cleanup_free_ char *line = strndup(text, line_length(text));

		if (line && !is_blank_line(line) &&
		    sscanf(line, "%ms %ms %ms %ms", &what, &where, &type, &options) >= 3 &&
		    strcmp(type, "swap") == 0 && !(options && has_option(options, "noauto"))) {
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
