/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads an image. Opening it verifies everything that describes it (header, sections, extents,
 * block table); loading verifies each block before a byte of it is handed on. All input is
 * considered hostile.
 *
 * Reading ahead, checking and unpacking on all workers and handing pages to
 * the sink overlap; the worker that unpacked a block hands it on, in its turn.
 * Threads exist only inside
 * image_reader_load. */
#ifndef S2DISK_IMAGE_IMAGE_READER_H
#define S2DISK_IMAGE_IMAGE_READER_H

#include "base/why.h"
#include "format/header_page.h"
#include "seal/key_slots.h"
#include "format/page_stream.h"
#include "format/sections.h"
#include "format/signature_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_reader;

/* Finds the key of a sealed image: asks for a passphrase, reads a file. 0 with the key (in locked
 * memory), -EKEYREJECTED or another negative errno with a message. */
struct image_unlocker {
	int (*unlock)(void *context, const struct key_slots *slots,
		      unsigned char key[IMAGE_KEY_SIZE], struct why *w);
	void *context;
};

struct image_reader_config {
	int fd; /* block device or file, O_DIRECT for speed */
	size_t page_size;
	uint64_t device_bytes;
	unsigned int
		workers; /* threads that unpack, the caller's among them; 0: no others at all */
	uint64_t buffer_bytes;		/* memory limit for blocks */
	struct image_unlocker unlocker; /* unlock may be NULL: plain images only */
	bool sealed_only;		/* refuse plain images */
};

/* 0; -EBADMSG: damaged or forged, -ENOTSUP: needs a newer version, -ENOKEY: it is
 * sealed and there is no unlocker, -EKEYREJECTED: no key was found, or it is
 * plain and must not be; -EIO and the like: cannot be read; w says what and
 * where. A sealed image's header is authenticated before its numbers are used. */
int image_reader_open(const struct image_reader_config *config,
		      const struct signature_record *record, struct image_reader **ret,
		      struct why *w);

/* Both belong to the reader. */
const struct image_header *image_reader_header(const struct image_reader *reader);
const struct sections *image_reader_sections(const struct image_reader *reader);

/* Bytes that the blocks take on the device, in whole pages. */
uint64_t image_reader_stored_bytes(const struct image_reader *reader);

/* Bytes of memory that the reader holds for blocks while it loads. */
uint64_t image_reader_memory(const struct image_reader *reader);

/* Hands the whole stream to the sink, in order. first_page replaces the stream's first page (NULL:
 * unchanged). An error of the sink is returned unchanged, with the byte of the stream in w. */
int image_reader_load(struct image_reader *reader, const struct page_sink *sink,
		      const unsigned char *first_page, const struct stream_watch *watch,
		      struct why *w);

/* Reads the header page that the record names and parses what is not sealed: page is page_size
 * bytes of aligned memory, and ret points into it. Errors as of image_reader_open. */
int image_read_front(const struct image_reader_config *config,
		     const struct signature_record *record, unsigned char *page,
		     struct header_front *ret, struct why *w);

/* Wipes the keys of a sealed image. It cannot be loaded any more. */
void image_reader_forget_keys(struct image_reader *reader);

void image_reader_close(struct image_reader *reader);

#endif
