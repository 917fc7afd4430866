/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at an image without changing a byte of the device that it is on. */
#ifndef S2DISK_INSPECT_INSPECT_H
#define S2DISK_INSPECT_INSPECT_H

#include "base/why.h"
#include "image/image_machine.h"
#include "image/image_reader.h"
#include "config/image_keys.h"
#include "format/swap_signature.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct inspection {
	char name[256];
	uint64_t area_offset; /* bytes */
	size_t page_size;     /* by which its signature was found */
	enum swap_signature_kind kind;
	bool header_known; /* the first page is that of a swap area */
	struct swap_header header;
	bool record_present;
	struct signature_record record; /* valid where reader is not NULL */
	int fd;
	struct image_reader *reader; /* NULL: no sound image of ours */
	struct image_machine machine;
	bool sealed;
	bool locked; /* sealed, and nobody was asked for the key: no reader */
	enum aead_kind cipher;
	struct key_slots slots; /* of a sealed image */
	int problem;		/* why there is none: 0 or a negative errno */
	struct why problem_text;
};

/* Looks at a block device or a copy of one in a file; offset is that of the
 * area's first page, in bytes. unlock: where a sealed image's key comes from;
 * NULL: what needs it is not looked at. An image that is damaged is no error: it is in
 * ret->problem. Negative errno when the device cannot be read at all. */
int inspect_open(const char *path, const char *name, uint64_t offset, struct image_unlock *unlock,
		 struct inspection *ret, struct why *w);
void inspect_close(struct inspection *inspection);

struct block_statistics {
	uint64_t raw_blocks, lz4_blocks;
	uint64_t stored_bytes; /* without padding */
};

struct block_statistics inspect_blocks(const struct inspection *inspection);

/* Header, states, statistics, machine and memory map. verdict may be NULL; now
 * is the other machine, where there is one. */
void inspect_print(const struct inspection *inspection, const struct verdict *verdict,
		   const struct platform *now, FILE *out);
int inspect_print_json(const struct inspection *inspection, const struct verdict *verdict,
		       const struct platform *now, bool verified, FILE *out);

#endif
