/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output/journal.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define SOCKET_PATH "/run/systemd/journal/socket"
#define WAIT_SECONDS 2

static void add(struct journal_entry *entry, const void *data, size_t length)
{
	char *more;

	if (entry->failed)
		return;
	if (length > entry->size - entry->length) {
		size_t size = (entry->length + length) * 2;

		more = realloc(entry->data, size);
		if (!more) {
			entry->failed = true;
			return;
		}
		entry->data = more;
		entry->size = size;
	}
	memcpy(entry->data + entry->length, data, length);
	entry->length += length;
}

/* A value of more than one line has its length in front of it instead of '='. */
static void add_field(struct journal_entry *entry, const char *name, const char *value)
{
	size_t length = strlen(value);
	unsigned char bytes[8];

	add(entry, name, strlen(name));
	if (strchr(value, '\n')) {
		put_le64(bytes, length);
		add(entry, "\n", 1);
		add(entry, bytes, sizeof(bytes));
	} else {
		add(entry, "=", 1);
	}
	add(entry, value, length);
	add(entry, "\n", 1);
}

__attribute__((format(printf, 3, 0))) static void add_formatted(struct journal_entry *entry,
								const char *name,
								const char *format, va_list args)
{
	_cleanup_free_ char *value = NULL;

	if (vasprintf(&value, format, args) < 0) {
		value = NULL;
		entry->failed = true;
		return;
	}
	add_field(entry, name, value);
}

void journal_begin(struct journal_entry *entry, const char *program, enum log_level level,
		   const char *format, ...)
{
	va_list args;

	*entry = (struct journal_entry){ 0 };
	va_start(args, format);
	add_formatted(entry, "MESSAGE", format, args);
	va_end(args);
	journal_field(entry, "PRIORITY", "%d", (int)level);
	add_field(entry, "SYSLOG_IDENTIFIER", program);
}

void journal_field(struct journal_entry *entry, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(entry, name, format, args);
	va_end(args);
}

/* The journal accepts a file only if it is sealed against changes. */
static int sealed_file(const void *data, size_t length)
{
	_cleanup_close_ int fd = memfd_create("journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = io_write_full(fd, data, length);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int send_file(int socket_fd, struct msghdr *message, const struct iovec *data)
{
	_cleanup_close_ int fd = sealed_file(data->iov_base, data->iov_len);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct cmsghdr *header;

	if (fd < 0)
		return fd;
	message->msg_iov = NULL;
	message->msg_iovlen = 0;
	message->msg_control = &control;
	message->msg_controllen = sizeof(control);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(socket_fd, message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_data(const char *root, const void *data, size_t length)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct timeval wait = { .tv_sec = WAIT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct iovec vector = { .iov_base = (void *)(uintptr_t)data, .iov_len = length };
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};

	if (fd < 0)
		return -errno;
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s" SOCKET_PATH, root) >=
	    (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno != EMSGSIZE && errno != ENOBUFS)
		return -errno;
	return send_file(fd, &message, &vector);
}

int journal_send(struct journal_entry *entry, const char *root)
{
	int r = entry->failed ? -ENOMEM : send_data(root, entry->data, entry->length);

	free(entry->data);
	*entry = (struct journal_entry){ 0 };
	return r;
}
