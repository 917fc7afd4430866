/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key slots of a sealed image: each wraps the image's key in one way.
 * doc/image-format.md, "Key slots".
 */
#ifndef S2DISK_SEAL_KEY_SLOTS_H
#define S2DISK_SEAL_KEY_SLOTS_H

#include "base/why.h"
#include "format/format.h"
#include "format/header_page.h"
#include "seal/key_pair.h"
#include "seal/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key file has at least this many bytes, all of them random; bytes beyond the maximum
 * are ignored. */
#define KEY_FILE_MIN 32u
#define KEY_FILE_MAX 65536u

enum key_kind {
	KEY_UNKNOWN = 0, /* reading: a slot of a newer version */
	KEY_PASSPHRASE = 1,
	KEY_PAIR = 2,
	KEY_FILE = 3,
};

/* "passphrase", "key pair", "key file", "unknown". */
const char *key_kind_name(enum key_kind kind);

/* Writing. A way to the key, prepared before memory is scarce: using it asks no question
 * and derives nothing. For locked memory. */
struct key_way {
	enum key_kind kind;
	struct kdf kdf;			    /* passphrase */
	unsigned char secret[KDF_KEY_SIZE]; /* derived from the passphrase; hash of the key file */
	struct key_pair pair;		    /* key pair */
};

struct key_ways {
	struct key_way ways[KEY_SLOTS_MAX];
	uint32_t count;
	struct key_seed seed; /* of the image's key */
};

/* With a seed and no ways. NULL with errno set; key_ways_free wipes it. */
struct key_ways *key_ways_alloc(void);
void key_ways_free(struct key_ways *ways);

/* Each adds a way; -ENOSPC: there are KEY_SLOTS_MAX already. */
int key_ways_add_passphrase(struct key_ways *ways, const struct kdf *kdf, const void *passphrase,
			    size_t length, struct why *w);
int key_ways_add_pair(struct key_ways *ways, const struct key_pair *pair, struct why *w);
int key_ways_add_file(struct key_ways *ways, const void *data, size_t size, struct why *w);

/* Wraps the key of an image in each way, into count × KEY_SLOT_SIZE bytes. Never use an
 * image's id twice. */
int key_ways_wrap(const struct key_ways *ways, const unsigned char image_id[IMAGE_ID_SIZE],
		  const unsigned char key[IMAGE_KEY_SIZE], unsigned char *slots);

/* Reading. */
struct key_slot {
	enum key_kind kind;
	struct kdf kdf;		 /* passphrase */
	struct sealed_pair pair; /* key pair */
	unsigned char ephemeral[X25519_SIZE];
	const unsigned char *at; /* in the page */
};

struct key_slots {
	struct key_slot slots[KEY_SLOTS_MAX];
	uint32_t count;
	uint64_t created;
	unsigned char image_id[IMAGE_ID_SIZE];
};

/* Parses all slots of a sealed header. Numbers out of bounds, one by one or as total
 * work, are -EBADMSG. Slots of unknown kinds are counted and skipped; -ENOTSUP if there
 * are no others. Points into the page. */
int key_slots_decode(const struct header_front *front, struct key_slots *ret, struct why *w);

bool key_slots_have(const struct key_slots *slots, enum key_kind kind);
uint32_t key_slots_unknown(const struct key_slots *slots);

/* Tries to open one of the slots. 0: the image's key is in key (locked memory).
 * -EKEYREJECTED: it opens none, as an empty one always; other errors with a sentence. */
int key_slots_try_passphrase(const struct key_slots *slots, const void *passphrase, size_t length,
			     unsigned char key[IMAGE_KEY_SIZE], struct why *w);
int key_slots_try_file(const struct key_slots *slots, const void *data, size_t size,
		       unsigned char key[IMAGE_KEY_SIZE], struct why *w);

#endif
