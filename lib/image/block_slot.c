/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/block_slot.h"

#include "base/bytes.h"

#include <errno.h>

int block_worker_init(struct block_worker *worker, struct arena *arena, bool compress,
		      size_t page_size)
{
	*worker = (struct block_worker){
		.compress = compress,
		.acceleration = 1,
		.page_size = page_size,
	};
	worker->codec_state = arena_take(arena, codec_state_size());
	if (!worker->codec_state)
		return -ENOMEM;
	return digest_open(&worker->crc, DIGEST_CRC32);
}

void block_worker_destroy(struct block_worker *worker)
{
	digest_close(&worker->crc);
}

static uint32_t block_crc(struct block_worker *worker, const struct block_slot *slot)
{
	digest_update(&worker->crc, slot->stored, slot->entry.stored_size);
	return digest_final_crc32(&worker->crc);
}

void block_pack(void *worker_context, void *job)
{
	struct block_worker *worker = worker_context;
	struct block_slot *slot = job;
	size_t stored = 0, padding;

	/* Only whole pages count, so compressing must save one. */
	if (worker->compress && slot->raw_size > worker->page_size)
		stored =
			codec_compress(worker->codec_state, slot->raw, slot->raw_size, slot->packed,
				       slot->raw_size - worker->page_size, worker->acceleration);
	slot->stored = stored ? slot->packed : slot->raw;
	slot->entry = (struct block_entry){
		.stored_size = stored ? (uint32_t)stored : slot->raw_size,
		.codec = stored ? CODEC_LZ4 : CODEC_RAW,
	};
	padding = stored_pages(slot->entry.stored_size, worker->page_size) * worker->page_size -
		  slot->entry.stored_size;
	memset(slot->stored + slot->entry.stored_size, 0, padding);
	put_le32(slot->entry.check, block_crc(worker, slot));
	slot->error = 0;
}

void block_unpack(void *worker_context, void *job)
{
	struct block_worker *worker = worker_context;
	struct block_slot *slot = job;

	slot->error = 0;
	if (block_crc(worker, slot) != get_le32(slot->entry.check))
		slot->error = -EBADMSG;
	else if (slot->entry.codec == CODEC_LZ4)
		slot->error = codec_decompress(slot->stored, slot->entry.stored_size, slot->raw,
					       slot->raw_size);
}
