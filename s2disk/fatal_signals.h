/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGHUP, SIGINT, SIGQUIT and SIGTERM would end the program and leave the kernel's swap
 * areas as it has changed them. Who changes them takes these signals until it has put
 * them back. Several may: the last that took them is the first to answer.
 */
#ifndef S2DISK_FATAL_SIGNALS_H
#define S2DISK_FATAL_SIGNALS_H

#include <signal.h>

#define FATAL_SIGNALS 4

/* How they were answered before. */
struct fatal_signals {
	struct sigaction before[FATAL_SIGNALS];
};

/* Blocks them; *ret_before is for sigprocmask(SIG_SETMASK). */
void fatal_signals_block(sigset_t *ret_before);

/* Those that were not ignored come to handler from now on, one at a time. */
void fatal_signals_take(struct fatal_signals *signals, void (*handler)(int number));

/* As before. */
void fatal_signals_leave(const struct fatal_signals *signals);

/* For a handler, as its last act: the signal is answered as before when it returns. */
void fatal_signals_pass_on(const struct fatal_signals *signals, int number);

#endif
