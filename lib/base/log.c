/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include "base/io.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD_SIZE 8192

static struct {
	const char *program;
	enum log_level level;
	int kmsg;
	void (*before)(void);
	void (*also)(enum log_level level, const char *text);
	bool journal;
	bool holding;
	size_t held;
	char held_text[HELD_SIZE];
} log_state = { .program = "s2disk", .level = LOG_LEVEL_INFO, .kmsg = -1 };

void log_open(const char *program)
{
	io_open_standard();
	log_state.program = program;
	log_state.journal = getenv("JOURNAL_STREAM") != NULL && !isatty(STDERR_FILENO);
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

enum log_level log_level(void)
{
	return log_state.level;
}

void log_to_kernel(void)
{
	if (log_state.kmsg < 0)
		log_state.kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

void log_set_before(void (*before)(void))
{
	log_state.before = before;
}

void log_set_also(void (*also)(enum log_level level, const char *text))
{
	log_state.also = also;
}

void log_hold(void)
{
	log_state.holding = true;
}

void log_release(void)
{
	log_state.holding = false;
	if (log_state.held > 0 && write(STDERR_FILENO, log_state.held_text, log_state.held) < 0)
		log_state.held = 0;
	log_state.held = 0;
}

/* Holds lines while user space is frozen. */
static void hold_line(const char *line, size_t length)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	if (S_ISREG(st.st_mode)) {
		if (length <= HELD_SIZE - log_state.held) {
			memcpy(log_state.held_text + log_state.held, line, length);
			log_state.held += length;
		}
		return;
	}
	if (poll(&ready, 1, 0) == 1 && ready.revents & POLLOUT &&
	    write(STDERR_FILENO, line, length) < 0)
		return;
}

/* One write per line, so lines of several programs do not mix. The result is ignored: a
 * broken stderr must not stop a hibernation. */
static void write_line(int fd, const char *line, size_t length)
{
	if (write(fd, line, length) < 0)
		return;
}

void log_message(enum log_level level, const char *format, ...)
{
	char text[900], line[1024];
	va_list args;
	int length;

	if (level > log_state.level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (log_state.before)
		log_state.before();

	if (log_state.journal)
		length = snprintf(line, sizeof(line), "<%d>%s\n", (int)level, text);
	else
		length = snprintf(line, sizeof(line), "%s: %s\n", log_state.program, text);
	if (log_state.holding)
		hold_line(line, (size_t)length);
	else
		write_line(STDERR_FILENO, line, (size_t)length);
	if (log_state.also)
		log_state.also(level, text);

	if (log_state.kmsg >= 0) {
		/* The console already has it from stderr. */
		if (level < LOG_LEVEL_INFO)
			level = LOG_LEVEL_INFO;
		length = snprintf(line, sizeof(line), "<%d>%s: %s\n", (int)level, log_state.program,
				  text);
		write_line(log_state.kmsg, line, (size_t)length);
	}
}
