/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for keys and passphrases: locked (never swapped out), left out of core dumps,
 * and wiped when freed.
 */
#ifndef S2DISK_BASE_SECRET_H
#define S2DISK_BASE_SECRET_H

#include <stddef.h>

/* size zeroed bytes in pages of their own. NULL with errno set: no memory, or it cannot
 * be locked. */
void *secret_alloc(size_t size);

/* Wipes and frees what secret_alloc returned for that size. Harmless on NULL. */
void secret_free(void *memory, size_t size);

/* Zeroes memory; the compiler cannot drop it. */
void secret_wipe(void *memory, size_t size);

/* No core dump of this process, and no other process may read its memory (except root's).
 * The memory of a hibernating machine passes through it. Call it first in main. */
void secret_process(void);

#endif
