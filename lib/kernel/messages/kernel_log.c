/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/messages/kernel_log.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel returns one record per read, at most this long (PRINTK_MESSAGE_MAX and its
 * predecessors). */
#define RECORD_SIZE 8192

int kernel_log_open(const char *root, bool from_now)
{
	int fd;

	look_note(root, "/dev/kmsg", LOOK_READ);
	fd = io_open_below(root, "/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	if (from_now && lseek(fd, 0, SEEK_END) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* Pure: 0 or -EBADMSG. */
static int parse_record(const char *record, char *text, size_t size, unsigned int *ret_level)
{
	const char *message = strchr(record, ';');
	unsigned long prefix;
	char *end;

	prefix = strtoul(record, &end, 10);
	if (!message || end == record || *end != ',')
		return -EBADMSG;
	message++;
	/* Lines after the first are its dictionary. */
	snprintf(text, size, "%.*s", (int)strcspn(message, "\n"), message);
	*ret_level = (unsigned int)(prefix & 7);
	return 0;
}

/* The value after "\n KEY=" in a record's dictionary. */
static void find_value(const char *record, const char *key, char *value, size_t size)
{
	const char *at = strstr(record, key);

	value[0] = '\0';
	if (!at)
		return;
	at += strlen(key);
	snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
}

static int parse_message(const char *record, struct kernel_message *ret)
{
	int r = parse_record(record, ret->text, sizeof(ret->text), &ret->level);

	if (r < 0)
		return r;
	find_value(record, "\n SUBSYSTEM=", ret->subsystem, sizeof(ret->subsystem));
	find_value(record, "\n DEVICE=", ret->device, sizeof(ret->device));
	return 0;
}

/* The device returns one record per read; from a file in its place, the read went on into
 * the next ones. */
static int end_record(int fd, char *record, size_t length)
{
	char *end = record;

	do
		end = strchr(end, '\n');
	while (end && *++end == ' ');
	if (!end || !*end)
		return 1;
	if (lseek(fd, -(off_t)(record + length - end), SEEK_CUR) < 0)
		return -errno;
	*end = '\0';
	return 1;
}

/* 1, 0 or a negative errno, as kernel_log_next. */
static int next_record(int fd, char record[RECORD_SIZE])
{
	for (;;) {
		ssize_t n = read(fd, record, RECORD_SIZE - 1);

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n == 0 || (n < 0 && errno == EAGAIN))
			return 0;
		if (n < 0)
			return -errno;
		record[n] = '\0';
		return end_record(fd, record, (size_t)n);
	}
}

int kernel_log_next(int fd, char *text, size_t size, unsigned int *ret_level)
{
	char record[RECORD_SIZE];
	int r;

	do {
		r = next_record(fd, record);
	} while (r > 0 && parse_record(record, text, size, ret_level) < 0);
	return r;
}

int kernel_log_next_message(int fd, struct kernel_message *ret)
{
	char record[RECORD_SIZE];
	int r;

	do {
		r = next_record(fd, record);
	} while (r > 0 && parse_message(record, ret) < 0);
	return r;
}

int kernel_log_read(const char *root, size_t limit, char **ret)
{
	_cleanup_close_ int fd = kernel_log_open(root, false);
	_cleanup_free_ char *text = NULL;
	char message[RECORD_SIZE];
	size_t used = 0, size = 0;
	unsigned int level;
	int r;

	if (fd < 0)
		return fd;
	while ((r = kernel_log_next(fd, message, sizeof(message), &level)) > 0) {
		size_t length = strlen(message);

		if (used + length + 2 > limit)
			break;
		if (used + length + 2 > size) {
			char *more = realloc(text, 2 * size + length + 4096);

			if (!more)
				return -ENOMEM;
			text = more;
			size = 2 * size + length + 4096;
		}
		memcpy(text + used, message, length);
		text[used + length] = '\n';
		used += length + 1;
	}
	if (r < 0)
		return r;
	if (!text) {
		text = calloc(1, 1);
		if (!text)
			return -ENOMEM;
	}
	text[used] = '\0';
	*ret = steal_pointer(&text);
	return 0;
}
