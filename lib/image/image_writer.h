/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes an image: blocks, extents, sections, header page. It becomes an image only when its
 * signature record is written (image_commit.h).
 *
 * Reading the source, compressing on all workers and writing overlap. All memory is allocated by
 * image_writer_create; threads exist only inside image_writer_run, and when it returns, no request
 * is in
 * flight. */
#ifndef S2DISK_IMAGE_IMAGE_WRITER_H
#define S2DISK_IMAGE_IMAGE_WRITER_H

#include "base/why.h"
#include "seal/key_slots.h"
#include "format/page_stream.h"
#include "format/signature_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_writer;

struct image_writer_config {
	int fd; /* block device or file, open for writing, O_DIRECT for speed */
	size_t page_size;
	uint32_t block_size; /* power of two; 0: the default */
	unsigned int
		workers; /* threads that compress, the caller's among them; 0: no others at all */
	uint64_t buffer_bytes; /* memory limit for blocks */
	uint64_t max_stream;   /* bytes of the largest snapshot to expect */
	bool compress;
	int effort; /* as codec_compress takes it; 0: as suits the device and the
		       processors from block to block (1 without threads) */
	/* The most pages of swap to take ahead and sort (page_window.h). 0: the default; 1: none
	 * are sorted. */
	size_t window_pages;
	const char *writer; /* text of the writer section */
	/* Ways to the key of a sealed image, which outlive the writer; NULL: a plain
	 * image is written. Every run makes a key of its own. */
	const struct key_ways *keys;
	enum aead_kind cipher; /* of a sealed image */
};

/* The result of a run, or how far it got. */
struct image_written {
	/* Complete after success, ready to commit. After a failure header_offset says where a
	 * header may have been written (0: none was). */
	struct signature_record record;
	uint64_t stream_size;  /* bytes of the snapshot */
	uint64_t raw_bytes;    /* of it, compressed and placed so far */
	uint64_t stored_bytes; /* on the device, for those, in whole pages */
	uint64_t extents;      /* pieces of the device that the blocks lie in */
	uint64_t usec;
};

/* 0, -EINVAL (w says which setting), -ENOMEM. */
int image_writer_create(const struct image_writer_config *config, struct image_writer **ret,
			struct why *w);

/* Bytes of memory that a writer holds. */
uint64_t image_writer_memory(const struct image_writer *writer);

/* Creates the content of the platform section, once the kernel's header page is known. The bytes
 * remain the maker's until the run ends. 0, or a negative errno, which aborts the run. */
struct platform_maker {
	int (*make)(void *context, const unsigned char *kernel_header, size_t page_size,
		    const void **ret, size_t *ret_size);
	void *context;
};

struct image_writer_run {
	unsigned char image_id[IMAGE_ID_SIZE]; /* never used before */
	uint64_t created;		       /* seconds since 1970 */
	uint64_t handover;		       /* offset of the hand-over page; 0: none */
	uint64_t stream_size;		       /* bytes that the source will give */
	uint64_t room;			       /* bytes that the allocator can give; 0: not known */
	struct page_source source;
	struct page_allocator allocator;
	struct platform_maker platform; /* make may be NULL: no such section */
	struct stream_watch watch;	/* progress may be NULL */
};

/* Writes and flushes. May be called again after a failure, with another id.
 * -ENOSPC: the area is full (ret says how far it got); -ECANCELED and other
 * results of the watch; I/O errors with the place. ret is always filled. */
int image_writer_run(struct image_writer *writer, const struct image_writer_run *run,
		     struct image_written *ret, struct why *w);

/* The key of the image that the last run sealed, for reading it back; NULL when
 * there is none. */
const unsigned char *image_writer_key(const struct image_writer *writer);

/* Wipes it. A run that fails has done so itself. */
void image_writer_forget_key(struct image_writer *writer);

void image_writer_destroy(struct image_writer *writer);

#endif
