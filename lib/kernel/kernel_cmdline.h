/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel command line says about hibernation. */
#ifndef S2DISK_KERNEL_KERNEL_CMDLINE_H
#define S2DISK_KERNEL_KERNEL_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_cmdline {
	char resume[256];	/* resume=, without "swap:" or "file:" in front; "" when absent */
	uint64_t resume_offset; /* resume_offset=, pages */
	bool noresume;	     /* noresume, hibernate=noresume, and anything that sets nohibernate */
	bool nohibernate;    /* nohibernate, or hibernate=no */
	char bad_offset[64]; /* a resume_offset= that is not a number, for a message; otherwise ""
			      */
};

/* Pure: parses a command line as the kernel does (words are separated by white space,
 * double quotes protect it, '-' and '_' are equal in a name, the last of several wins,
 * "--" ends it). */
void kernel_cmdline_parse(const char *text, struct kernel_cmdline *ret);

/* Reads root/proc/cmdline. 0 or a negative errno. */
int kernel_cmdline_read(const char *root, struct kernel_cmdline *ret);

#endif
