/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told on Plymouth's screen, where that hides the console: by its
 * socket, as its own client does (ply-boot-protocol.h). Where it does not run
 * all of this does nothing; nothing is waited for but plymouth_step_back's
 * answer.
 */
#ifndef S2DISK_UI_PLYMOUTH_H
#define S2DISK_UI_PLYMOUTH_H

#include <stdbool.h>

/* The abstract socket; tests have another. */
extern const char *plymouth_socket;

/* From here on messages up to LOG_LEVEL_NOTICE are shown, each in the place of
 * the former, and progress by tenths. */
void plymouth_begin(void);

/* No more of them. What was shown last stays where it was a warning or an
 * error: somebody should read it. */
void plymouth_end(void);

/* Takes the screen away, so that the console can be seen and typed at; at most
 * ten seconds. True: it is to be given back by plymouth_return(). False
 * without plymouth_begin(), too. */
bool plymouth_step_back(void);
void plymouth_return(void);

#endif
