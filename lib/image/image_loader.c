/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocks of an image: read ahead, unpacked, handed to the sink in order. */
#include "image/image_reader.h"

#include "base/bytes.h"
#include "image/block_slot.h"
#include "image/reader_private.h"
#include "image/transfer.h"
#include "image/work_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* One read request fills blocks up to this size; so many are in flight. */
#define BATCH_BYTES (2u << 20)
#define BATCHES 4
#define READ_THREADS 2
/* Slots of a batch: as many as make it full at 2:1, and no more than leave some
 * for the workers. */
#define BATCH_SLOTS 8
#define BATCH_SLOTS_SHARE 4

struct batch {
	struct transfer transfer;
	unsigned int first_slot, slots;
};

struct load {
	struct image_reader *reader;
	const struct page_sink *sink;
	const unsigned char *first_page;
	const struct stream_watch *watch;
	struct why *why;

	struct arena arena;
	struct block_slot *slots; /* used in turn */
	unsigned int slot_count;
	struct batch batches[BATCHES]; /* used in turn */
	unsigned int workers;
	struct block_worker worker_state[WORK_POOL_WORKERS_MAX];
	void *worker_contexts[WORK_POOL_WORKERS_MAX];
	void *unpack_ring, *unpack_stacks, *read_ring, *read_stacks;
	struct work_pool read, unpack;
	atomic_bool cancel;

	uint64_t next_read; /* block to be read next */
	uint64_t next_sink; /* block to be handed on next */
	unsigned int next_batch;
	unsigned int slots_in_use; /* from read to handed on */
	uint64_t sunk_bytes;
};

static unsigned int count_slots(const struct image_reader *reader)
{
	uint64_t wanted = 2ull * reader->config.workers + 2 + (uint64_t)BATCHES * BATCH_SLOTS;
	uint64_t affordable = reader->config.buffer_bytes / (2ull * reader->header.block_size);

	return (unsigned int)max_u64(4, min_u64(wanted, affordable));
}

uint64_t image_reader_memory(const struct image_reader *reader)
{
	return 2ull * count_slots(reader) * reader->header.block_size;
}

static int take_memory(struct load *load)
{
	const struct image_reader_config *c = &load->reader->config;
	uint32_t block_size = load->reader->header.block_size;
	size_t batch_pages = (BATCH_BYTES + block_size) / c->page_size;
	size_t slot_array = load->slot_count * sizeof(*load->slots);
	size_t extent_array = batch_pages * sizeof(struct extent);
	size_t piece_array = load->slot_count * sizeof(struct iovec);
	unsigned int threads = load->workers > 1 ? load->workers : 1;
	size_t total = 2 * (size_t)load->slot_count * block_size + slot_array +
		       BATCHES * (extent_array + piece_array) + threads * WORK_POOL_STACK_SIZE +
		       READ_THREADS * WORK_POOL_STACK_SIZE + work_pool_ring_size(load->slot_count) +
		       work_pool_ring_size(BATCHES) + (64 + 2 * threads) * c->page_size;
	int r = arena_create(&load->arena, total);

	if (r < 0)
		return r;
	load->slots = arena_take(&load->arena, slot_array);
	for (unsigned int i = 0; i < load->slot_count; i++) {
		load->slots[i].raw = arena_take(&load->arena, block_size);
		load->slots[i].packed = arena_take(&load->arena, block_size);
	}
	for (unsigned int i = 0; i < BATCHES; i++) {
		struct transfer *t = &load->batches[i].transfer;

		t->fd = c->fd;
		t->page_size = c->page_size;
		t->cancel = &load->cancel;
		t->pieces = arena_take(&load->arena, piece_array);
		t->piece_max = load->slot_count;
		t->extents = arena_take(&load->arena, extent_array);
		t->extent_max = batch_pages;
	}
	load->unpack_ring = arena_take(&load->arena, work_pool_ring_size(load->slot_count));
	load->read_ring = arena_take(&load->arena, work_pool_ring_size(BATCHES));
	load->unpack_stacks = arena_take(&load->arena, threads * WORK_POOL_STACK_SIZE);
	load->read_stacks = arena_take(&load->arena, READ_THREADS * WORK_POOL_STACK_SIZE);
	for (unsigned int i = 0; i < threads; i++) {
		load->worker_contexts[i] = &load->worker_state[i];
		r = block_worker_init(&load->worker_state[i], &load->arena, false, c->page_size,
				      load->reader->header.cipher);
		if (r == 0 && header_sealed(&load->reader->header))
			r = block_worker_key(&load->worker_state[i], &load->reader->seal);
		if (r < 0)
			return r;
	}
	return load->read_stacks ? 0 : -ENOMEM;
}

/* Adds the next block to a read request. */
static int add_block(struct load *load, struct batch *batch)
{
	struct image_reader *reader = load->reader;
	struct block_slot *slot = &load->slots[load->next_read % load->slot_count];
	size_t page = reader->config.page_size;
	uint64_t pages;
	int r;

	slot->index = load->next_read;
	slot->entry = block_table_entry(reader->sections.block_table.data, slot->index);
	slot->raw_size = header_block_raw_size(&reader->header, slot->index);
	slot->stored = slot->packed;
	pages = stored_pages(slot->entry.stored_size, page);
	if (!transfer_add_memory(&batch->transfer, slot->stored, (size_t)(pages * page)))
		return -ENOBUFS;
	while (pages > 0) {
		struct extent extent;

		r = map_reader_next(&reader->body, pages, &extent, load->why);
		if (r < 0)
			return r == -ENODATA ? -EBADMSG : r;
		if (!transfer_add_extent(&batch->transfer, extent))
			return -ENOBUFS;
		pages -= extent.pages;
	}
	batch->slots++;
	load->next_read++;
	load->slots_in_use++;
	return 0;
}

