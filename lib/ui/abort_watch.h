/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's "stop": SIGINT, SIGQUIT, SIGTERM, SIGHUP, or Backspace on the
 * terminal.
 *
 * SIGPIPE is ignored meanwhile: losing the console stops nothing. So are the signals that suspend
 * the process (Ctrl-Z and the terminal's own): with user space frozen there is no shell to continue
 * it.
 */
#ifndef S2DISK_UI_ABORT_WATCH_H
#define S2DISK_UI_ABORT_WATCH_H

#include <stdbool.h>

/* Clears older requests, installs the handlers and, if stdin is a terminal and we are in
 * its foreground, reads single keys without echo (a background process would be stopped
 * by that). SIGINT, SIGQUIT and SIGHUP stay ignored where the caller had us ignore them
 * (nohup, jobs in the background). */
void abort_watch_begin(void);

/* Has a stop been requested? Cheap enough to call for every block; never waits. Returns
 * the reason ("interrupted by SIGINT", "interrupted by Backspace") or NULL. For the
 * thread that called abort_watch_begin(). */
const char *abort_requested(void);

/* Restores handlers and terminal settings. */
void abort_watch_end(void);

#endif
