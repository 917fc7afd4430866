/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/pipeline/block_slot.h"

#include "base/bytes.h"
#include "base/stopwatch.h"

#include <errno.h>

int block_worker_init(struct block_worker *worker, struct arena *arena, bool compress,
		      size_t page_size, enum aead_kind cipher)
{
	int r = 0;

	*worker = (struct block_worker){
		.compress = compress,
		.page_size = page_size,
	};
	if (compress) {
		worker->codec_state = arena_take(arena, codec_state_size());
		if (!worker->codec_state)
			return -ENOMEM;
	}
	if (cipher)
		r = aead_open(&worker->aead, cipher);
	return r < 0 ? r : digest_open(&worker->crc, DIGEST_CRC32);
}

int block_worker_key(struct block_worker *worker, const struct seal *seal)
{
	worker->image_id = seal->image_id;
	return seal_worker_key(seal, &worker->aead);
}

void block_worker_forget(struct block_worker *worker)
{
	static const unsigned char zeros[AEAD_KEY_SIZE];

	if (worker->aead.handle)
		aead_set_key(&worker->aead, zeros);
}

void block_worker_destroy(struct block_worker *worker)
{
	digest_close(&worker->crc);
	aead_close(&worker->aead);
}

static uint32_t block_crc(struct block_worker *worker, const struct block_slot *slot)
{
	digest_update(&worker->crc, slot->stored, slot->entry.stored_size);
	return digest_final_crc32(&worker->crc);
}

static struct block_place place_of(const struct block_worker *worker, const struct block_slot *slot)
{
	return (struct block_place){
		.image_id = worker->image_id,
		.index = slot->index,
		.raw_size = slot->raw_size,
		.stored_size = slot->entry.stored_size,
		.codec = slot->entry.codec,
	};
}

/* Computes the check of the stored bytes; sealing encrypts them in place. */
static int protect(struct block_worker *worker, struct block_slot *slot)
{
	struct block_place place = place_of(worker, slot);

	if (worker->aead.handle)
		return seal_block(&worker->aead, &place, slot->stored, slot->entry.check);
	put_le32(slot->entry.check, block_crc(worker, slot));
	return 0;
}

static int damaged(struct block_slot *slot)
{
	slot->damaged = true;
	return -EBADMSG;
}

/* Verifies it, and decrypts. */
static int verify(struct block_worker *worker, struct block_slot *slot)
{
	struct block_place place = place_of(worker, slot);
	size_t end;
	int r;

	if (!worker->aead.handle)
		return block_crc(worker, slot) == get_le32(slot->entry.check) ? 0 : damaged(slot);
	/* No byte that the image takes may be other than it was. */
	end = stored_pages(place.stored_size, worker->page_size) * worker->page_size;
	if (!bytes_all_zero(slot->stored + place.stored_size, end - place.stored_size))
		return damaged(slot);
	r = unseal_block(&worker->aead, &place, slot->stored, slot->entry.check);
	return r == -EBADMSG ? damaged(slot) : r;
}

void block_pack(void *worker_context, void *job)
{
	struct block_worker *worker = worker_context;
	struct block_slot *slot = job;
	uint64_t begun = now_usec();
	size_t stored = 0, padding;

	/* Blocks take whole pages, so compression must save at least one. */
	if (worker->compress && slot->raw_size > worker->page_size)
		stored =
			codec_compress(worker->codec_state, slot->raw, slot->raw_size, slot->packed,
				       slot->raw_size - worker->page_size, slot->effort);
	slot->stored = stored ? slot->packed : slot->raw;
	slot->entry = (struct block_entry){
		.stored_size = stored ? (uint32_t)stored : slot->raw_size,
		.codec = stored ? CODEC_LZ4 : CODEC_RAW,
	};
	padding = stored_pages(slot->entry.stored_size, worker->page_size) * worker->page_size -
		  slot->entry.stored_size;
	memset(slot->stored + slot->entry.stored_size, 0, padding);
	slot->error = protect(worker, slot);
	slot->usec = now_usec() - begun;
}

void block_unpack(void *worker_context, void *job)
{
	struct block_worker *worker = worker_context;
	struct block_slot *slot = job;

	slot->damaged = false;
	slot->error = verify(worker, slot);
	if (slot->error == 0 && slot->entry.codec == CODEC_LZ4 &&
	    codec_decompress(slot->stored, slot->entry.stored_size, slot->raw, slot->raw_size) < 0)
		slot->error = damaged(slot);
}
