/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A key pair: with its public half images are sealed without asking anybody,
 * with its private half, which a passphrase seals, they are opened. Pure.
 * doc/image-format.md, "Key pair file".
 *
 * Whoever has the public half alone could seal an image of his own making. So
 * the file has a third part, the origin key, known to the machine that
 * hibernates and, sealed with the private half, to whoever has the passphrase:
 * an image opens only if it was sealed with it.
 */
#ifndef S2DISK_SEAL_KEY_PAIR_H
#define S2DISK_SEAL_KEY_PAIR_H

#include "base/crypto.h"
#include "base/why.h"
#include "seal/kdf.h"

#include <stddef.h>

#define ORIGIN_KEY_SIZE 32
#define KEY_PAIR_SEALED_SIZE (X25519_SIZE + ORIGIN_KEY_SIZE + AEAD_TAG_SIZE)
#define KEY_PAIR_FILE_SIZE 256u

/* The private half and the origin key, sealed. Goes into every image. */
struct sealed_pair {
	struct stretch stretch; /* of the passphrase */
	unsigned char public_half[X25519_SIZE];
	unsigned char sealed[KEY_PAIR_SEALED_SIZE];
};

/* What the machine that hibernates has. */
struct key_pair {
	struct sealed_pair pair;
	unsigned char origin[ORIGIN_KEY_SIZE]; /* secret */
};

/* Both secrets, opened. For locked memory. */
struct opened_pair {
	unsigned char private_half[X25519_SIZE];
	unsigned char origin[ORIGIN_KEY_SIZE];
};

/* A new pair (0), or the same one under another passphrase. The stretch has its
 * own, fresh salt. */
int key_pair_make(const struct stretch *stretch, const void *passphrase, size_t length,
		  struct key_pair *ret, struct why *w);
int key_pair_change(struct key_pair *pair, const struct opened_pair *opened,
		    const struct stretch *stretch, const void *passphrase, size_t length,
		    struct why *w);

/* -EKEYREJECTED: not this passphrase (or the pair was changed). */
int sealed_pair_open(const struct sealed_pair *pair, const void *passphrase, size_t length,
		     struct opened_pair *ret, struct why *w);

/* The file. decode: -EBADMSG with the reason. */
int key_pair_encode(const struct key_pair *pair, unsigned char file[KEY_PAIR_FILE_SIZE]);
int key_pair_decode(const unsigned char *file, size_t size, struct key_pair *ret, struct why *w);

#endif
