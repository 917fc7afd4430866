/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * s2disk --report: an archive of what the checks, the boot record, the history and --last
 * read here, without secrets. Unpacked it is a described system (described.h), of which
 * s2disk --check --root finds what it found here.
 */
#ifndef S2DISK_REPORT_REPORT_H
#define S2DISK_REPORT_REPORT_H

#include "base/why.h"
#include "config/options.h"
#include "preflight/preflight.h"

/* The system to report on. */
struct report_source {
	const struct preflight_system *system;
	const char *root; /* "": this one */
	int (*find_target)(const struct settings *settings, struct swap_area *ret, struct why *w);
	bool describes_machine; /* memory and devices are captured, too */
};

/* Writes it to a file, under a temporary name first, or to standard output if file is "-". Of an
 * invalid configuration the valid part is used. -EISDIR and the like, with the reason in w. */
int report_write(const struct report_source *source, const struct options *options,
		 const char *file, struct why *w);

#endif
