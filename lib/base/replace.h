/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces files atomically: a reader sees the old one or the new one. */
#ifndef S2DISK_BASE_REPLACE_H
#define S2DISK_BASE_REPLACE_H

#include <sys/types.h>

/* Replaces a file in one step (temporary file beside it, fsync, rename, fsync of the
 * directory), following links. Owner, mode and extended attributes are those of the old
 * file; a new file gets mode. -ENOLINK for a dangling link, which stays, or another
 * negative errno; then nothing has changed. */
int replace_file(const char *path, const char *text, mode_t mode);

/* Deletes the temporary file of an interrupted replace_file(). */
void replace_tidy(const char *path);

/* Deletes the file durably (fsync of the directory). Not an error if there is none. */
int replace_unlink(const char *path);

#endif
