/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C in the middle: the step at hand ends, and what was done is undone. */
#ifndef S2DISK_SWAPFILE_STOP_H
#define S2DISK_SWAPFILE_STOP_H

#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP from now on only set a mark; SIGPIPE is ignored (a
 * reader that goes away is no reason to leave a system half set up). */
void stop_begin(void);

/* Was one of them received? */
bool stop_asked(void);

/* In a child, before it becomes another program. */
void stop_reset(void);

#endif
