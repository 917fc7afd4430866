/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fatal_signals.h"

#include <stddef.h>

static const int numbers[FATAL_SIGNALS] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

void fatal_signals_block(sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, ret_before);
}

void fatal_signals_take(struct fatal_signals *signals, void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler };

	/* The first signal does the work; the others are blocked until the program has ended. */
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < FATAL_SIGNALS; i++) {
		sigaction(numbers[i], NULL, &signals->before[i]);
		if (signals->before[i].sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

void fatal_signals_leave(const struct fatal_signals *signals)
{
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaction(numbers[i], &signals->before[i], NULL);
}

void fatal_signals_pass_on(const struct fatal_signals *signals, int number)
{
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		if (numbers[i] == number)
			sigaction(number, &signals->before[i], NULL);
	raise(number); /* delivered when the handler returns */
}
