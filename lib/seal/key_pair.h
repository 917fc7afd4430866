/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A key pair: its public half seals images without asking for anything; its private half, which a
 * passphrase protects, opens them. Pure. doc/image-format.md, "Key pair file".
 *
 * The public half alone would allow an attacker to seal a forged image. So the file has a third
 * part, the origin key, which only the hibernating machine has, and, sealed together with the
 * private half, the owner of the passphrase: an image opens only if it was sealed with it.
 */
#ifndef S2DISK_SEAL_KEY_PAIR_H
#define S2DISK_SEAL_KEY_PAIR_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "seal/kdf.h"

#include <stddef.h>

#define ORIGIN_KEY_SIZE 32
#define KEY_PAIR_SEALED_SIZE (X25519_SIZE + ORIGIN_KEY_SIZE + AEAD_TAG_SIZE)
#define KEY_PAIR_FILE_SIZE 256u

/* The private half and the origin key, sealed. Part of every image. */
struct sealed_pair {
	struct kdf kdf; /* of the passphrase */
	unsigned char public_half[X25519_SIZE];
	unsigned char sealed[KEY_PAIR_SEALED_SIZE];
};

/* What the hibernating machine has. */
struct key_pair {
	struct sealed_pair pair;
	unsigned char origin[ORIGIN_KEY_SIZE]; /* secret */
};

/* Both secrets, opened. For locked memory. */
struct opened_pair {
	unsigned char private_half[X25519_SIZE];
	unsigned char origin[ORIGIN_KEY_SIZE];
};

/* A new pair, or the same one under another passphrase. The KDF parameters have a fresh
 * salt of their own. */
int key_pair_make(const struct kdf *kdf, const void *passphrase, size_t length,
		  struct key_pair *ret, struct why *w);
int key_pair_change(struct key_pair *pair, const struct opened_pair *opened, const struct kdf *kdf,
		    const void *passphrase, size_t length, struct why *w);

/* -EKEYREJECTED: wrong passphrase (or the pair was changed). */
int sealed_pair_open(const struct sealed_pair *pair, const void *passphrase, size_t length,
		     struct opened_pair *ret, struct why *w);

/* The file format. decode: -EBADMSG with the reason. */
int key_pair_encode(const struct key_pair *pair, unsigned char file[KEY_PAIR_FILE_SIZE]);
int key_pair_decode(const unsigned char *file, size_t size, struct key_pair *ret, struct why *w);

#endif
