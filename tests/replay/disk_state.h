/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk as a power cut may have left it, in memory, and its judge: it must contain valid
 * swap and no image, or a complete image; nothing else.
 */
#ifndef S2DISK_TESTS_DISK_STATE_H
#define S2DISK_TESTS_DISK_STATE_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "image/image_reader.h"
#include "format/signature_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_PAGE 4096u
#define STATE_SECTOR 512u

/* The last sector of the first page is the record's; everything before it stays as mkswap
 * wrote it. */
#define STATE_KEPT (STATE_PAGE - SIGNATURE_RECORD_SIZE)

struct disk_state {
	int fd; /* memory, or a file of the caller's */
	unsigned char *bytes;
	uint64_t size;
	uint64_t area; /* of the swap area's first page, bytes */
	unsigned char kept[STATE_KEPT];
	/* What the image with this id restores, once one has been verified. */
	bool known;
	unsigned char image_id[IMAGE_ID_SIZE], content[SHA256_SIZE];
	uint64_t verified;		/* images that were read completely */
	struct image_unlocker unlocker; /* for sealed ones; none unless it is set */
};

/* The size bytes of a file from `start` on; holes stay holes. */
int disk_state_load(struct disk_state *state, const char *path, uint64_t start, uint64_t size,
		    uint64_t area, struct why *w);

/* Uses an existing file as it is. */
int disk_state_map(struct disk_state *state, int fd, uint64_t size, uint64_t area, struct why *w);

void disk_state_free(struct disk_state *state);

enum disk_kind {
	DISK_SWAP,  /* no image, and the swap header is intact */
	DISK_IMAGE, /* an intact record; the image still has to be verified */
};

/* Classifies a first page; -EBADMSG: neither of the two, w says why. Reads nothing but the page. */
int disk_examine_page(const struct disk_state *state, const unsigned char *page,
		      enum disk_kind *ret, struct signature_record *ret_record, struct why *w);

/* Reads the image with this record from the state, every block, and compares what it
 * would restore with the earlier result. */
int disk_verify_image(struct disk_state *state, const struct signature_record *record,
		      struct why *w);

/* Is the image's hand-over page there and intact? 0; -ENODATA: the image has none, or
 * nothing was handed over. */
int disk_verify_handover(const struct disk_state *state, const struct signature_record *record,
			 struct why *w);

#endif
