/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the blocks of an image. Reading threads read ahead. All others each take the next block,
 * unpack it, and hand it to the sink themselves when its turn comes, while it is still in the
 * caches of their processor. Until then they unpack more
 * blocks. */
#include "image/image_reader.h"

#include "base/bytes.h"
#include "image/pipeline/block_slot.h"
#include "image/image_reader_private.h"
#include "image/pipeline/transfer.h"
#include "image/pipeline/work_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

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
	struct why unheard;
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

/* Half of the memory is for unpacked blocks. */
static uint64_t raw_blocks(const struct image_reader *reader)
{
	return max_u64(reader->config.buffer_bytes / 2 / reader->header.block_size, 1);
}

static unsigned int count_threads(const struct image_reader *reader)
{
	uint64_t most = min_u64(raw_blocks(reader), WORK_POOL_WORKERS_MAX);

	return (unsigned int)min_u64(max_u64(reader->config.workers, 1), most);
}

static unsigned int count_held(const struct image_reader *reader)
{
	/* The serial twin never waits for its turn. */
	if (count_threads(reader) == 1)
		return 1;
	return (unsigned int)min_u64(raw_blocks(reader) / count_threads(reader), BLOCKS_HELD);
}

static uint64_t raw_memory(const struct image_reader *reader)
{
	return (uint64_t)count_threads(reader) * count_held(reader) * reader->header.block_size;
}

static size_t full_batch(const struct image_reader *reader)
{
	uint64_t block = reader->header.block_size, page = reader->config.page_size;
	uint64_t raw = raw_memory(reader);
	uint64_t left = reader->config.buffer_bytes > raw ? reader->config.buffer_bytes - raw : 0;
	uint64_t each = left / BATCHES;

	/* The last block may exceed the limit by its whole size. */
	each = each > block ? (each - block) / page * page : 0;
	return (size_t)max_u64(page, min_u64(each, BATCH_BYTES));
}

uint64_t image_reader_memory(const struct image_reader *reader)
{
	uint64_t block = reader->header.block_size;

	return BATCHES * (full_batch(reader) + block) + raw_memory(reader);
}

static int take_unpacker(struct load *load, unsigned int number)
{
	struct unpacker *unpacker = &load->unpackers[number];
	const struct image_reader *reader = load->reader;
	int r;

	unpacker->load = load;
	for (unsigned int i = 0; i < load->held_max; i++)
		unpacker->blocks[i].slot.raw = arena_take(&load->arena, reader->header.block_size);
	load->contexts[number] = unpacker;
	r = block_worker_init(&unpacker->worker, &load->arena, false, reader->config.page_size,
			      reader->header.cipher);
	if (r == 0 && header_sealed(&reader->header))
		r = block_worker_key(&unpacker->worker, &reader->seal);
	return r;
}

static int take_memory(struct load *load)
{
	const struct image_reader_config *c = &load->reader->config;
	uint32_t block_size = load->reader->header.block_size;
	size_t batch_memory = load->batch_bytes + block_size;
	size_t batch_pages = batch_memory / c->page_size;
	size_t extent_array = batch_pages * sizeof(struct extent);
	size_t unpack_memory = work_pool_memory(load->threads, load->threads);
	size_t read_memory = work_pool_memory(TRANSFER_THREADS, TRANSFER_THREADS);
	size_t total = BATCHES * (batch_memory + extent_array) + (size_t)raw_memory(load->reader) +
		       unpack_memory + read_memory + (64 + 2 * load->threads) * c->page_size;
	int r = arena_create(&load->arena, total);

	for (unsigned int i = 0; r == 0 && i < load->threads; i++)
		r = take_unpacker(load, i);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < BATCHES; i++) {
		struct batch *batch = &load->batches[i];

		batch->memory.iov_base = arena_take(&load->arena, batch_memory);
		batch->transfer = (struct transfer){
			.fd = c->fd,
			.page_size = c->page_size,
			.cancel = &load->cancel,
			.pieces = &batch->memory,
			.piece_max = 1,
			.extents = arena_take(&load->arena, extent_array),
			.extent_max = batch_pages,
		};
	}
	load->unpack_memory = arena_take(&load->arena, unpack_memory);
	load->read_memory = arena_take(&load->arena, read_memory);
	return load->read_memory ? 0 : -ENOMEM;
}

