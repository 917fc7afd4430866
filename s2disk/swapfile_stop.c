/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_stop.h"

#include "base/bytes.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void take_signal(int number)
{
	(void)number;
	asked = 1;
}

void stop_begin(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	/* No SA_RESTART: a long system call is left. */
	struct sigaction action = { .sa_handler = take_signal };

	asked = 0;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

bool stop_asked(void)
{
	return asked != 0;
}

void stop_reset(void)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };

	/* Handlers end with execve, but not what is ignored. */
	sigaction(SIGPIPE, &action, NULL);
}
