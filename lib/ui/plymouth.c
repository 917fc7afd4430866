/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/plymouth.h"

#include "base/stopwatch.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "/org/freedesktop/plymouthd"

enum command {
	PING = 'P',
	MESSAGE = 'M',
	HIDE_MESSAGE = 'm',
	PROGRESS = 'u',
	DEACTIVATE = 'D',
	REACTIVATE = 'r',
};

#define WITH_ARGUMENT 2
#define ACKNOWLEDGED 6

/* It may be busy with a screen that comes up; nobody shall wait for that long. */
#define ANSWER_MSEC 500
#define LEAVE_MSEC 3000

void plymouth_close(struct plymouth *plymouth)
{
	if (plymouth->fd >= 0)
		close(plymouth->fd);
	*plymouth = (struct plymouth){ .fd = -1 };
}

bool plymouth_is_open(const struct plymouth *plymouth)
{
	return plymouth->fd >= 0;
}

/* Answers that nobody waits for would fill the socket. */
static void drop_answers(const struct plymouth *plymouth)
{
	char answers[64];

	while (recv(plymouth->fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
		;
}

/* What does not fit is not told: it is frozen, or busy. A part of a command
 * would spoil the next. */
static void send_bytes(struct plymouth *plymouth, const char *bytes, size_t length)
{
	ssize_t sent;

	drop_answers(plymouth);
	sent = send(plymouth->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == (ssize_t)length || (sent < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	plymouth_close(plymouth);
}

static void tell(struct plymouth *plymouth, enum command command, const char *argument)
{
	char bytes[3 + 255];
	size_t length = strlen(argument) + 1;

	if (plymouth->fd < 0)
		return;
	bytes[0] = (char)command;
	bytes[1] = WITH_ARGUMENT;
	bytes[2] = (char)length;
	memcpy(bytes + 3, argument, length);
	send_bytes(plymouth, bytes, 3 + length);
}

/* A command without an argument; true when it was acknowledged in time. */
static bool ask(struct plymouth *plymouth, enum command command, unsigned int msec)
{
	const char bytes[2] = { (char)command, 0 };
	uint64_t end = now_usec() + msec * 1000ull;

	if (plymouth->fd < 0)
		return false;
	send_bytes(plymouth, bytes, sizeof(bytes));
	while (plymouth->fd >= 0) {
		struct pollfd ready = { .fd = plymouth->fd, .events = POLLIN };
		uint64_t now = now_usec();
		char answer;

		if (now >= end || poll(&ready, 1, (int)((end - now) / 1000) + 1) == 0)
			return false;
		if (recv(plymouth->fd, &answer, 1, MSG_DONTWAIT) == 1)
			return answer == ACKNOWLEDGED;
		if (errno != EAGAIN && errno != EINTR)
			return false;
	}
	return false;
}

void plymouth_open(struct plymouth *plymouth, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length;

	*plymouth = (struct plymouth){ .fd = -1 };
	name = name ? name : SOCKET_NAME;
	if (!text_copy(address.sun_path + 1, sizeof(address.sun_path) - 1, name))
		return;
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	plymouth->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (plymouth->fd < 0)
		return;
	if (connect(plymouth->fd, (struct sockaddr *)&address, length) < 0 ||
	    !ask(plymouth, PING, ANSWER_MSEC))
		plymouth_close(plymouth);
}

void plymouth_message(struct plymouth *plymouth, const char *format, ...)
{
	va_list args;

	if (plymouth->fd < 0)
		return;
	va_start(args, format);
	vsnprintf(plymouth->message, sizeof(plymouth->message), format, args);
	va_end(args);
	/* Where it was cut may be in the middle of a character. */
	text_make_printable(plymouth->message);
	tell(plymouth, MESSAGE, plymouth->message);
}

void plymouth_hide_message(struct plymouth *plymouth)
{
	if (!plymouth->message[0])
		return;
	tell(plymouth, HIDE_MESSAGE, plymouth->message);
	plymouth->message[0] = '\0';
}

void plymouth_percent(struct plymouth *plymouth, unsigned int percent)
{
	char text[8];

	if (plymouth->fd < 0 || percent == plymouth->percent || percent > 100)
		return;
	plymouth->percent = percent;
	snprintf(text, sizeof(text), "%u", percent);
	tell(plymouth, PROGRESS, text);
}

void plymouth_leave(struct plymouth *plymouth)
{
	ask(plymouth, DEACTIVATE, LEAVE_MSEC);
}

void plymouth_return(struct plymouth *plymouth)
{
	ask(plymouth, REACTIVATE, ANSWER_MSEC);
}