/* Adds the extents of the next block to a read request. */
static int add_block(struct load *load, struct batch *batch, size_t *bytes)
{
	struct image_reader *reader = load->reader;
	size_t page = reader->config.page_size;
	struct block_entry entry =
		block_table_entry(reader->sections.block_table.data, load->next_read);
	uint64_t pages = stored_pages(entry.stored_size, page);

	*bytes += (size_t)(pages * page);
	while (pages > 0) {
		struct extent extent;
		int r = extent_reader_next(&reader->body, pages, &extent, &batch->why);

		if (r < 0)
			return r == -ENODATA
				       ? why_damaged(&batch->why, "the body's map ends too early")
				       : r;
		if (!transfer_add_extent(&batch->transfer, extent))
			return -ENOBUFS;
		pages -= extent.pages;
	}
	load->next_read++;
	return 0;
}

/* Which blocks a request reads, and from where. */
static void plan_batch(struct load *load, struct batch *batch)
{
	uint64_t blocks = load->reader->header.blocks;
	size_t bytes = 0;

	transfer_reset(&batch->transfer);
	batch->error = 0;
	batch->why = (struct why){ 0 };
	while (batch->error == 0 && load->next_read < blocks && bytes < load->batch_bytes)
		batch->error = add_block(load, batch, &bytes);
	/* Nothing is read after a failure. */
	if (batch->error < 0)
		load->next_read = blocks;
	else if (!transfer_add_memory(&batch->transfer, batch->memory.iov_base, bytes))
		batch->error = -ENOBUFS;
	batch->end = load->next_read;
}

static void run_batch(struct batch *batch, uint64_t first)
{
	transfer_run(NULL, &batch->transfer);
	if (batch->transfer.error < 0)
		batch->error = why(&batch->why, batch->transfer.error,
				   "block %" PRIu64 " to %" PRIu64
				   " cannot be read at byte %" PRIu64 " of the device: %s",
				   first, batch->end - 1, batch->transfer.error_offset,
				   strerror(-batch->transfer.error));
}

static bool wait_for_room(struct load *load)
{
	bool room;

	pthread_mutex_lock(&load->lock);
	while (!load->stopping && load->next_batch == load->batches_done + BATCHES)
		pthread_cond_wait(&load->room, &load->lock);
	room = !load->stopping;
	pthread_mutex_unlock(&load->lock);
	return room;
}

/* With the lock held. */
static void wake(struct unpacker *unpacker)
{
	if (unpacker->waiting)
		pthread_cond_signal(&unpacker->wake);
}

static void wake_all(struct load *load)
{
	for (unsigned int i = 0; i < load->threads; i++)
		wake(&load->unpackers[i]);
}

/* Reads the next batch; false when there is none. */
static bool read_batch(struct load *load)
{
	struct batch *batch = NULL;
	uint64_t first;

	pthread_mutex_lock(&load->plan_lock);
	first = load->next_read;
	if (first < load->reader->header.blocks && wait_for_room(load)) {
		batch = &load->batches[load->next_batch++ % BATCHES];
		plan_batch(load, batch);
	}
	pthread_mutex_unlock(&load->plan_lock);
	if (!batch)
		return false;
	if (batch->error == 0)
		run_batch(batch, first);
	pthread_mutex_lock(&load->lock);
	batch->ready = true;
	wake_all(load);
	pthread_mutex_unlock(&load->lock);
	return true;
}

static void read_all(void *context, void *job)
{
	(void)context;
	while (read_batch(job))
		;
}

/* The batch of the block to be taken next; NULL if it has not been read yet. */
static struct batch *batch_to_unpack(struct load *load)
{
	struct batch *batch = &load->batches[load->unpack_batch % BATCHES];

	/* Otherwise the slot still holds a batch of an earlier round. */
	if (load->unpack_batch - load->batches_done < BATCHES && batch->ready)
		return batch;
	return NULL;
}

static struct held_block *oldest_held(struct unpacker *unpacker)
{
	return &unpacker->blocks[unpacker->handed_on % unpacker->load->held_max];
}

