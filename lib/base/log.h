/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for people. Only programs and the ui floor call this; libraries
 * return errors (base/why.h).
 *
 * Messages go to stderr, with "<N>" priority prefixes where stderr is the
 * journal, and also to /dev/kmsg where a program asks for it (the initramfs:
 * the console may be gone by the time they are read).
 */
#ifndef S2DISK_BASE_LOG_H
#define S2DISK_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_EMERGENCY = 0, /* broadcast to all users at once */
	LOG_LEVEL_ALERT = 1,	 /* act at once, or files are lost */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* The name that precedes every message; the string must outlive the program. Call this
 * first, before any file is opened: if the program was started without standard output or
 * error, messages must not end up in a device. */
void log_open(const char *program);

/* Messages above this level are dropped. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* Also copies every message to /dev/kmsg. Does nothing if that cannot be opened. */
void log_to_kernel(void);

/* While a snapshot of this system may become an image, its file systems must not change:
 * from log_hold on, output to files is kept in memory; log_release writes it. Terminals,
 * pipes and sockets get it at once, but a frozen reader is never waited for. */
void log_hold(void);
void log_release(void);

/* Called before a message is printed, so that a progress bar can clear its line. NULL: no
 * callback. */
void log_set_before(void (*before)(void));

/* Called with each message that is printed, to show it elsewhere too. It must not log.
 * NULL: no callback. */
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
