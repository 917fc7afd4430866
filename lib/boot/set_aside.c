/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/set_aside.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/s2disk"
#define NOTE FOLDER "/set-aside"

int set_aside_write(const char *root, const struct set_aside *note)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], text[2048];

	snprintf(path, sizeof(path), "%s" FOLDER, root);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s" NOTE, root);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%llu\n%s\n%s\n", (unsigned long long)note->time, note->area,
		 note->reason);
	return io_write_full(fd, text, strlen(text));
}

/* A line, cut out; the rest, or NULL where it does not end. */
static char *take_line(char *text, char *to, size_t size)
{
	char *end = strchr(text, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	text_copy(to, size, text);
	return end + 1;
}

int set_aside_read(const char *root, struct set_aside *ret)
{
	struct set_aside note;
	char text[2048], time[32], *at;
	ssize_t length = io_read_text(root, NOTE, text, sizeof(text));

	if (length < 0)
		return (int)length;
	at = take_line(text, time, sizeof(time));
	if (at)
		at = take_line(at, note.area, sizeof(note.area));
	if (at)
		at = take_line(at, note.reason, sizeof(note.reason));
	if (!at || text_parse_u64(time, &note.time) < 0)
		return -EBADMSG;
	*ret = note;
	return 0;
}
