/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes use a file. */
#ifndef S2DISK_KERNEL_FILE_USERS_H
#define S2DISK_KERNEL_FILE_USERS_H

#include <stddef.h>

/* The processes that have a file of this name (as the kernel shows it below
 * /proc) open or mapped, as "gpg-agent (process 812), …" into who. Returns how
 * many there are; processes that this user may not inspect are not counted. */
size_t file_users_find(const char *root, const char *name, char *who, size_t size);

#endif
