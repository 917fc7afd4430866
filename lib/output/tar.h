/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes POSIX ustar archives (pax(1), "ustar Interchange Format"), with pax extended
 * headers for names that do not fit. Everything belongs to root.
 */
#ifndef S2DISK_BASE_TAR_H
#define S2DISK_BASE_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct tar_member {
	const char *name; /* without a leading slash */
	mode_t mode;	  /* including the type: S_IFREG, S_IFDIR or S_IFLNK */
	uint64_t mtime;	  /* seconds since 1970 */
	const char *link; /* of a symbolic link */
	const void *content;
	size_t size;
};

/* Write errors of out show when it is closed. */
void tar_add(FILE *out, const struct tar_member *member);
void tar_end(FILE *out);

#endif