/* Begins a read request where there is room for one. */
static int read_ahead(struct load *load, bool *ret_begun)
{
	struct batch *batch = &load->batches[load->next_batch % BATCHES];
	unsigned int slots_max = load->slot_count / BATCH_SLOTS_SHARE;

	*ret_begun = false;
	if (work_pool_outstanding(&load->read) == BATCHES ||
	    load->slot_count - load->slots_in_use < slots_max)
		return 0;
	transfer_reset(&batch->transfer);
	batch->slots = 0;
	batch->first_slot = (unsigned int)(load->next_read % load->slot_count);
	while (load->next_read < load->reader->header.blocks && batch->slots < slots_max &&
	       batch->transfer.bytes < BATCH_BYTES) {
		int r = add_block(load, batch);

		if (r < 0)
			return r;
	}
	if (batch->slots == 0)
		return 0;
	work_pool_submit(&load->read, batch);
	load->next_batch++;
	*ret_begun = true;
	return 0;
}

/* A finished read request: its blocks go to the workers. */
static int take_read(struct load *load, const struct batch *batch)
{
	if (batch->transfer.error < 0)
		return why(load->why, batch->transfer.error,
			   "block %" PRIu64 " to %" PRIu64 " cannot be read at byte %" PRIu64
			   " of the device: %s",
			   load->slots[batch->first_slot].index,
			   load->slots[batch->first_slot].index + batch->slots - 1,
			   batch->transfer.error_offset, strerror(-batch->transfer.error));
	for (unsigned int i = 0; i < batch->slots; i++)
		work_pool_submit(&load->unpack,
				 &load->slots[(batch->first_slot + i) % load->slot_count]);
	return 0;
}

static int sink_bytes(struct load *load, const unsigned char *data, size_t length)
{
	int r = load->sink->write(load->sink->context, data, length);

	if (r < 0)
		return why(load->why, r, "the snapshot was not taken at byte %" PRIu64 ": %s",
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
		return why(load->why, -EBADMSG,
			   "block 0 does not begin with the kernel header of this image");
	r = sink_bytes(load, load->first_page ? load->first_page : data, page);
	return r < 0 ? r : sink_bytes(load, data + page, length - page);
}

static int take_unpacked(struct load *load, const struct block_slot *slot)
{
	const unsigned char *data = block_data(slot);
	int r;

	if (slot->error < 0)
		return why(load->why, slot->error, "block %" PRIu64 " of %" PRIu64 " is damaged",
			   slot->index, load->reader->header.blocks);
	if (slot->index == 0)
		r = sink_first_block(load, data, slot->raw_size);
	else
		r = sink_bytes(load, data, slot->raw_size);
	if (r < 0)
		return r;
	load->next_sink++;
	load->slots_in_use--;
	if (!load->watch || !load->watch->progress)
		return 0;
	r = load->watch->progress(load->watch->context, load->sunk_bytes);
	return r < 0 ? why(load->why, r, "stopped") : 0;
}

/* One step of the owner: begin reads, pass finished ones to the workers, hand
 * on what is unpacked; wait only when none of this can be done. */
static int step(struct load *load)
{
	struct block_slot *slot;
	struct batch *batch;
	bool begun;
	int r = read_ahead(load, &begun);

	if (r < 0)
		return r;
	batch = work_pool_collect(&load->read, false);
	if (batch)
		return take_read(load, batch);
	slot = work_pool_collect(&load->unpack, false);
	if (!slot && work_pool_help(&load->unpack, 0))
		return 0;
	/* With reads to begin or to pass on, nothing is waited for. */
	if (!slot)
		slot = work_pool_collect(&load->unpack, !begun);
	if (slot)
		return take_unpacked(load, slot);
	if (begun)
		return 0;
	batch = work_pool_collect(&load->read, true);
	return batch ? take_read(load, batch) : -EBADMSG;
}

static int run_load(struct load *load)
{
	static void *const no_context[READ_THREADS + 1];
	/* The owner is one of the workers. */
	unsigned int threads = load->workers ? load->workers - 1 : 0;
	int r = work_pool_start(&load->unpack, threads, block_unpack, load->worker_contexts,
				load->unpack_ring, load->slot_count, load->unpack_stacks);

	if (r == 0)
		r = work_pool_start(&load->read, load->workers ? READ_THREADS : 0, transfer_run,
				    no_context, load->read_ring, BATCHES, load->read_stacks);
	if (r < 0)
		why(load->why, r, "threads cannot be started: %s", strerror(-r));
	while (r == 0 && load->next_sink < load->reader->header.blocks)
		r = step(load);
	if (r < 0)
		atomic_store(&load->cancel, true);
	work_pool_stop(&load->read);
	work_pool_stop(&load->unpack);
	return r;
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
	load->why = w;
	load->workers = (unsigned int)min_u64(reader->config.workers, WORK_POOL_WORKERS_MAX);
	load->slot_count = count_slots(reader);
	/* From the start, whether or not it was loaded before. */
	r = map_reader_check(&reader->body, w);
	if (r == 0) {
		r = take_memory(load);
		if (r < 0)
			why(w, r, "memory for loading the image: %s", strerror(-r));
	}
	if (r == 0)
		r = run_load(load);
	for (unsigned int i = 0; i < WORK_POOL_WORKERS_MAX; i++)
		block_worker_destroy(&load->worker_state[i]);
	arena_destroy(&load->arena);
	free(load);
	return r;
}
