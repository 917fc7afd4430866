/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internals of an image writer, for the files that implement it. */
#ifndef S2DISK_IMAGE_IMAGE_WRITER_PRIVATE_H
#define S2DISK_IMAGE_IMAGE_WRITER_PRIVATE_H

#include "base/memory.h"
#include "image/pipeline/block_slot.h"
#include "image/image_writer.h"
#include "image/page_window.h"
#include "image/pipeline/transfer.h"
#include "image/pipeline/work_pool.h"

/* A batch may hold this many times its size in bytes of the snapshot, so that it is full at 2:1;
 * and this share of the slots, so that some are left for the workers. */
#define BATCH_RAW 2
#define BATCH_SLOTS_SHARE 4

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

#endif
