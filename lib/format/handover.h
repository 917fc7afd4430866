/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hand-over page: what the program that restored an image passes to the restored
 * system, and until then what boots that refused it leave for that program. Pure.
 * doc/image-format.md, "Hand-over page".
 */
#ifndef S2DISK_FORMAT_HANDOVER_H
#define S2DISK_FORMAT_HANDOVER_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "format/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDOVER_TEXT_MAX 2300
#define HANDOVER_RECORD_MAX 2048 /* the page has room for these with a few lines of text */
#define HANDOVER_BOOTS_MAX 2048
#define HANDOVER_RANGES_MAX 100
#define HANDOVER_PAGES_MAX 1024 /* in all ranges: everything is frozen meanwhile */

struct handover_range {
	uint64_t first; /* page frame */
	uint64_t count; /* page frames, not 0 */
};

struct handover {
	unsigned char image_id[IMAGE_ID_SIZE];
	uint64_t write_usec;
	uint64_t stream_bytes;
	uint64_t stored_bytes;
	uint64_t load_usec;
	uint64_t attempts;
	/* Page frames to be offlined before user space continues. */
	uint32_t quarantine_count;
	struct handover_range quarantine[HANDOVER_RANGES_MAX];
	char text[HANDOVER_TEXT_MAX + 1]; /* lines; printable */
	/* The boot record of the boot that restores, as text; printable. */
	char record[HANDOVER_RECORD_MAX + 1];
	/* What boots saw that found the image (history/maps/boots_seen.h). */
	unsigned char boots[HANDOVER_BOOTS_MAX];
	uint32_t boots_length;
	bool refused; /* the page is of a boot that did not restore the image */
};

/* Bytes available for boots, given the current text and quarantine. */
size_t handover_boots_room(const struct handover *handover);

/* Bytes available for a record, given the current text, quarantine and boots. */
size_t handover_record_room(const struct handover *handover);

/* Adds a line (printf style); a line that does not fit is dropped. */
void handover_add_line(struct handover *handover, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fills the page; a record or boots that do not fit are dropped. crc: open for DIGEST_CRC32 and
 * fresh, as it is afterwards: no memory can be allocated when this is called. */
void handover_encode(const struct handover *handover, struct digest *crc, unsigned char *page,
		     size_t page_size);

/* -ENODATA: nothing was handed over for this image by a boot that restored it; -EBADMSG:
 * damaged. */
int handover_decode(const unsigned char *page, size_t page_size,
		    const unsigned char image_id[IMAGE_ID_SIZE], struct handover *ret,
		    struct why *w);

/* The same for resume(8): also what a boot left that refused the image. */
int handover_decode_left(const unsigned char *page, size_t page_size,
			 const unsigned char image_id[IMAGE_ID_SIZE], struct handover *ret,
			 struct why *w);

/* Is the page certainly this image's: all zeros, or written for it, damaged or not? */
bool handover_place_is_ours(const unsigned char *page, size_t page_size,
			    const unsigned char image_id[IMAGE_ID_SIZE]);

#endif
