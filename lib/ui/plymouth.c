/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/plymouth.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "ui/progress.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SHOW_MESSAGE 'M'
#define HIDE_MESSAGE 'm'
#define DEACTIVATE 'D'
#define REACTIVATE 'r'
#define HAS_ARGUMENT 2
#define ACKNOWLEDGED 6

/* Its length is one byte, the final zero included. */
#define ARGUMENT_MAX 254

/* It takes milliseconds, or more if the machine is very busy. */
#define WAIT_MSEC 10000

const char *plymouth_socket = "/org/freedesktop/plymouthd";

static struct {
	bool on;
	bool lasting; /* keep what is shown */
	char shown[ARGUMENT_MAX + 1];
} screen;

static int open_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strnlen(plymouth_socket, sizeof(address.sun_path) - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path + 1, plymouth_socket, length);
	if (connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) == 0)
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

/* wait: for the answer. NULL: without an argument. */
static bool request(char type, const char *argument, bool wait)
{
	_cleanup_close_ int fd = open_socket();
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	char text[ARGUMENT_MAX + 5];
	size_t length;
	char byte;

	if (fd < 0)
		return false;
	if (argument)
		length = (size_t)snprintf(text, sizeof(text), "%c%c%c%.*s", type, HAS_ARGUMENT,
					  (int)strnlen(argument, ARGUMENT_MAX) + 1, ARGUMENT_MAX,
					  argument) +
			 1;
	else
		length = (size_t)snprintf(text, sizeof(text), "%c", type) + 1;
	if (send(fd, text, length, MSG_NOSIGNAL) != (ssize_t)length)
		return false;
	return !wait || (poll(&answer, 1, WAIT_MSEC) == 1 && read(fd, &byte, 1) == 1 &&
			 byte == ACKNOWLEDGED);
}

/* "": nothing is shown. */
static void show(const char *text)
{
	if (screen.shown[0])
		request(HIDE_MESSAGE, screen.shown, false);
	snprintf(screen.shown, sizeof(screen.shown), "%s", text);
	if (screen.shown[0])
		request(SHOW_MESSAGE, screen.shown, false);
}

static void take_message(enum log_level level, const char *text)
{
	if (level > LOG_LEVEL_NOTICE)
		return;
	show(text);
	screen.lasting = level <= LOG_LEVEL_WARNING;
}

static void take_progress(const char *what, unsigned int percent)
{
	char text[100];

	snprintf(text, sizeof(text), "%s: %u %%", what, percent);
	show(text);
	screen.lasting = false;
}

void plymouth_begin(void)
{
	screen.on = true;
	log_set_also(take_message);
	progress_set_also(take_progress);
}

void plymouth_end(void)
{
	log_set_also(NULL);
	progress_set_also(NULL);
	if (!screen.lasting)
		show("");
	screen.on = false;
}

bool plymouth_step_back(void)
{
	return screen.on && request(DEACTIVATE, NULL, true);
}

void plymouth_return(void)
{
	request(REACTIVATE, NULL, false);
}
