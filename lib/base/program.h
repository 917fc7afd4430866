/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs another program and waits for it. */
#ifndef S2DISK_BASE_PROGRAM_H
#define S2DISK_BASE_PROGRAM_H

/* Runs it with these arguments (NULL-terminated; the first is its name), no signal
 * blocked, and SIGPIPE at its default. environment NULL: inherit, and search PATH. out: a
 * descriptor for its output, with no input; -1: all inherited. Returns the exit status,
 * 127 if it cannot be run, -EINTR if a signal ended it, or another negative errno. */
int program_run(const char *program, const char *const *arguments, const char *const *environment,
		int out);

#endif
