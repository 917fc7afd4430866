/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by image_writer.c (the steps of a run, and the header), writer_blocks.c (the snapshot),
 * writer_sections.c (what describes it) and writer_memory.c. */
#ifndef S2DISK_IMAGE_IMAGE_WRITER_PRIVATE_H
#define S2DISK_IMAGE_IMAGE_WRITER_PRIVATE_H

#include "base/memory.h"
#include "format/extents/extent_writer.h"
#include "format/header_page.h"
#include "format/page_ranges.h"
#include "image/image_writer.h"
#include "image/pipeline/block_slot.h"
#include "image/pipeline/effort.h"
#include "image/pipeline/page_window.h"
#include "image/pipeline/transfer.h"
#include "image/pipeline/work_pool.h"
#include "kernel/image_info.h"

struct batch {
	struct transfer transfer;
	unsigned int slots;
	uint64_t raw_bytes;
};

struct image_writer {
	struct image_writer_config config;
	struct arena arena;

	struct block_slot *slots; /* used in turn */
	unsigned int slot_count;
	/* Memory for one block each. A slot has two until it is packed, then one. The one released
	 * last is reused first, since it may still be cached. */
	unsigned char *buffers, **free_buffers;
	unsigned int buffer_count, free_count;
	struct batch batches[BATCHES]; /* used in turn */
	atomic_bool cancel;
	struct page_window window;
	unsigned int workers;
	struct block_worker worker_state[WORK_POOL_WORKERS_MAX];
	void *worker_contexts[WORK_POOL_WORKERS_MAX];
	unsigned char *table; /* encoded entries */
	uint64_t table_entries;
	unsigned char *ranges;
	size_t ranges_size;
	unsigned char *kernel_header, *chunk_page, *header_page;
	void *pack_memory, *write_memory;
	struct digest extent_digest, sections_digest;
	struct seal seal; /* of a sealed image */
	bool have_key;
};

/* The state of one run, used only by the owner's thread. */
struct run {
	struct image_writer *writer;
	const struct image_writer_run *asked;
	struct image_written *result;
	struct why *why;

	struct work_pool pack, write;
	size_t enough; /* blocks that wait for a thread */
	struct effort effort;
	struct extent_writer extents;
	struct range_collector ranges;
	struct image_info info;
	struct image_header header;
	struct page_allocator allocator; /* the caller's, by the window */
	uint64_t header_offset;

	uint64_t read_bytes; /* of the stream */
	uint64_t blocks_read;
	uint64_t blocks_placed;
	uint64_t blocks_written;
	uint64_t written_bytes;	   /* raw bytes whose writes are done */
	unsigned int slots_in_use; /* from read to written */
	unsigned int next_batch;   /* being filled */
	uint64_t last_offset;	   /* of the page placed last, to count extents */
};

/* A page of swap. The run's why says what failed. */
int writer_allocate(struct run *run, uint64_t *ret);

/* Writes the snapshot's blocks and their extents: the header's body, the table, the page ranges and
 * the kernel's header are known then. */
int writer_write_blocks(struct run *run);

/* Writes the sections and their extents: the header's sections. */
int writer_write_sections(struct run *run);

#endif
