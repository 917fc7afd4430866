/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads cpio archives of the form "newc" from a stream, file after file. */
#ifndef S2DISK_BOOT_CPIO_H
#define S2DISK_BOOT_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio {
	int fd;
	uint64_t position; /* of the next byte, from where the reader began */
	uint64_t unread;   /* bytes that may still be read from fd */
	size_t start, end; /* of what is in the buffer */
	uint64_t deadline; /* of now_usec(); 0: none, as cpio_begin() has it */
	bool stopped;	   /* it did not end, but the deadline was reached */
	unsigned char buffer[65536];
};

struct cpio_entry {
	char name[1024];
	uint32_t mode;
	/* Several names may be one file; then only the last of them has its content. */
	uint32_t links;
	uint32_t file[3]; /* inode and device, the same for one file */
	uint64_t size;
};

/* limit: where it ends at the latest, in bytes from here. */
void cpio_begin(struct cpio *cpio, int fd, uint64_t limit);

/* The next bytes without taking them; fewer at the end. At most 512. */
size_t cpio_peek(struct cpio *cpio, unsigned char *to, size_t size);

/* Takes zero bytes for as long as they come. */
void cpio_skip_zeros(struct cpio *cpio);

/* Reads the next header and name. 1: an entry, whose content comes next; 0: the
 * archive's end; -EBADMSG: this is none, or it ends too early. */
int cpio_next(struct cpio *cpio, struct cpio_entry *ret);

/* The entry's content: into to (size bytes), or past it with NULL. 0, -EBADMSG. */
int cpio_content(struct cpio *cpio, const struct cpio_entry *entry, void *to);

#endif
