/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/abort_watch.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#define ASKED_BY_KEY (-1)

enum answer {
	STOP,		     /* the signal is a request to stop */
	STOP_UNLESS_IGNORED, /* the same, unless the caller had it ignored */
	IGNORE,
};

static const struct {
	int number;
	enum answer answer;
	const char *reason;
} watched[] = {
	{ SIGINT, STOP_UNLESS_IGNORED, "interrupted by SIGINT" },
	{ SIGQUIT, STOP_UNLESS_IGNORED, "interrupted by SIGQUIT" },
	{ SIGHUP, STOP_UNLESS_IGNORED, "interrupted by SIGHUP" },
	{ SIGTERM, STOP, "interrupted by SIGTERM" },
	{ SIGPIPE, IGNORE, NULL },
	{ SIGTSTP, IGNORE, NULL },
	{ SIGTTIN, IGNORE, NULL },
	{ SIGTTOU, IGNORE, NULL },
};

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static struct {
	bool active;
	bool keys; /* the terminal was switched to single keys */
	struct sigaction before[WATCHED];
	struct termios terminal;
} state;

/* Written by the handler, which may run in any thread. */
static atomic_int asked_by;

static void ask(int by)
{
	int none = 0;

	/* The first one counts. */
	atomic_compare_exchange_strong(&asked_by, &none, by);
}

static bool in_foreground(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void keys_begin(void)
{
	struct termios single;

	if (!in_foreground() || tcgetattr(STDIN_FILENO, &state.terminal) != 0)
		return;
	single = state.terminal;
	single.c_lflag &= (tcflag_t) ~(tcflag_t)(ICANON | ECHO);
	single.c_cc[VMIN] = 0; /* read() returns at once, with nothing if there is nothing */
	single.c_cc[VTIME] = 0;
	/* TCSANOW: draining the output first could take for ever. */
	state.keys = tcsetattr(STDIN_FILENO, TCSANOW, &single) == 0;
}

static void keys_end(void)
{
	/* Another job's terminal settings are not ours to change. */
	if (state.keys && in_foreground())
		tcsetattr(STDIN_FILENO, TCSANOW, &state.terminal);
	state.keys = false;
}

/* Reads the keys that were pressed since the last call. */
static void keys_read(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 0x7f || keys[i] == '\b')
			ask(ASKED_BY_KEY);
}

void abort_watch_begin(void)
{
	if (state.active)
		return;
	state.active = true;
	atomic_store(&asked_by, 0);
	for (size_t i = 0; i < WATCHED; i++) {
		/* Calls continue after the handler; the main loop asks abort_requested(). */
		struct sigaction action = { .sa_flags = SA_RESTART };

		sigemptyset(&action.sa_mask);
		action.sa_handler = watched[i].answer == IGNORE ? SIG_IGN : ask;
		sigaction(watched[i].number, NULL, &state.before[i]);
		if (watched[i].answer != STOP_UNLESS_IGNORED ||
		    state.before[i].sa_handler != SIG_IGN)
			sigaction(watched[i].number, &action, NULL);
	}
	keys_begin();
}

const char *abort_requested(void)
{
	int by;

	if (state.keys)
		keys_read();
	by = atomic_load(&asked_by);
	if (by == ASKED_BY_KEY)
		return "interrupted by Backspace";
	for (size_t i = 0; i < WATCHED; i++)
		if (watched[i].number == by)
			return watched[i].reason;
	return NULL;
}

void abort_watch_end(void)
{
	if (!state.active)
		return;
	/* The terminal first, since that may raise SIGTTOU. */
	keys_end();
	for (size_t i = 0; i < WATCHED; i++)
		sigaction(watched[i].number, &state.before[i], NULL);
	state.active = false;
}
