/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/offlined_own.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/run_directory.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "offlined"
#define NOTE RUN_DIRECTORY "/" NAME

/* A line has two numbers of at most 20 digits, a blank and its end. */
#define LINE_SIZE 42
#define BYTES_MAX ((size_t)OFFLINED_OWN_MAX * LINE_SIZE)

/* Of an address of 64 bits, with the smallest pages. */
#define FRAME_MAX (UINT64_MAX >> 12)

/* "FIRST COUNT", or "FIRST" for one frame. */
static bool parse_line(char *line, uint64_t *first, uint64_t *count)
{
	char *blank = strchr(line, ' ');

	*count = 1;
	if (blank)
		*blank = '\0';
	return text_parse_u64(line, first) == 0 &&
	       (!blank || text_parse_u64(blank + 1, count) == 0) && *count > 0 &&
	       *first <= FRAME_MAX && *count - 1 <= FRAME_MAX - *first;
}

static int read_lines(char *text, struct frame_list *ret)
{
	int r = 0;

	for (char *line; r == 0 && (line = strsep(&text, "\n"));) {
		uint64_t first, count;

		if (parse_line(line, &first, &count))
			r = frames_append(ret, first, count);
	}
	if (r < 0)
		return r;
	frames_normalize(ret);
	return 0;
}

int offlined_own_read(const char *root, struct frame_list *ret)
{
	_cleanup_free_ char *text = NULL;
	struct frame_list found = { 0 };
	int r = io_read_file(root, NOTE, BYTES_MAX, &text, NULL);

	if (r == 0)
		r = read_lines(text, &found);
	if (r == -ENOMEM) {
		free(found.items);
		return r;
	}
	*ret = found;
	return 0;
}

static int encode(const struct frame_list *frames, char **ret, size_t *ret_length)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < frames->count; i++) {
		fprintf(file, "%" PRIu64, frames->items[i].first);
		if (frames->items[i].count > 1)
			fprintf(file, " %" PRIu64, frames->items[i].count);
		fputc('\n', file);
	}
	if (fclose(file) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	*ret_length = length;
	return 0;
}

/* All of them, or none: a part would be a wrong list, without a word. */
static int write_frames(const char *root, const struct frame_list *frames, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (frames->count > OFFLINED_OWN_MAX)
		return why(w, -E2BIG, NOTE " cannot be written: it would have more than %d ranges",
			   OFFLINED_OWN_MAX);
	r = encode(frames, &text, &length);
	if (r == 0)
		r = run_directory_put(root, NAME, text, length);
	return r < 0 ? why(w, r, NOTE " cannot be written: %s", strerror(-r)) : 0;
}

/* Another program's frames must not be lost between reading and writing. A descriptor, or a
 * negative errno with w. */
static int lock(const char *root, struct why *w)
{
	struct why reason = { 0 };
	int fd = run_directory_lock(root, NAME ".lock", &reason);

	return fd < 0 ? why(w, fd, NOTE " cannot be written: %s", why_text(&reason, fd)) : fd;
}

int offlined_own_add(const char *root, const uint64_t *frames, size_t count, struct why *w)
{
	_cleanup_frames_ struct frame_list all = { 0 };
	_cleanup_close_ int held = lock(root, w);
	int r;

	if (held < 0)
		return held;
	r = offlined_own_read(root, &all);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = frames_append(&all, frames[i], 1);
	if (r < 0)
		return why(w, r, NOTE ": %s", strerror(-r));
	frames_normalize(&all);
	return write_frames(root, &all, w);
}

int offlined_own_remove(const char *root, const struct frame_list *frames, struct why *w)
{
	_cleanup_frames_ struct frame_list all = { 0 }, left = { 0 };
	_cleanup_close_ int held = lock(root, w);
	int r;

	if (held < 0)
		return held;
	r = offlined_own_read(root, &all);
	if (r == 0)
		r = frames_select(&all, frames, false, &left);
	if (r < 0)
		return why(w, r, NOTE ": %s", strerror(-r));
	return write_frames(root, &left, w);
}
