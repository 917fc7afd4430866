/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block in transit: its memory, and what the workers do with it. */
#ifndef S2DISK_IMAGE_BLOCK_SLOT_H
#define S2DISK_IMAGE_BLOCK_SLOT_H

#include "crypto/crypto.h"
#include "base/memory.h"
#include "format/block_table.h"
#include "seal/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block_slot {
	unsigned char *raw;    /* block size bytes, page-aligned */
	unsigned char *packed; /* the same; for packing only */
	uint32_t raw_size;
	struct block_entry entry;
	unsigned char *stored; /* raw or packed: what is on the disk */
	uint64_t index;	       /* of the block */
	int effort;	       /* packing: as for codec_compress */
	uint64_t usec;	       /* duration of packing */
	int error;	       /* a worker's */
	bool damaged;	       /* the error is damage: not the bytes that were stored */
};

/* State of one worker. */
struct block_worker {
	void *codec_state; /* for compressing only */
	struct digest crc;
	bool compress;
	size_t page_size;
	struct aead aead;	       /* of a sealed image; without handle: of a plain one */
	const unsigned char *image_id; /* of a sealed image */
};

/* cipher 0: for plain images; else block_worker_key comes before the first
 * block. 0, -ENOMEM, -EOPNOTSUPP; block_worker_destroy in any case. */
int block_worker_init(struct block_worker *worker, struct arena *arena, bool compress,
		      size_t page_size, enum aead_kind cipher);

/* The key of an image, which must outlive its use. */
int block_worker_key(struct block_worker *worker, const struct seal *seal);

/* Wipes the key; harmless if there is none. */
void block_worker_forget(struct block_worker *worker);
void block_worker_destroy(struct block_worker *worker);

/* Work functions of a pool: block_worker, block_slot.
 *
 * Packing: raw, raw_size and effort in; stored, entry, usec out; the stored bytes are padded
 * with zeros to a whole page. If compression does not save a page, the block stays raw. */
void block_pack(void *worker, void *slot);

/* Unpacking: stored, entry and raw_size in; the check is verified, then raw
 * filled. A raw block is not copied: *stored is the data. */
void block_unpack(void *worker, void *slot);

/* The raw bytes of a slot that was unpacked. */
static inline const unsigned char *block_data(const struct block_slot *slot)
{
	return slot->entry.codec == CODEC_RAW ? slot->stored : slot->raw;
}

#endif
