/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/quiet_terminal.h"

#include "base/bytes.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

/* Signals that by default end a process, and those that suspend it. */
static const int caught[] = {
	SIGHUP,	 SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGALRM,
	SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU,
};

/* For the handler. Written while it is not installed, except for quiet. */
static struct {
	int fd;
	volatile sig_atomic_t quiet; /* should be quiet */
	struct termios as_it_was, without_echo;
	struct sigaction before[ARRAY_SIZE(caught)];
} state;

/* With our signals blocked SIGTTOU does not suspend us here, so check: in the background
 * the terminal belongs to another job. A terminal that is not our controlling one has no
 * background. */
static void set_if_ours(const struct termios *settings)
{
	pid_t front = tcgetpgrp(state.fd);

	/* TCSANOW: draining the output first could take for ever. */
	if (front < 0 || front == getpgrp())
		tcsetattr(state.fd, TCSANOW, settings);
}

static void deliver(int number)
{
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, number);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

/* Async-signal-safe calls only. */
static void put_back_and_pass_on(int number)
{
	struct sigaction ours;
	int error = errno;

	set_if_ours(&state.as_it_was);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		if (caught[i] == number)
			sigaction(number, &state.before[i], &ours);
	deliver(number);
	/* Continued, or another handler returned. */
	sigaction(number, &ours, NULL);
	if (state.quiet)
		set_if_ours(&state.without_echo);
	errno = error;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = put_back_and_pass_on, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&action.sa_mask, caught[i]);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		sigaction(caught[i], NULL, &state.before[i]);
		if (state.before[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
}

bool quiet_terminal_begin(int fd)
{
	if (tcgetattr(fd, &state.as_it_was) < 0)
		return false;
	state.fd = fd;
	state.without_echo = state.as_it_was;
	state.without_echo.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	state.without_echo.c_cc[VMIN] = 1;
	state.without_echo.c_cc[VTIME] = 0;
	catch_signals();
	state.quiet = true;
	/* In the background this suspends us until we are in the foreground. */
	tcsetattr(fd, TCSAFLUSH, &state.without_echo);
	return true;
}

void quiet_terminal_end(void)
{
	state.quiet = false;
	tcsetattr(state.fd, TCSAFLUSH, &state.as_it_was);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &state.before[i], NULL);
}
