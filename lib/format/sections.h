/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the sections in the sections stream of an image. Pure. */
#ifndef S2DISK_FORMAT_SECTIONS_H
#define S2DISK_FORMAT_SECTIONS_H

#include "base/why.h"
#include "format/format.h"

#include <stddef.h>
#include <stdint.h>

#define SECTION_HEADER_SIZE 16

struct section {
	const unsigned char *data; /* NULL: missing */
	size_t size;
};

struct sections {
	struct section kernel_header;
	struct section page_ranges;
	struct section block_table;
	struct section platform; /* optional */
	struct section writer;	 /* optional */
};

/* Bytes that a section of that length takes in the stream. */
static inline uint64_t section_footprint(uint64_t length)
{
	return SECTION_HEADER_SIZE + (length + 7) / 8 * 8;
}

void section_header_encode(unsigned char *at, enum section_type type, uint32_t flags,
			   uint64_t length);

/* Walks the stream. Unknown types are skipped unless they are critical (-ENOTSUP).
 * -EBADMSG: a length out of bounds, a duplicate section, a missing one. */
int sections_parse(const unsigned char *stream, size_t size, struct sections *ret, struct why *w);

#endif
