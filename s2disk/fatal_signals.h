/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGHUP, SIGINT, SIGQUIT and SIGTERM would end the program and leave the swap areas as it has
 * changed them. Code that changes them handles these signals until it has restored them. Handlers
 * nest: the last one installed runs first.
 */
#ifndef S2DISK_FATAL_SIGNALS_H
#define S2DISK_FATAL_SIGNALS_H

#include <signal.h>

#define FATAL_SIGNALS 4

/* The previous handlers. */
struct fatal_signals {
	struct sigaction before[FATAL_SIGNALS];
};

/* Blocks them; *ret_before is for sigprocmask(SIG_SETMASK). */
void fatal_signals_block(sigset_t *ret_before);

/* From now on handler gets those that were not ignored, one at a time. */
void fatal_signals_take(struct fatal_signals *signals, void (*handler)(int number));

/* Restores the previous handlers. */
void fatal_signals_leave(const struct fatal_signals *signals);

/* For the end of a handler: the previous handler gets the signal when this one returns. */
void fatal_signals_pass_on(const struct fatal_signals *signals, int number);

#endif
