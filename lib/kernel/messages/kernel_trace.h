/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces in the kernel's messages, from "cut here" to "end trace", forty lines each: a
 * new one is kept whole, a repeated one is cut to a line, and so is one that is known to
 * be harmless. Pure.
 */
#ifndef S2DISK_KERNEL_KERNEL_TRACE_H
#define S2DISK_KERNEL_KERNEL_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#define KERNEL_TRACES_KNOWN 8

struct kernel_traces {
	char seen[KERNEL_TRACES_KNOWN][120]; /* places in the kernel's source */
	size_t count;
	enum { TRACE_NONE, TRACE_BEGINS, TRACE_SHOWN, TRACE_HIDDEN } state;
	unsigned int lines; /* of this trace */
};

enum kernel_trace_line {
	KERNEL_LINE_SHOW,     /* print as it is */
	KERNEL_LINE_HIDE,     /* part of a trace that is hidden */
	KERNEL_LINE_AGAIN,    /* start of a repeated trace: print only this line */
	KERNEL_LINE_HARMLESS, /* *ret_what explains it; the rest will be hidden */
};

/* What to do with the next message, in order. level: the kernel's, 0 to 7. ret_what: a
 * sentence, with KERNEL_LINE_HARMLESS. */
enum kernel_trace_line kernel_trace_look(struct kernel_traces *traces, const char *message,
					 unsigned int level, const char **ret_what);

#endif
