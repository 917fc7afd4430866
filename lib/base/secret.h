/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for keys and passphrases: locked, so that it is never swapped out, not
 * in core dumps, and wiped when it is given back.
 */
#ifndef S2DISK_BASE_SECRET_H
#define S2DISK_BASE_SECRET_H

#include <stddef.h>

/* size bytes of zeros, in pages of their own. NULL with errno set: no memory,
 * or it cannot be locked. */
void *secret_alloc(size_t size);

/* Wipes and gives back what secret_alloc gave for that size. Harmless on NULL. */
void secret_free(void *memory, size_t size);

/* Zeros that the compiler does not leave out. */
void secret_wipe(void *memory, size_t size);

/* No core dump of this process, and no other process may look into it (but
 * root's, which may do anything). Memory of a hibernating machine passes
 * through it. Call it first in main. */
void secret_process(void);

#endif
