/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the blocks of a snapshot. The owner reads, places packed blocks and submits write
 * requests; all others pack. */
#include "image/image_writer_private.h"

#include "base/bytes.h"
#include "base/stopwatch.h"

#include <errno.h>
#include <inttypes.h>

/* With this many blocks waiting for each compressing thread, the owner packs one, too, instead of
 * reading more: what it has just read is still in its caches. */
#define ENOUGH_WAITING 2

/* A batch may hold this share of the slots, so that some are left for the workers. */
#define BATCH_SLOTS_SHARE 4

int writer_allocate(struct run *run, uint64_t *ret)
{
	int r = run->allocator.allocate(run->allocator.context, ret);

	if (r == -ENOSPC)
		return why(run->why, r, "the swap area is full");
	if (r < 0)
		return why(run->why, r, "no page of swap could be allocated: %s", strerror(-r));
	return 0;
}

static void see_pfn(void *context, uint64_t pfn, bool zero)
{
	range_collector_add(context, pfn, zero);
}

/* The header page and the metadata pages that are in this block. */
static int look_at_block(struct run *run, const struct block_slot *slot)
{
	size_t page = run->writer->config.page_size;
	uint64_t first = slot->index * run->writer->config.block_size / page;
	uint64_t count = slot->raw_size / page;
	int r;

	if (slot->index == 0) {
		memcpy(run->writer->kernel_header, slot->raw, page);
		r = image_info_parse(slot->raw, page, &run->info, run->why);
		if (r < 0)
			return r;
		if (run->info.size != run->asked->stream_size)
			return why(run->why, -EBADMSG,
				   "the kernel's header page says %" PRIu64
				   " bytes, the snapshot has %" PRIu64,
				   run->info.size, run->asked->stream_size);
	}
	for (uint64_t i = 0; i < count; i++) {
		if (first + i > run->info.metadata_pages)
			break;
		if (first + i > 0)
			image_metadata_walk(slot->raw + i * page, page, see_pfn, &run->ranges);
	}
	return 0;
}

/* Would everything not placed yet fit uncompressed? Blocks being packed count in full, and some
 * room is left for sections and extents. */
static bool rest_fits(const struct run *run)
{
	uint64_t rest = run->asked->stream_size - run->result->raw_bytes;
	uint64_t needed = run->result->stored_bytes + rest + rest / 64;

	return needed < run->asked->room;
}

static void all_buffers_free(struct image_writer *writer)
{
	writer->free_count = writer->buffer_count;
	for (unsigned int i = 0; i < writer->buffer_count; i++)
		writer->free_buffers[i] = writer->buffers + (size_t)i * writer->config.block_size;
}

static unsigned char *take_buffer(struct image_writer *writer)
{
	return writer->free_buffers[--writer->free_count];
}

static void give_buffer(struct image_writer *writer, unsigned char *buffer)
{
	writer->free_buffers[writer->free_count++] = buffer;
}

static bool room_to_read(const struct run *run)
{
	return run->slots_in_use < run->writer->slot_count && run->writer->free_count >= 2;
}

/* The device has enough queued while the next blocks are packed. */
static bool device_busy(const struct run *run)
{
	return work_pool_outstanding(&run->write) >= BATCHES - 1;
}

static int read_block(struct run *run)
{
	struct image_writer *writer = run->writer;
	struct block_slot *slot = &writer->slots[run->blocks_read % writer->slot_count];
	uint64_t left = run->asked->stream_size - run->read_bytes;
	size_t length = (size_t)min_u64(left, writer->config.block_size);
	ssize_t n;
	int r;

	slot->packed = take_buffer(writer);
	slot->raw = take_buffer(writer);
	n = run->asked->source.read(run->asked->source.context, slot->raw, length);
	if (n < 0)
		return why(run->why, (int)n, "the snapshot cannot be read at byte %" PRIu64 ": %s",
			   run->read_bytes, strerror((int)-n));
	if ((size_t)n != length)
		return why(run->why, -EIO, "the snapshot ended at byte %" PRIu64 " of %" PRIu64,
			   run->read_bytes + (uint64_t)n, run->asked->stream_size);
	slot->raw_size = (uint32_t)length;
	slot->index = run->blocks_read;
	slot->effort = effort_next(&run->effort, rest_fits(run), device_busy(run));
	r = look_at_block(run, slot);
	if (r < 0)
		return r;
	run->read_bytes += length;
	run->blocks_read++;
	run->slots_in_use++;
	work_pool_submit(&run->pack, slot);
	/* Without threads nothing else packs, and reading waited. */
	if (run->enough == 0)
		effort_packing_behind(&run->effort);
	return 0;
}

