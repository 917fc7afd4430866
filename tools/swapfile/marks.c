/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "marks.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/replace.h"
#include "base/text.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines. Former versions use the first three, too. */
#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)"
#define END "# s2disk-swapfile end"
#define OWN "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away."
#define WAS "# was: "
#define OPEN "# The file had no newline at its end."
#define MADE "# The file was made for this."
#define DIRECTORY "# Its directory was made for it."

/* Far larger than any configuration file. */
#define FILE_LIMIT (8u << 20)
#define FILE_MODE 0644
#define DIRECTORY_MODE 0755

int marks_add(struct mark_list *list, const char *path, bool own, char *body, char *was)
{
	if (!body || list->count == ARRAY_SIZE(list->items)) {
		free(body);
		free(was);
		return -ENOMEM;
	}
	list->items[list->count++] = (struct mark){ path, own, body, was };
	return 0;
}

void marks_list_free(struct mark_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].body);
		free(list->items[i].was);
	}
	list->count = 0;
}

static bool is_line(const char *at, const char *words)
{
	size_t length = strlen(words);

	return strncmp(at, words, length) == 0 && (at[length] == '\n' || at[length] == '\0');
}

/* Is it the line `was` with something inserted in one place, as this program does? */
static bool has_grown(const char *was, const char *line)
{
	size_t length = strcspn(was, "\n"), now = strcspn(line, "\n"), head = 0, tail = 0;

	if (now < length)
		return false;
	while (head < length && was[head] == line[head])
		head++;
	while (head + tail < length && was[length - tail - 1] == line[now - tail - 1])
		tail++;
	return head + tail == length;
}

/* State while a text is split. */
struct split {
	struct marks *marks;
	FILE *body, *rest;
	bool many, inside, open;
	size_t ours;	 /* lines in the block */
	const char *was; /* the line to restore; NULL: none */
};

static void put_line(FILE *out, const char *line)
{
	size_t length = strcspn(line, "\n");

	fwrite(line, 1, length + (line[length] == '\n'), out);
}

static int take_inside(struct split *split, const char *line)
{
	if (text_starts(line, WAS)) {
		split->was = line + strlen(WAS);
		put_line(split->rest, split->was);
	} else if (is_line(line, OPEN)) {
		split->open = true;
	} else if (is_line(line, MADE)) {
		split->marks->made = true;
	} else if (is_line(line, DIRECTORY)) {
		split->marks->directory = true;
	} else if (!is_line(line, OWN)) {
		put_line(split->body, line);
		split->ours++;
		if ((split->ours > 1 && !split->many) ||
		    (split->was && !has_grown(split->was, line)))
			return -EUCLEAN;
	}
	return 0;
}

static int take_line(struct split *split, const char *line)
{
	bool begins = is_line(line, BEGIN), ends = is_line(line, END);

	if (begins || ends) {
		split->was = NULL;
		split->ours = 0;
		split->marks->found = true;
		if (begins == split->inside)
			return -EBADMSG;
		split->inside = begins;
	} else if (split->inside) {
		return take_inside(split, line);
	} else {
		split->open = false; /* a line follows it */
		put_line(split->rest, line);
	}
	return 0;
}

void marks_free(struct marks *marks)
{
	free(marks->body);
	free(marks->rest);
	*marks = (struct marks){ 0 };
}

/* Pure. A block has one line of ours; many: several (boot loaders' files of former versions).
 * -EBADMSG: a begin or end mark is missing; -EUCLEAN: a block has foreign lines, or the line that
 * replaces another was edited. */
static int split_marks(const char *text, bool many, struct marks *ret)
{
	struct marks marks = { .found = is_line(text, OWN), .made = is_line(text, OWN) };
	size_t body_size = 0, rest_size = 0;
	struct split split = { .marks = &marks,
			       .many = many || marks.found,
			       .body = open_memstream(&marks.body, &body_size),
			       .rest = open_memstream(&marks.rest, &rest_size) };
	bool own = marks.found;
	int r = split.body && split.rest ? 0 : -ENOMEM;

	for (; *text && r == 0; text += strcspn(text, "\n"), text += *text == '\n')
		r = own ? take_inside(&split, text) : take_line(&split, text);
	if (r == 0 && split.inside)
		r = -EBADMSG;
	if (split.body && fclose(split.body) != 0)
		r = -ENOMEM;
	if (split.rest && fclose(split.rest) != 0)
		r = -ENOMEM;
	if (r < 0) {
		marks_free(&marks);
		return r;
	}
	if (split.open && rest_size > 0 && marks.rest[rest_size - 1] == '\n')
		marks.rest[rest_size - 1] = '\0';
	*ret = marks;
	return 0;
}