/* Takes the next block to be unpacked, with the lock held; false: not read yet. */
static bool take_block(struct load *load, struct unpacker *unpacker)
{
	const struct image_reader *reader = load->reader;
	struct held_block *held = &unpacker->blocks[unpacker->taken % load->held_max];
	struct block_slot *slot = &held->slot;
	struct batch *batch = batch_to_unpack(load);

	if (!batch || load->next_unpack == reader->header.blocks)
		return false;
	unpacker->taken++;
	held->batch = batch;
	slot->index = load->next_unpack++;
	slot->entry = block_table_entry(reader->sections.block_table.data, slot->index);
	slot->raw_size = header_block_raw_size(&reader->header, slot->index);
	slot->stored = (unsigned char *)batch->memory.iov_base + load->unpack_at;
	load->unpack_at += (size_t)stored_pages(slot->entry.stored_size, reader->config.page_size) *
			   reader->config.page_size;
	load->holders[slot->index % ARRAY_SIZE(load->holders)] = unpacker;
	if (load->next_unpack == batch->end) {
		load->unpack_batch++;
		load->unpack_at = 0;
	}
	return true;
}

enum step { UNPACK, HAND_ON, END };

/* What this thread can do now, with the lock held. False: nothing yet. */
static bool find_step(struct load *load, struct unpacker *unpacker, enum step *ret)
{
	uint64_t held = unpacker->taken - unpacker->handed_on;

	if (load->stopping)
		*ret = END;
	else if (held > 0 && oldest_held(unpacker)->slot.index == load->next_sink)
		*ret = HAND_ON;
	else if (held < load->held_max && take_block(load, unpacker))
		*ret = UNPACK;
	else if (held == 0 && load->next_unpack == load->reader->header.blocks)
		*ret = END;
	else
		return false;
	return true;
}

static enum step wait_for_step(struct load *load, struct unpacker *unpacker)
{
	enum step step = END;

	pthread_mutex_lock(&load->lock);
	while (!find_step(load, unpacker, &step)) {
		if (load->serial) {
			pthread_mutex_unlock(&load->lock);
			read_batch(load);
			pthread_mutex_lock(&load->lock);
		} else {
			unpacker->waiting = true;
			pthread_cond_wait(&unpacker->wake, &load->lock);
			unpacker->waiting = false;
		}
	}
	pthread_mutex_unlock(&load->lock);
	return step;
}

/* With the lock held: ends every wait. */
static void stop(struct load *load, int error)
{
	load->error = error;
	load->stopping = true;
	atomic_store(&load->cancel, true);
	pthread_cond_broadcast(&load->room);
	wake_all(load);
}

/* The block was handed on; it is the next one's turn. */
static void end_turn(struct load *load, struct batch *batch, int error)
{
	pthread_mutex_lock(&load->lock);
	if (error < 0) {
		stop(load, error);
	} else {
		load->next_sink++;
		if (load->next_sink < load->next_unpack)
			wake(load->holders[load->next_sink % ARRAY_SIZE(load->holders)]);
		if (load->next_sink == batch->end) {
			batch->ready = false;
			load->batches_done++;
			pthread_cond_signal(&load->room);
		}
	}
	pthread_mutex_unlock(&load->lock);
}

static int sink_bytes(struct load *load, const unsigned char *data, size_t length)
{
	int r = load->sink->write(load->sink->context, data, length);

	if (r < 0)
		return why(load->why, r, "the kernel rejected the snapshot at byte %" PRIu64 ": %s",
			   load->sunk_bytes, strerror(-r));
	load->sunk_bytes += length;
	return 0;
}

/* The stream's first page must be the one that was judged. */
static int sink_first_block(struct load *load, const unsigned char *data, size_t length)
{
	const struct section *judged = &load->reader->sections.kernel_header;
	size_t page = load->reader->config.page_size;
	int r;

	if (memcmp(data, judged->data, page) != 0)
		return why_damaged(load->why,
				   "block 0 does not begin with the kernel header of this image");
	r = sink_bytes(load, load->first_page ? load->first_page : data, page);
	return r < 0 ? r : sink_bytes(load, data + page, length - page);
}

/* Damage counts only if a second read shows it, too: the first may be a bit error in a cable or in
 * memory. */
static void unpack(struct unpacker *unpacker, struct held_block *held)
{
	struct block_slot *slot = &held->slot;
	size_t page = unpacker->load->reader->config.page_size;
	size_t at = (size_t)(slot->stored - (unsigned char *)held->batch->memory.iov_base);
	int r;

	block_unpack(&unpacker->worker, slot);
	if (!slot->damaged)
		return;
	r = transfer_read_again(&held->batch->transfer, at, slot->stored,
				(size_t)stored_pages(slot->entry.stored_size, page) * page);
	if (r == 0) {
		block_unpack(&unpacker->worker, slot);
	} else {
		slot->damaged = false;
		slot->error = r;
	}
}

