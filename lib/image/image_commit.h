/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signature page of a swap area: writing it commits an image or turns it back into swap. Each
 * step is one write of that page (only its last sector changes), flushed and read
 * back. */
#ifndef S2DISK_IMAGE_IMAGE_COMMIT_H
#define S2DISK_IMAGE_IMAGE_COMMIT_H

#include "base/memory.h"
#include "base/why.h"
#include "format/signature_record.h"
#include "format/swap_signature.h"

#include <stdbool.h>
#include <stdint.h>

/* The first page of a swap area, on its device. */
struct signature_page {
	int fd;		 /* open for reading, for changes also for writing */
	uint64_t offset; /* of the page, bytes on the device */
	size_t size;	 /* page size */
	struct arena memory;
	unsigned char *page;	/* as read last */
	unsigned char *scratch; /* for reading, and reading back */
	unsigned char *again;	/* for reading a second time */
};

/* Allocates memory and reads the page. */
int signature_page_open(struct signature_page *sp, int fd, uint64_t offset, size_t page_size,
			struct why *w);
void signature_page_close(struct signature_page *sp);

/* Reads it until two reads agree: the whole page is written back with a signature, so a bit error
 * while reading would become permanent. */
int signature_page_read(struct signature_page *sp, struct why *w);

/* Commits: writes the record. The page must be a swap header's. On failure the record may be on the
 * disk anyway: call image_clear. */
int image_commit(struct signature_page *sp, const struct signature_record *record, struct why *w);

/* Restores the swap signature: to invalidate an image, to consume it before a restore, or to
 * discard it. Works on a damaged record too. */
int image_clear(struct signature_page *sp, struct why *w);

/* The same for an image of the kernel's own, which image_clear does not touch. 0 also if there is
 * none any more. */
int image_clear_kernels(struct signature_page *sp, struct why *w);

/* Replaces the record of the image there, with other counters. */
int image_update_record(struct signature_page *sp, const struct signature_record *record,
			struct why *w);

/* The header page of a sealed image. Its key slots must not outlive the image. */
struct sealed_header {
	struct arena memory;
	unsigned char *page;  /* as it is on the disk; NULL: nothing to wipe */
	unsigned char *zeros; /* what is written over it */
	uint64_t offset;
	bool wiped; /* or may be */
};

/* Allocates the memory for wiping and reads the header page that the record names. Ignores a page
 * that is not the header of a sealed image of this id, since the record may be forged. Does nothing
 * the second time. */
int sealed_header_prepare(struct sealed_header *header, int fd, size_t page_size,
			  const struct signature_record *record, struct why *w);

/* Overwrites it with zeros and flushes; prepares first if necessary. After a failure it can be
 * called again. */
int sealed_header_wipe(struct sealed_header *header, int fd, size_t page_size,
		       const struct signature_record *record, struct why *w);

/* Writes it back, if it was wiped and the image is kept after all. */
int sealed_header_put_back(const struct sealed_header *header, int fd, size_t page_size,
			   struct why *w);

/* Harmless on a zeroed struct. */
void sealed_header_free(struct sealed_header *header);

#endif