/* *ret NULL: it does not exist. */
static int read_text(const char *root, const char *path, char **ret, struct why *w)
{
	size_t length = 0;
	int r = io_read_file(root, path, FILE_LIMIT, ret, &length);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret = NULL;
		return 0;
	}
	if (r == 0 && strlen(*ret) != length) {
		free(steal_pointer(ret));
		return why(w, -EINVAL, "%s is not a text file", path);
	}
	return r < 0 ? why(w, r, "%s: %s", path, strerror(-r)) : 0;
}

int marks_read(const char *root, const char *path, struct marks *ret, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	int r = read_text(root, path, &text, w);

	if (r == 0)
		r = split_marks(text ? text : "", text_starts(path, "/etc/default/"), ret);
	if (r != -EBADMSG && r != -EUCLEAN)
		return r;
	return why(w, -EINVAL,
		   "%s was edited %s the marks of s2disk-swapfile; remove by hand what it wrote "
		   "there, and the marks",
		   path, r == -EBADMSG ? "at" : "between");
}

static int put_own(const char *full, const struct mark *mark)
{
	_cleanup_free_ char *text = NULL, *copy = strdup(full);
	const char *directory = copy ? dirname(copy) : "";
	bool made = mkdir(directory, DIRECTORY_MODE) == 0;
	int r;

	if (asprintf(&text, OWN "\n%s%s", made ? DIRECTORY "\n" : "", mark->body) < 0)
		text = NULL;
	r = copy && text ? replace_file(full, text, FILE_MODE) : -ENOMEM;
	if (r < 0 && made)
		rmdir(directory);
	return r;
}

static int put_block(const char *full, const char *old, const struct mark *mark)
{
	const char *text = old ? old : "", *at = text + strlen(text), *rest = at;
	_cleanup_free_ char *new = NULL;
	bool open = *text && at[-1] != '\n';

	if (mark->was) {
		for (at = text; *at && !is_line(at, mark->was); at += *at == '\n')
			at += strcspn(at, "\n");
		rest = at + strlen(mark->was);
		if (!*at)
			return -EAGAIN;
		open = !*rest;
		rest += *rest == '\n';
	}
	if (asprintf(&new, "%.*s%s" BEGIN "\n%s%s%s%s%s%s" END "\n%s", (int)(at - text), text,
		     open && !mark->was ? "\n" : "", old ? "" : MADE "\n", open ? OPEN "\n" : "",
		     mark->was ? WAS : "", mark->was ? mark->was : "", mark->was ? "\n" : "",
		     mark->body, rest) < 0) {
		new = NULL;
		return -ENOMEM;
	}
	return replace_file(full, new, FILE_MODE);
}

int marks_put(const char *root, const struct mark *mark, struct why *w)
{
	_cleanup_free_ char *old = NULL, *full = NULL;
	int r = read_text(root, mark->path, &old, w);

	if (r < 0)
		return r;
	if (mark->own && old && !is_line(old, OWN))
		return why(w, -EEXIST, "%s was not written by s2disk-swapfile; move it away",
			   mark->path);
	if (asprintf(&full, "%s%s", root, mark->path) < 0)
		full = NULL;
	r = !full ? -ENOMEM : mark->own ? put_own(full, mark) : put_block(full, old, mark);
	return r < 0 ? why(w, -EIO, "%s cannot be written: %s", mark->path, strerror(-r)) : 0;
}

int marks_take(const char *root, const char *path, const struct marks *marks, struct why *w)
{
	_cleanup_free_ char *full = NULL;
	int r = 0;

	if (asprintf(&full, "%s%s", root, path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	replace_tidy(full);
	if (marks->found && marks->made && !marks->rest[0]) {
		r = replace_unlink(full);
		if (r == 0 && marks->directory)
			rmdir(dirname(full)); /* if it is empty */
	} else if (marks->found) {
		r = replace_file(full, marks->rest, FILE_MODE);
	}
	return r < 0 ? why(w, -EIO, "%s cannot be restored: %s", path, strerror(-r)) : 0;
}
