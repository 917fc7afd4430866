/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating and destroying what loads an image: all its memory. */
#include "image/image_reader_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

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

int load_create(struct image_reader *reader, struct load **ret, struct why *w)
{
	struct load *load = calloc(1, sizeof(*load));
	int r;

	if (!load)
		return -ENOMEM;
	load->reader = reader;
	load->serial = reader->config.workers == 0;
	load->threads = count_threads(reader);
	load->held_max = count_held(reader);
	load->batch_bytes = full_batch(reader);
	r = take_memory(load);
	if (r < 0) {
		load_destroy(load);
		return why(w, r, "memory for loading the image: %s", strerror(-r));
	}
	*ret = load;
	return 0;
}

void load_destroy(struct load *load)
{
	for (unsigned int i = 0; i < WORK_POOL_WORKERS_MAX; i++)
		block_worker_destroy(&load->unpackers[i].worker);
	arena_destroy(&load->arena);
	free(load);
}