/* Run by the thread whose turn it is, and by no other at the same time. */
static int hand_on(struct load *load, const struct batch *batch, const struct block_slot *slot)
{
	const unsigned char *data = block_data(slot);
	int r;

	if (batch->error < 0) {
		*load->why = batch->why;
		return batch->error;
	}
	if (slot->error < 0 && slot->damaged)
		return why_damaged(load->why, "block %" PRIu64 " of %" PRIu64 " is damaged",
				   slot->index, load->reader->header.blocks);
	if (slot->error < 0)
		return why(load->why, slot->error,
			   "block %" PRIu64 " of %" PRIu64 " cannot be unpacked: %s", slot->index,
			   load->reader->header.blocks, strerror(-slot->error));
	if (slot->index == 0)
		r = sink_first_block(load, data, slot->raw_size);
	else
		r = sink_bytes(load, data, slot->raw_size);
	if (r < 0 || !load->watch || !load->watch->progress)
		return r;
	r = load->watch->progress(load->watch->context, load->sunk_bytes);
	return r < 0 ? why(load->why, r, "stopped") : 0;
}

static void unpack_all(void *context, void *job)
{
	struct unpacker *unpacker = context;
	struct load *load = job;
	enum step step;

	while ((step = wait_for_step(load, unpacker)) != END) {
		struct held_block *held;

		if (step == UNPACK) {
			held = &unpacker->blocks[(unpacker->taken - 1) % load->held_max];
			if (held->batch->error == 0)
				unpack(unpacker, held);
		} else {
			held = oldest_held(unpacker);
			end_turn(load, held->batch, hand_on(load, held->batch, &held->slot));
			unpacker->handed_on++;
		}
	}
}

/* Starts the other threads; then the caller's is like any of them. */
static int start_threads(struct load *load)
{
	unsigned int others = load->threads - 1, readers = load->serial ? 0 : TRANSFER_THREADS;
	int r = work_pool_start(&load->unpack, others, unpack_all, load->contexts, load->threads,
				load->unpack_memory);

	if (r == 0)
		r = work_pool_start(&load->read, readers, read_all, NULL, TRANSFER_THREADS,
				    load->read_memory);
	if (r < 0)
		return why(load->why, r, "threads cannot be started: %s", strerror(-r));
	for (unsigned int i = 0; i < readers; i++)
		work_pool_submit(&load->read, load);
	for (unsigned int i = 0; i < others; i++)
		work_pool_submit(&load->unpack, load);
	return 0;
}

static int run_load(struct load *load)
{
	int r;

	pthread_mutex_init(&load->plan_lock, NULL);
	pthread_mutex_init(&load->lock, NULL);
	pthread_cond_init(&load->room, NULL);
	for (unsigned int i = 0; i < load->threads; i++)
		pthread_cond_init(&load->unpackers[i].wake, NULL);
	r = start_threads(load);
	if (r == 0)
		unpack_all(load->contexts[0], load);
	work_pool_stop(&load->read);
	work_pool_stop(&load->unpack);
	for (unsigned int i = 0; i < load->threads; i++)
		pthread_cond_destroy(&load->unpackers[i].wake);
	pthread_cond_destroy(&load->room);
	pthread_mutex_destroy(&load->lock);
	pthread_mutex_destroy(&load->plan_lock);
	return r < 0 ? r : load->error;
}

int image_reader_load(struct image_reader *reader, const struct page_sink *sink,
		      const unsigned char *first_page, const struct stream_watch *watch,
		      struct why *w)
{
	struct load *load = calloc(1, sizeof(*load));
	int r;

	if (!load)
		return -ENOMEM;
	load->reader = reader;
	load->sink = sink;
	load->first_page = first_page;
	load->watch = watch;
	load->why = w ? w : &load->unheard;
	load->serial = reader->config.workers == 0;
	load->threads = count_threads(reader);
	load->held_max = count_held(reader);
	load->batch_bytes = full_batch(reader);
	/* From the beginning, even if it was loaded before. */
	r = reader_check_body(reader, load->why);
	if (r == 0) {
		r = take_memory(load);
		if (r < 0)
			why(load->why, r, "memory for loading the image: %s", strerror(-r));
	}
	if (r == 0)
		r = run_load(load);
	for (unsigned int i = 0; i < WORK_POOL_WORKERS_MAX; i++)
		block_worker_destroy(&load->unpackers[i].worker);
	arena_destroy(&load->arena);
	free(load);
	return r;
}