static void submit_batch(struct run *run)
{
	struct batch *batch = &run->writer->batches[run->next_batch % BATCHES];

	work_pool_submit(&run->write, batch);
	run->next_batch++;
}

/* Collects the oldest write request; false if there is none (done). */
static bool reap_batch(struct run *run, bool wait, int *ret_error)
{
	struct batch *batch = work_pool_collect(&run->write, false);

	if (!batch && wait) {
		uint64_t begun = now_usec();

		batch = work_pool_collect(&run->write, true);
		effort_waited(&run->effort, now_usec() - begun);
	}
	if (!batch)
		return false;
	if (batch->transfer.error < 0 && *ret_error == 0)
		*ret_error = why(run->why, batch->transfer.error,
				 "writing at byte %" PRIu64 " of the device failed: %s",
				 batch->transfer.error_offset, strerror(-batch->transfer.error));
	for (unsigned int i = 0; i < batch->slots; i++, run->blocks_written++) {
		struct image_writer *writer = run->writer;

		give_buffer(writer, writer->slots[run->blocks_written % writer->slot_count].stored);
	}
	run->slots_in_use -= batch->slots;
	run->written_bytes += batch->raw_bytes;
	batch->slots = 0;
	batch->raw_bytes = 0;
	transfer_reset(&batch->transfer);
	return true;
}

static bool batch_full(const struct run *run, const struct batch *batch)
{
	return batch->transfer.bytes >= BATCH_BYTES ||
	       batch->slots >= run->writer->slot_count / BATCH_SLOTS_SHARE;
}

/* Gives a packed block its place, and puts it into the batch being filled. */
static int place_block(struct run *run, struct block_slot *slot)
{
	struct image_writer *writer = run->writer;
	struct batch *batch = &writer->batches[run->next_batch % BATCHES];
	size_t page = writer->config.page_size;
	uint64_t pages = stored_pages(slot->entry.stored_size, page);
	int r = 0;

	if (slot->error < 0)
		return why(run->why, slot->error, "block %" PRIu64 " cannot be sealed: %s",
			   slot->index, strerror(-slot->error));
	give_buffer(writer, slot->stored == slot->raw ? slot->packed : slot->raw);
	effort_block_placed(&run->effort, slot->effort, slot->usec, now_usec());
	for (uint64_t i = 0; i < pages && r == 0; i++) {
		uint64_t offset;

		r = writer_allocate(run, &offset);
		if (r == 0)
			r = extent_writer_add(&run->extents, offset);
		if (r == 0 && offset != run->last_offset + page)
			run->result->extents++;
		if (r == 0 && !transfer_add_extent(&batch->transfer, (struct extent){ offset, 1 }))
			r = -ENOBUFS;
		run->last_offset = offset;
	}
	if (r < 0)
		return r;
	if (!transfer_add_memory(&batch->transfer, slot->stored, (size_t)(pages * page)))
		return -ENOBUFS;
	batch->slots++;
	batch->raw_bytes += slot->raw_size;
	block_entry_encode(&slot->entry, writer->table + slot->index * BLOCK_ENTRY_SIZE);
	run->blocks_placed++;
	run->result->raw_bytes += slot->raw_size;
	run->result->stored_bytes += pages * page;
	if (batch_full(run, batch))
		submit_batch(run);
	return 0;
}

static int watch_progress(struct run *run)
{
	const struct stream_watch *watch = &run->asked->watch;

	return watch->progress ? watch->progress(watch->context, run->written_bytes) : 0;
}

