/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/offlined_own.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "/run/s2disk"
#define NOTE DIRECTORY "/offlined"

/* A line has at most 20 digits and its end. */
#define BYTES_MAX ((size_t)OFFLINED_OWN_MAX * 21)

/* Of an address of 64 bits, with the smallest pages. */
#define FRAME_MAX (UINT64_MAX >> 12)

static int read_lines(char *text, struct frame_list *ret)
{
	int r = 0;

	for (char *line; r == 0 && (line = strsep(&text, "\n"));) {
		uint64_t frame;

		if (text_parse_u64(line, &frame) == 0 && frame <= FRAME_MAX)
			r = frames_append(ret, frame, 1);
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

/* As many as the file may have. */
static int write_frames(const char *path, const struct frame_list *frames)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	unsigned int written = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < frames->count; i++) {
		for (uint64_t n = 0; n < frames->items[i].count && written < OFFLINED_OWN_MAX;
		     n++, written++) {
			char line[24];
			int length = snprintf(line, sizeof(line), "%" PRIu64 "\n",
					      frames->items[i].first + n);
			int r = io_write_full(fd, line, (size_t)length);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int offlined_own_add(const char *root, const uint64_t *frames, size_t count, struct why *w)
{
	char directory[PATH_MAX], path[PATH_MAX], new_path[PATH_MAX];
	struct frame_list all = { 0 };
	int r;

	if (snprintf(directory, sizeof(directory), "%s" DIRECTORY, root) >=
		    (int)sizeof(directory) ||
	    snprintf(path, sizeof(path), "%s" NOTE, root) >= (int)sizeof(path) ||
	    snprintf(new_path, sizeof(new_path), "%s" NOTE ".new", root) >= (int)sizeof(new_path))
		return why(w, -ENAMETOOLONG, NOTE ": %s", strerror(ENAMETOOLONG));
	r = offlined_own_read(root, &all);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = frames_append(&all, frames[i], 1);
	frames_normalize(&all);
	mkdir(directory, 0755);
	if (r == 0)
		r = write_frames(new_path, &all);
	free(all.items);
	if (r == 0 && rename(new_path, path) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	unlink(new_path);
	return why(w, r, NOTE " cannot be written: %s", strerror(-r));
}
