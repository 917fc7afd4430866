/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signature record: the last 512 bytes of a swap area's first page while
 * an image is there. Pure. doc/image-format.md, "Signature record".
 */
#ifndef S2DISK_FORMAT_SIGNATURE_RECORD_H
#define S2DISK_FORMAT_SIGNATURE_RECORD_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "format/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_RECORD_SIZE 512

enum image_state {
	IMAGE_COMMITTED = 1,
};

struct signature_record {
	uint32_t page_size;
	unsigned char image_id[IMAGE_ID_SIZE];
	uint64_t header_offset; /* bytes on the device */
	uint32_t state;
	uint32_t attempts;
	uint64_t created; /* seconds since 1970 */
	unsigned char header_digest[SHA256_SIZE];
	uint32_t refusals;     /* how often the image was kept for another boot … */
	uint32_t vetoes;       /* … how often because a boot could not restore it … */
	uint32_t damages;      /* … or read it and found it damaged … */
	uint32_t map_refusals; /* … or had another memory map; each in one of them only */
	/* Of the hand-over page, bytes on the device, as the header has it, for an image that is
	 * discarded unread; 0: not known. A hint: not checked here. */
	uint64_t handover;
};

/* How often the image was refused, for the memory map or for other reasons. */
static inline uint64_t signature_record_refusals(const struct signature_record *record)
{
	return (uint64_t)record->refusals + record->map_refusals;
}

/* Does this page have a record of ours, intact or not? (its magic, followed by either signature) */
bool signature_record_present(const unsigned char *page, size_t page_size);

/* 0; -EBADMSG (damaged) or -ENOTSUP (too new: the checksum, whose place is the same in
 * every version, is right) with the reason. */
int signature_record_decode(const unsigned char *page, size_t page_size,
			    struct signature_record *ret, struct why *w);

/* Puts the record into the first page of a swap area and saves the area's signature as
 * the original one. -EINVAL if the page is not a swap header or its list of bad pages
 * overlaps the record (page unchanged); -ENOMEM. */
int signature_record_encode(const struct signature_record *record, unsigned char *page,
			    size_t page_size, struct why *w);

#endif
