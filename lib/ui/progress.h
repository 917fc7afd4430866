/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far it is: a bar with MiB/s and seconds left where stderr is a terminal
 * (not a dumb one; no colours), plain lines every tenth otherwise.
 *
 * No memory is allocated and no file is opened after progress_begin: it runs
 * while user space is frozen. The terminal is never waited for.
 */
#ifndef S2DISK_UI_PROGRESS_H
#define S2DISK_UI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	char what[64];
	uint64_t total; /* bytes */
	uint64_t done;
	uint64_t begun; /* usec, monotonic */
	uint64_t drawn; /* when last drawn */
	unsigned int tenth;
	unsigned int columns;
	bool bar;
	bool quiet;
};

/* quiet: keeps the numbers but draws nothing. Registers itself with the log so
 * that messages do not tear the bar. */
void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet);

/* done bytes of the total so far; draws when it is time to. */
void progress_update(struct progress *progress, uint64_t done);

/* Called with each tenth that is done, for another place where people look. NULL:
 * nobody. */
void progress_set_also(void (*also)(const char *what, unsigned int percent));

/* Draws the last state and ends the line. */
void progress_end(struct progress *progress);

/* Pure: the bar's text for that state at that time into buffer, at most columns
 * wide (without escapes), e.g.
 * "Writing  [########--------]  52 %  812 MiB  645 MiB/s  2 s left". */
void progress_text(const struct progress *progress, uint64_t now, unsigned int columns,
		   char *buffer, size_t size);

#endif
