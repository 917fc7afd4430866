/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's "stop": SIGINT, SIGQUIT, SIGTERM, SIGHUP, or Backspace on the
 * terminal.
 *
 * SIGPIPE is ignored meanwhile; a console that goes away stops nothing. So are
 * the signals that would stop the process (Ctrl-Z and the terminal's own):
 * while user space is frozen nobody could continue it.
 */
#ifndef S2DISK_UI_ABORT_WATCH_H
#define S2DISK_UI_ABORT_WATCH_H

#include <stdbool.h>

/* Forgets older requests, installs the handlers and, where stdin is a terminal
 * and we are in its foreground, reads single keys without echo (from a
 * background process that would stop us, so it is not done there). SIGINT,
 * SIGQUIT and SIGHUP stay ignored where the caller had us ignore them (nohup,
 * jobs in the background). */
void abort_watch_begin(void);

/* Was a stop asked for? Cheap enough to be called for every block; never waits.
 * Returns the reason ("interrupted by SIGINT", "interrupted by Backspace") or
 * NULL. For the thread that called abort_watch_begin(). */
const char *abort_requested(void);

/* Forgets a request that was made (before a new attempt). */
void abort_watch_clear(void);

/* Puts handlers and terminal settings back as they were. */
void abort_watch_end(void);

#endif
