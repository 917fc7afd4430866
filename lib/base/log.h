/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for people. Only programs and the ui floor call this; libraries
 * return errors (base/why.h).
 *
 * Messages go to stderr, with "<N>" priority prefixes where stderr is the
 * journal, and also to /dev/kmsg where a program asks for it (the initramfs:
 * the console may be gone when somebody reads them).
 */
#ifndef S2DISK_BASE_LOG_H
#define S2DISK_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_EMERGENCY = 0, /* for everybody at the machine, at once */
	LOG_LEVEL_ALERT = 1,	 /* somebody has to act at once, or files are lost */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Name that precedes every message; a string that outlives the program. The first
 * call of a program, before it opens any file: where it was started without
 * standard output or error, messages must not end up in a device. */
void log_open(const char *program);

/* Messages above this level are dropped. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* Copies every message to /dev/kmsg as well. Quietly does nothing where that
 * cannot be opened. */
void log_to_kernel(void);

/* While a snapshot of this system may become an image, its file systems must not
 * change any more: what would go to a file is kept in memory from log_hold on
 * and written by log_release. Terminals, pipes and sockets get it at once, but
 * nothing waits for a reader that is frozen. */
void log_hold(void);
void log_release(void);

/* Called before a message is printed, so that a progress bar can clear its
 * line. NULL: nobody. */
void log_set_before(void (*before)(void));

/* Called with each message that is printed, for another place where people look.
 * It must not log. NULL: nobody. */
void log_set_also(void (*also)(enum log_level level, const char *text));

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_alert(...) log_message(LOG_LEVEL_ALERT, __VA_ARGS__)
#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
