/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "marks.h"

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

/* Lines. */
#define BEGIN "# s2disk-swapfile begin (\"s2disk-swapfile disable\" takes this out)"
#define END "# s2disk-swapfile end"
#define OWN "# Written by s2disk-swapfile; \"s2disk-swapfile disable\" takes it away."

/* Far larger than any configuration file. */
#define FILE_LIMIT (8u << 20)
#define FILE_MODE 0644
#define DIRECTORY_MODE 0755

/* An editor may have given the lines other ends. */
static bool is_line(const char *at, const char *words)
{
	return strcspn(at, "\r\n") == strlen(words) && text_starts(at, words);
}

/* A block has one line of ours. -EBADMSG: a begin or end mark is missing; -EUCLEAN: there are more
 * lines. body and rest are as large as text. */
static int split_blocks(const char *text, char *body, char *rest)
{
	unsigned int lines = 0;
	bool inside = false;

	for (size_t length; *text; text += length) {
		bool begins = is_line(text, BEGIN);

		length = strcspn(text, "\n");
		length += text[length] == '\n';
		if (begins || is_line(text, END)) {
			if (begins == inside)
				return -EBADMSG;
			inside = begins;
			lines = 0;
		} else if (!inside) {
			rest = mempcpy(rest, text, length);
		} else if (lines++ == 0) {
			body = mempcpy(body, text, length);
		} else {
			return -EUCLEAN;
		}
	}
	return inside ? -EBADMSG : 0;
}

static int split(struct edit *edit)
{
	size_t size = strlen(edit->text) + 1;
	const char *end = strchrnul(edit->text, '\n');
	int r = 0;

	edit->body = calloc(1, size);
	edit->rest = calloc(1, size);
	if (!edit->body || !edit->rest)
		return -ENOMEM;
	if (is_line(edit->text, OWN))
		strcpy(edit->body, end + (*end == '\n'));
	else
		r = split_blocks(edit->text, edit->body, edit->rest);
	/* It was made for the marks, or was empty. */
	if (r == 0 && edit->text[0] && !edit->rest[0])
		free(steal_pointer(&edit->rest));
	else if (r == 0 && !(edit->want = strdup(edit->rest)))
		r = -ENOMEM;
	return r;
}

int edit_read(const char *root, const char *path, struct edit *ret, struct why *w)
{
	size_t length = 0;
	int r;

	*ret = (struct edit){ .path = path };
	r = io_read_file(root, path, FILE_LIMIT, &ret->text, &length);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r == 0 && strlen(ret->text) != length)
		r = why(w, -EINVAL, "%s is not a text file", path);
	else if (r < 0)
		why(w, r, "%s: %s", path, strerror(-r));
	else
		r = split(ret);
	if (r == -EBADMSG || r == -EUCLEAN)
		r = why(w, -EINVAL,
			"%s was edited %s the marks of s2disk-swapfile; remove by hand what it "
			"wrote there, and the marks",
			path, r == -EBADMSG ? "at" : "between");
	if (r < 0)
		edit_free(ret);
	return r;
}

/* A block comes before the last line if that has no end, which then needs no record. */
int edit_mark(struct edit *edit, bool own, char *lines, struct why *w)
{
	const char *rest = edit->rest ? edit->rest : "", *end = strrchr(rest, '\n');
	int head = end ? (int)(end + 1 - rest) : 0;

	edit->mark = lines;
	if (own && edit->rest)
		return why(w, -EEXIST, "%s was not written by s2disk-swapfile; move it away",
			   edit->path);
	free(steal_pointer(&edit->want));
	if (!lines || (own ? asprintf(&edit->want, OWN "\n%s", lines)
			   : asprintf(&edit->want, "%.*s" BEGIN "\n%s" END "\n%s", head, rest,
				      lines, rest + head)) < 0) {
		edit->want = NULL;
		return -ENOMEM;
	}
	return 0;
}

bool edit_differs(const struct edit *edit)
{
	if (edit->mark)
		return !edit->body || strcmp(edit->body, edit->mark) != 0;
	return edit->text && (!edit->rest || strcmp(edit->text, edit->rest) != 0);
}

/* text NULL: deletes it. */
static int put(const char *full, const char *text)
{
	_cleanup_free_ char *copy = strdup(full);
	const char *directory = copy ? dirname(copy) : NULL;
	int r;

	if (!directory)
		return -ENOMEM;
	mkdir(directory, DIRECTORY_MODE);
	r = text ? replace_file(full, text, FILE_MODE) : replace_unlink(full);
	rmdir(directory); /* if it is empty */
	return r;
}

int edit_write(const char *root, const struct edit *edit, struct why *w)
{
	_cleanup_free_ char *full = NULL;
	const char *text = edit->want;
	struct stat st;
	int r;

	if (asprintf(&full, "%s%s", root, edit->path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	replace_tidy(full);
	/* A link to an empty file, since one that leads nowhere is not written through. */
	if (!text && edit->text && !is_line(edit->text, OWN) && lstat(full, &st) == 0 &&
	    S_ISLNK(st.st_mode))
		text = "";
	r = edit_differs(edit) ? put(full, text) : 0;
	return r < 0 ? why(w, -EIO, "%s cannot be written: %s", edit->path, strerror(-r)) : 0;
}

void edit_free(struct edit *edit)
{
	free(edit->text);
	free(edit->body);
	free(edit->rest);
	free(edit->mark);
	free(edit->want);
	*edit = (struct edit){ .path = edit->path };
}
