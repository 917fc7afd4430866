/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are whole at any time: the old one, or the new one. */
#ifndef S2DISK_BASE_REPLACE_H
#define S2DISK_BASE_REPLACE_H

#include <sys/types.h>

/* Writes a file anew in one step (another name beside it, fsync, rename, fsync of the
 * directory), following links. Owner, mode and extended attributes are those of the file
 * that stood there; of a new file mode is taken. -ENOLINK for a link that leads nowhere,
 * which stays, or another negative errno; then all is as before. */
int replace_file(const char *path, const char *text, mode_t mode);

/* Deletes what a replace_file() that was cut off has left beside the file. */
void replace_tidy(const char *path);

/* Deletes the file, for good: fsync of the directory. One that is not there is no error. */
int replace_unlink(const char *path);

#endif
