/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating and destroying an image writer: all its memory. */
#include "image/image_writer_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

/* A batch may hold this many times its size in bytes of the snapshot, so that it is full at 2:1. */
#define BATCH_RAW 2

#define RANGES_SIZE_MIN (256u << 10)
#define RANGES_SIZE_MAX (16u << 20)

/* Blocks that are read and not packed yet, or packed before their turn. */
static unsigned int count_packing(const struct image_writer_config *config)
{
	return 2 * config->workers + 2;
}

/* At least a slot for every batch, and memory to pack. */
static void count_slots(struct image_writer *w)
{
	const struct image_writer_config *c = &w->config;
	uint64_t batch = max_u64(BATCH_RAW * BATCH_BYTES / c->block_size, 1);
	uint64_t packing = count_packing(c);
	uint64_t wanted = packing + BATCHES * batch;
	uint64_t affordable = c->buffer_bytes / c->block_size;

	w->buffer_count = (unsigned int)max_u64(8, min_u64(wanted + packing, affordable));
	w->slot_count = (unsigned int)min_u64(wanted, w->buffer_count - 1);
}

static size_t ranges_size(const struct image_writer_config *config)
{
	uint64_t size = config->max_stream / config->page_size / 8;

	return (size_t)min_u64(max_u64(size, RANGES_SIZE_MIN), RANGES_SIZE_MAX);
}

static size_t window_pages(const struct image_writer_config *config)
{
	uint64_t most = config->max_stream / config->page_size;

	if (config->window_pages)
		return config->window_pages;
	return (size_t)min_u64(max_u64(most, PAGE_WINDOW_FIRST), PAGE_WINDOW_MAX);
}

/* Everything except the digests' handles comes from one arena. */
static int take_memory(struct image_writer *w)
{
	const struct image_writer_config *c = &w->config;
	size_t batch_pages = (BATCH_BYTES + c->block_size) / c->page_size;
	size_t table_size = (size_t)w->table_entries * BLOCK_ENTRY_SIZE;
	size_t slot_array = w->slot_count * sizeof(*w->slots);
	size_t buffer_array = w->buffer_count * sizeof(*w->free_buffers);
	size_t extent_array = batch_pages * sizeof(struct extent);
	size_t piece_array = w->slot_count * sizeof(struct iovec);
	size_t window_array = w->window.max * sizeof(*w->window.pages);
	unsigned int threads = w->workers > 1 ? w->workers : 1;
	size_t pack_memory = work_pool_memory(threads, w->slot_count);
	size_t write_memory = work_pool_memory(TRANSFER_THREADS, BATCHES);
	size_t total = (size_t)w->buffer_count * c->block_size + table_size + w->ranges_size +
		       slot_array + buffer_array + window_array +
		       BATCHES * (extent_array + piece_array) + threads * codec_state_size() +
		       pack_memory + write_memory +
		       /* each piece is rounded up to a page */
		       (64 + 2 * threads) * c->page_size;
	int r = arena_create(&w->arena, total);

	if (r < 0)
		return r;
	w->slots = arena_take(&w->arena, slot_array);
	w->free_buffers = arena_take(&w->arena, buffer_array);
	w->buffers = arena_take(&w->arena, (size_t)w->buffer_count * c->block_size);
	for (unsigned int i = 0; i < BATCHES; i++) {
		w->batches[i].transfer = (struct transfer){
			.fd = c->fd,
			.write = true,
			.page_size = c->page_size,
			.cancel = &w->cancel,
			.pieces = arena_take(&w->arena, piece_array),
			.piece_max = w->slot_count,
			.extents = arena_take(&w->arena, extent_array),
			.extent_max = batch_pages,
		};
	}
	w->window.pages = arena_take(&w->arena, window_array);
	w->table = arena_take(&w->arena, table_size);
	w->ranges = arena_take(&w->arena, w->ranges_size);
	w->kernel_header = arena_take(&w->arena, c->page_size);
	w->chunk_page = arena_take(&w->arena, c->page_size);
	w->header_page = arena_take(&w->arena, c->page_size);
	w->pack_memory = arena_take(&w->arena, pack_memory);
	w->write_memory = arena_take(&w->arena, write_memory);
	for (unsigned int i = 0; i < threads; i++) {
		w->worker_contexts[i] = &w->worker_state[i];
		r = block_worker_init(&w->worker_state[i], &w->arena, c->compress, c->page_size,
				      c->keys ? c->cipher : 0);
		if (r < 0)
			return r;
	}
	return w->write_memory ? 0 : -ENOMEM;
}

int image_writer_create(const struct image_writer_config *config, struct image_writer **ret,
			struct why *w)
{
	struct image_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->config = *config;
	if (!writer->config.block_size)
		writer->config.block_size = BLOCK_SIZE_DEFAULT;
	if (!block_size_valid(writer->config.block_size)) {
		r = why(w, -EINVAL, "a block size of %u bytes is not a power of two from %u to %u",
			writer->config.block_size, BLOCK_SIZE_MIN, BLOCK_SIZE_MAX);
		goto fail;
	}
	writer->workers = (unsigned int)min_u64(config->workers, WORK_POOL_WORKERS_MAX);
	writer->config.workers = writer->workers;
	count_slots(writer);
	writer->table_entries = div_round_up(config->max_stream, writer->config.block_size);
	writer->ranges_size = ranges_size(config);
	writer->window.max = window_pages(config);
	if (config->keys) {
		r = seal_create(&writer->seal, config->cipher, w);
		if (r < 0)
			goto fail;
	}
	r = take_memory(writer);
	if (r == 0)
		r = digest_open(&writer->extent_digest, DIGEST_SHA256);
	if (r == 0)
		r = digest_open(&writer->sections_digest, DIGEST_SHA256);
	if (r < 0) {
		why(w, r, "memory for writing the image (%u blocks of %u KiB): %s",
		    writer->buffer_count, writer->config.block_size >> 10, strerror(-r));
		goto fail;
	}
	*ret = writer;
	return 0;
fail:
	image_writer_destroy(writer);
	return r;
}

uint64_t image_writer_memory(const struct image_writer *writer)
{
	return writer->arena.size;
}

void image_writer_destroy(struct image_writer *writer)
{
	if (!writer)
		return;
	for (unsigned int i = 0; i < WORK_POOL_WORKERS_MAX; i++)
		block_worker_destroy(&writer->worker_state[i]);
	digest_close(&writer->extent_digest);
	digest_close(&writer->sections_digest);
	seal_destroy(&writer->seal);
	arena_destroy(&writer->arena);
	free(writer);
}
