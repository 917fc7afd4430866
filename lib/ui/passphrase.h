/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks for a passphrase, by the first of these that is there:
 *
 * - standard input, where it is a pipe, a socket or a file: a line of it;
 * - systemd's agents, where systemd runs and standard input is no terminal;
 * - Plymouth, where it shows its screen;
 * - the terminal on standard input, or else the console, without echo.
 */
#ifndef S2DISK_UI_PASSPHRASE_H
#define S2DISK_UI_PASSPHRASE_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>

/* Longest passphrase, and the memory for it with its zero byte. */
#define PASSPHRASE_MAX 511u
#define PASSPHRASE_SIZE 512u

/* Where to ask; tests use other places. */
struct passphrase_places {
	int input;		       /* standard input */
	int output;		       /* standard error: where input cannot be written to */
	const char *systemd_directory; /* exists if systemd's agents can be asked */
	const char *systemd_program;   /* systemd-ask-password */
	const char *plymouth_program;
	const char *console;
};

extern const struct passphrase_places passphrase_system;

/* Asks once, without echo. prompt is one line without a trailing colon; seconds: timeout
 * for systemd's agents, 0: none. buffer (PASSPHRASE_SIZE bytes) is locked memory of the
 * caller, and gets a terminating zero byte. 0; -ENOKEY: no answer, or no way to ask;
 * -ECANCELED: the user cancelled; -E2BIG: more than PASSPHRASE_MAX bytes. */
int passphrase_ask(const struct passphrase_places *places, const char *prompt, unsigned int seconds,
		   char *buffer, size_t *ret_length, struct why *w);

/* Does a running program wait for the answer to a question that it asked through systemd's agents
 * (root/run/systemd/ask-password)? */
bool passphrase_is_asked(const char *root);

/* Does a person answer, who may mistype? Not if it is a pipe. */
bool passphrase_typed(const struct passphrase_places *places);

#endif
