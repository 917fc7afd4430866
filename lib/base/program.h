/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another program, run to its end. */
#ifndef S2DISK_BASE_PROGRAM_H
#define S2DISK_BASE_PROGRAM_H

/* Runs it with these arguments (NULL ends them; the first is its name), no signal blocked,
 * and SIGPIPE answered as usual. environment NULL: this one's, and the program is looked for in
 * PATH. out: what it says goes there, and it reads nothing; -1: all as here. The exit status,
 * 127 where it cannot be run, -EINTR when a signal ended it, or another negative errno. */
int program_run(const char *program, const char *const *arguments, const char *const *environment,
		int out);

#endif