/* Nothing is left to pack or to read, or there is no room: submit the rest of the batch, then wait
 * for the oldest request. */
static int drain(struct run *run, bool more, bool *ret_done)
{
	int r = 0;

	if (run->writer->batches[run->next_batch % BATCHES].slots > 0 &&
	    work_pool_outstanding(&run->write) < BATCHES) {
		submit_batch(run);
		return 0;
	}
	*ret_done = !reap_batch(run, true, &r) && !more;
	return r;
}

/* One step of the owner: what can be done without waiting, in this order: free slots, place packed
 * blocks, pack, read more; otherwise wait for the oldest request. */
static int step(struct run *run, bool *ret_done)
{
	bool more = run->read_bytes < run->asked->stream_size;
	bool room = room_to_read(run);
	struct block_slot *slot;
	bool place;
	int r = 0;

	while (reap_batch(run, false, &r))
		;
	if (r < 0)
		return r;
	/* The batch after the last that was submitted may still be in flight. */
	place = work_pool_outstanding(&run->write) < BATCHES;
	slot = place ? work_pool_collect(&run->pack, false) : NULL;
	if (slot)
		return place_block(run, slot);
	if (work_pool_help(&run->pack, more && room ? run->enough : 0)) {
		if (place)
			effort_packing_behind(&run->effort);
		return 0;
	}
	if (more && room) {
		r = watch_progress(run);
		return r < 0 ? why(run->why, r, "stopped") : read_block(run);
	}
	slot = place ? work_pool_collect(&run->pack, true) : NULL;
	return slot ? place_block(run, slot) : drain(run, more, ret_done);
}

static int start_pools(struct run *run)
{
	struct image_writer *writer = run->writer;
	/* The owner is one of the workers. */
	unsigned int threads = writer->workers ? writer->workers - 1 : 0;
	int r = work_pool_start(&run->pack, threads, block_pack, writer->worker_contexts,
				writer->slot_count, writer->pack_memory);

	run->enough = (size_t)ENOUGH_WAITING * threads;

	if (r < 0)
		return why(run->why, r, "compressing threads cannot be started: %s", strerror(-r));
	r = work_pool_start(&run->write, writer->workers ? TRANSFER_THREADS : 0, transfer_run, NULL,
			    BATCHES, writer->write_memory);
	if (r < 0)
		return why(run->why, r, "writing threads cannot be started: %s", strerror(-r));
	return 0;
}

static int run_pools(struct run *run)
{
	struct image_writer *writer = run->writer;
	bool done = false;
	int r, effort;

	all_buffers_free(writer);
	atomic_store(&writer->cancel, false);
	for (unsigned int i = 0; i < BATCHES; i++) {
		struct batch *batch = &writer->batches[i];

		transfer_reset(&batch->transfer);
		batch->slots = 0;
		batch->raw_bytes = 0;
	}
	/* Serially, blocks never wait for a thread. */
	effort = writer->config.effort ? writer->config.effort : writer->workers ? 0 : 1;
	effort_begin(&run->effort, effort, writer->workers, now_usec());
	r = start_pools(run);
	while (r == 0 && !done)
		r = step(run, &done);
	if (r < 0)
		atomic_store(&writer->cancel, true);
	/* Joins; every request has ended when this returns. */
	work_pool_stop(&run->pack);
	work_pool_stop(&run->write);
	return r;
}

int writer_write_blocks(struct run *run)
{
	struct image_writer *writer = run->writer;
	const struct image_writer_config *c = &writer->config;
	int r = extent_writer_begin(&run->extents, c->fd, c->page_size, &run->allocator,
				    writer->chunk_page, &writer->extent_digest,
				    run->asked->image_id);

	if (r < 0)
		return why(run->why, r, "no page of swap could be allocated: %s", strerror(-r));
	range_collector_init(&run->ranges, writer->ranges, writer->ranges_size);
	r = run_pools(run);
	if (r < 0)
		return r;
	r = extent_writer_finish(&run->extents, &run->header.body);
	return r < 0 ? why(run->why, r, "writing the extents failed: %s", strerror(-r)) : 0;
}
