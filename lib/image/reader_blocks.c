/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the blocks of an image. Reading threads read ahead. All others each take the next block,
 * unpack it, and hand it to the sink themselves when its turn comes, while it is still in the
 * caches of their processor. Until then they unpack more blocks. */
#include "image/image_reader_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

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
static int start_pools(struct load *load)
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

static int run_pools(struct load *load)
{
	int r;

	pthread_mutex_init(&load->plan_lock, NULL);
	pthread_mutex_init(&load->lock, NULL);
	pthread_cond_init(&load->room, NULL);
	for (unsigned int i = 0; i < load->threads; i++)
		pthread_cond_init(&load->unpackers[i].wake, NULL);
	r = start_pools(load);
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
	struct why unheard = { 0 };
	struct load *load;
	int r;

	if (!w)
		w = &unheard;
	/* From the beginning, even if it was loaded before. */
	r = reader_check_body(reader, w);
	if (r == 0)
		r = load_create(reader, &load, w);
	if (r < 0)
		return r;
	load->sink = sink;
	load->first_page = first_page;
	load->watch = watch;
	load->why = w;
	r = run_pools(load);
	load_destroy(load);
	return r;
}
