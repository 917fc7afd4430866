/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the checksums and digests of an image valid again after some bytes were changed,
 * so that the reader gets past them. It is written from doc/image-format.md alone, and
 * treats every byte as hostile itself.
 */
#ifndef S2DISK_TESTS_RESEAL_H
#define S2DISK_TESTS_RESEAL_H

#include <stddef.h>

#define RESEAL_PAGE 4096u

enum reseal_part {
	RESEAL_CHUNKS = 1,   /* checksums of extent chunks, digests of the maps */
	RESEAL_BLOCKS = 2,   /* checks in the block table */
	RESEAL_SECTIONS = 4, /* digest of the sections */
	RESEAL_RECORD = 8,   /* digest of the header, checksum of the record */
	RESEAL_ALL = 15,
};

/* device: from its first page (that of the swap area) on. */
void reseal(unsigned char *device, size_t size, unsigned int parts);

#endif
