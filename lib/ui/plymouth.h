/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows messages on Plymouth's screen while that hides the console: through its socket,
 * as its own client does (ply-boot-protocol.h). If Plymouth does not run, all of this
 * does nothing. Only plymouth_step_back waits for an answer.
 */
#ifndef S2DISK_UI_PLYMOUTH_H
#define S2DISK_UI_PLYMOUTH_H

#include <stdbool.h>

/* The abstract socket; tests have another. */
extern const char *plymouth_socket;

/* From here on messages up to LOG_LEVEL_NOTICE are shown, each replacing the previous
 * one, and progress by tenths. */
void plymouth_begin(void);

/* Stops that. The last message stays if it was a warning or an error, so that it can be read. */
void plymouth_end(void);

/* Hides the splash screen, so that the console can be seen and typed at; at most ten
 * seconds. True: show it again with plymouth_return(). False also without
 * plymouth_begin(). */
bool plymouth_step_back(void);
void plymouth_return(void);

#endif
