/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads an image without changing a byte of its device. */
#ifndef S2DISK_INSPECT_INSPECT_H
#define S2DISK_INSPECT_INSPECT_H

#include "base/why.h"
#include "image/verdict_input.h"
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
	struct verdict_input input;
	bool sealed;
	bool locked; /* sealed, and the key was not asked for: no reader */
	enum aead_kind cipher;
	struct key_slots slots; /* of a sealed image */
	int problem;		/* why there is none: 0 or a negative errno */
	struct why problem_text;
};

/* Opens a block device or a copy of one in a file; offset is that of the area's first page, in
 * bytes. unlock: the source of a sealed image's key; NULL: what needs the key is skipped. A
 * damaged image is not an error: it is reported in ret->problem. Negative errno if the device
 * cannot be read at all. */
int inspect_open(const char *path, const char *name, uint64_t offset, struct image_unlock *unlock,
		 struct inspection *ret, struct why *w);
void inspect_close(struct inspection *inspection);

struct block_statistics {
	uint64_t raw_blocks, lz4_blocks;
	uint64_t stored_bytes; /* without padding */
};

/* Seconds since 1970 as 2026-11-28T08:00:00Z into buffer (40 bytes suffice); returns buffer. */
const char *inspect_time(uint64_t seconds, char *buffer, size_t size);

struct block_statistics inspect_blocks(const struct inspection *inspection);

/* Header, states, statistics, machine and memory map. verdict may be NULL; now: the other
 * machine, if there is one. */
void inspect_print(const struct inspection *inspection, const struct verdict *verdict,
		   const struct platform *now, FILE *out);
int inspect_print_json(const struct inspection *inspection, const struct verdict *verdict,
		       const struct platform *now, bool verified, FILE *out);

#endif
