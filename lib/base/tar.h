/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes archives in the form of POSIX' ustar (pax(1), "ustar Interchange Format"), with
 * pax' extended headers for names that do not fit. All belongs to root.
 */
#ifndef S2DISK_BASE_TAR_H
#define S2DISK_BASE_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct tar_member {
	const char *name; /* without a slash in front */
	mode_t mode;	  /* with the kind: S_IFREG, S_IFDIR or S_IFLNK */
	uint64_t mtime;	  /* seconds since 1970 */
	const char *link; /* of a symbolic link */
	const void *content;
	size_t size;
};

/* Whether out took it all is known when it is closed. */
void tar_add(FILE *out, const struct tar_member *member);
void tar_end(FILE *out);

#endif
