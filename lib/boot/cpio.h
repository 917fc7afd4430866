/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads cpio archives of the form "newc" from a stream, file after file. */
#ifndef S2DISK_BOOT_CPIO_H
#define S2DISK_BOOT_CPIO_H

#include <stdint.h>
#include <stdio.h>

struct cpio {
	FILE *file;
	uint64_t position, limit; /* bytes that were taken, and that may be at most */
};

struct cpio_entry {
	char name[4096];
	uint32_t mode, size;
	/* The same for all names of one file, of which the last has its content; 0: it has
	 * one name. */
	uint64_t link;
};

/* file stays the caller's; limit: in bytes from where it stands. */
void cpio_begin(struct cpio *cpio, FILE *file, uint64_t limit);

/* The next byte that is not zero, which is not taken; EOF at the end. */
int cpio_first(struct cpio *cpio);

/* Reads the next header and name. 1: an entry, whose content comes next; 0: the
 * archive's end; -EBADMSG: this is none, or it ends too early; -EFBIG: the limit. */
int cpio_next(struct cpio *cpio, struct cpio_entry *ret);

/* An entry's content: into to, or past it with NULL. 0 or as above. */
int cpio_content(struct cpio *cpio, void *to, uint64_t size);

#endif
