/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress: a bar with MiB/s and seconds left if stderr is a terminal (not a dumb one; no colours),
 * otherwise a plain line every tenth.
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

/* quiet: keeps the numbers but draws nothing. Registers with the log, so messages do not
 * tear the bar. */
void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet);

/* done bytes of the total so far; draws when due. */
void progress_update(struct progress *progress, uint64_t done);

/* Called at each tenth, to show progress elsewhere too. NULL: no callback. */
void progress_set_also(void (*also)(const char *what, unsigned int percent));

/* Draws the final state and ends the line. */
void progress_end(struct progress *progress);

/* Pure: the bar's text for that state at that time into buffer, at most columns
 * wide (without escapes), e.g.
 * "Writing  [########--------]  52 %  812 MiB  645 MiB/s  2 s left". */
void progress_text(const struct progress *progress, uint64_t now, unsigned int columns,
		   char *buffer, size_t size);

#endif
