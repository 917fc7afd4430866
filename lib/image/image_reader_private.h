/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by image_reader.c (the steps of opening, and the header), reader_blocks.c (the snapshot),
 * reader_sections.c (what describes it) and reader_memory.c. */
#ifndef S2DISK_IMAGE_IMAGE_READER_PRIVATE_H
#define S2DISK_IMAGE_IMAGE_READER_PRIVATE_H

#include "base/memory.h"
#include "crypto/crypto.h"
#include "format/extents/extent_reader.h"
#include "image/image_reader.h"
#include "image/pipeline/block_slot.h"
#include "image/pipeline/transfer.h"
#include "image/pipeline/work_pool.h"

struct image_reader {
	struct image_reader_config config;
	struct signature_record record;
	struct header_front front; /* points into page */
	struct arena page_memory, sections_memory;
	unsigned char *page; /* one page for headers and chunks */
	struct digest digest;
	struct image_header header;
	struct sections sections;
	struct extent_reader body; /* at its beginning, checked */
	struct seal seal;	   /* of a sealed image */
};

/* The most blocks of a thread that wait for their turn. With one, it would sleep whenever the block
 * before its own takes a little longer; with few, whenever a reading thread preempts the one whose
 * turn it is. */
#define BLOCKS_HELD 8

struct batch {
	struct transfer transfer;
	struct iovec memory;
	uint64_t end; /* the block after its last */
	int error;    /* of reading, and its message */
	struct why why;
	bool ready; /* under the lock: its blocks may be taken */
};

/* A block that a thread has taken and not handed on yet. */
struct held_block {
	struct block_slot slot;
	struct batch *batch;
};

struct unpacker {
	struct load *load;
	struct block_worker worker;
	struct held_block blocks[BLOCKS_HELD]; /* used in turn */
	uint64_t taken, handed_on;	       /* counters that only grow */
	pthread_cond_t wake;
	bool waiting; /* under the lock of the load */
};

struct load {
	struct image_reader *reader;
	const struct page_sink *sink;
	const unsigned char *first_page;
	const struct stream_watch *watch;
	struct why *why; /* set by the thread whose turn it is */
	uint64_t sunk_bytes;

	struct arena arena;
	size_t batch_bytes;	       /* of a full batch */
	struct batch batches[BATCHES]; /* used in turn */
	bool serial;		       /* no threads at all */
	unsigned int threads;	       /* that unpack, the caller's among them, */
	unsigned int held_max;	       /* and have up to this many blocks each */
	struct unpacker unpackers[WORK_POOL_WORKERS_MAX];
	void *contexts[WORK_POOL_WORKERS_MAX];
	void *unpack_memory, *read_memory;
	struct work_pool read, unpack;
	atomic_bool cancel;

	pthread_mutex_t plan_lock; /* requests are made in the order of blocks */
	uint64_t next_read;	   /* block to be read next */
	uint64_t next_batch;

	pthread_mutex_t lock;  /* everything below */
	pthread_cond_t room;   /* for another batch */
	uint64_t next_unpack;  /* block to be taken next, */
	uint64_t unpack_batch; /* the number of its batch, */
	size_t unpack_at;      /* and its place there */
	uint64_t next_sink;    /* block whose turn it is */
	/* Who has block n, at index n modulo the number of blocks in flight. */
	struct unpacker *holders[WORK_POOL_WORKERS_MAX * BLOCKS_HELD];
	uint64_t batches_done;
	bool stopping;
	int error;
};

/* Walks through the body's map and goes back to its beginning. */
int reader_check_body(struct image_reader *reader, struct why *w);

/* Reads the sections and checks them, also against each other and the header. */
int reader_read_sections(struct image_reader *reader, struct why *w);

/* All that loading needs, and what the memory allows: threads, blocks of each, bytes of a batch. */
int load_create(struct image_reader *reader, struct load **ret, struct why *w);
void load_destroy(struct load *load);

#endif
