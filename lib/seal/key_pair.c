/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seal/key_pair.h"

#include "base/bytes.h"
#include "crypto/secret.h"

#include <errno.h>

enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_CRC = 12,
	AT_KDF = 16,
	AT_PUBLIC = 48,
	AT_ORIGIN = 80,
	AT_SEALED = 112,
	AT_RESERVED = 192,
};
_Static_assert(AT_KDF + KDF_DISK_SIZE == AT_PUBLIC, "public half");
_Static_assert(AT_SEALED + KEY_PAIR_SEALED_SIZE == AT_RESERVED, "the end");

static const char pair_magic[8] = "s2diskKP";
#define PAIR_VERSION 1

_Static_assert(sizeof(struct opened_pair) == KEY_PAIR_SEALED_SIZE - AEAD_TAG_SIZE, "no padding");

/* The cipher that seals both secrets, and its additional data. The salt makes the key
 * unique, so the nonce may be zero. */
static int pair_cipher(const struct sealed_pair *pair, const void *passphrase, size_t length,
		       struct aead *ret, unsigned char ad[KDF_DISK_SIZE + X25519_SIZE],
		       struct why *w)
{
	unsigned char key[KDF_KEY_SIZE];
	int r = aead_open(ret, AEAD_AES256_GCM);

	if (r < 0)
		return r;
	kdf_encode(&pair->kdf, ad);
	memcpy(ad + KDF_DISK_SIZE, pair->public_half, X25519_SIZE);
	r = kdf_derive(&pair->kdf, passphrase, length, key, w);
	if (r == 0)
		r = aead_set_key(ret, key);
	secret_wipe(key, sizeof(key));
	if (r < 0)
		aead_close(ret);
	return r;
}

static const unsigned char nonce[AEAD_NONCE_SIZE];

int key_pair_change(struct key_pair *pair, const struct opened_pair *opened, const struct kdf *kdf,
		    const void *passphrase, size_t length, struct why *w)
{
	unsigned char ad[KDF_DISK_SIZE + X25519_SIZE];
	struct sealed_pair fresh = { .kdf = *kdf };
	struct aead aead = { 0 };
	size_t size = sizeof(*opened);
	int r;

	memcpy(fresh.public_half, pair->pair.public_half, X25519_SIZE);
	r = pair_cipher(&fresh, passphrase, length, &aead, ad, w);
	if (r < 0)
		return r;
	memcpy(fresh.sealed, opened, size);
	r = aead_seal(&aead, nonce, ad, sizeof(ad), fresh.sealed, size, fresh.sealed + size);
	aead_close(&aead);
	if (r == 0)
		pair->pair = fresh;
	secret_wipe(&fresh, sizeof(fresh));
	return r;
}

int key_pair_make(const struct kdf *kdf, const void *passphrase, size_t length,
		  struct key_pair *ret, struct why *w)
{
	struct opened_pair *opened = secret_alloc(sizeof(*opened));
	int r;

	if (!opened)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	*ret = (struct key_pair){ 0 };
	r = crypto_random(opened, sizeof(*opened));
	if (r == 0)
		r = crypto_x25519(opened->private_half, NULL, ret->pair.public_half);
	if (r == 0) {
		memcpy(ret->origin, opened->origin, ORIGIN_KEY_SIZE);
		r = key_pair_change(ret, opened, kdf, passphrase, length, w);
	}
	secret_free(opened, sizeof(*opened));
	return r;
}

int sealed_pair_open(const struct sealed_pair *pair, const void *passphrase, size_t length,
		     struct opened_pair *ret, struct why *w)
{
	unsigned char ad[KDF_DISK_SIZE + X25519_SIZE];
	struct aead aead = { 0 };
	int r;

	/* libgcrypt 1.10 derives no key from nothing. */
	if (length == 0)
		return -EKEYREJECTED;
	r = pair_cipher(pair, passphrase, length, &aead, ad, w);
	if (r < 0)
		return r;
	memcpy(ret, pair->sealed, sizeof(*ret));
	r = aead_unseal(&aead, nonce, ad, sizeof(ad), ret, sizeof(*ret),
			pair->sealed + sizeof(*ret));
	aead_close(&aead);
	return r == -EBADMSG ? -EKEYREJECTED : r;
}

int key_pair_encode(const struct key_pair *pair, unsigned char file[KEY_PAIR_FILE_SIZE])
{
	uint32_t crc;
	int r;

	memset(file, 0, KEY_PAIR_FILE_SIZE);
	memcpy(file + AT_MAGIC, pair_magic, sizeof(pair_magic));
	put_le32(file + AT_VERSION, PAIR_VERSION);
	kdf_encode(&pair->pair.kdf, file + AT_KDF);
	memcpy(file + AT_PUBLIC, pair->pair.public_half, X25519_SIZE);
	memcpy(file + AT_ORIGIN, pair->origin, ORIGIN_KEY_SIZE);
	memcpy(file + AT_SEALED, pair->pair.sealed, KEY_PAIR_SEALED_SIZE);
	r = crypto_crc32_around(file, KEY_PAIR_FILE_SIZE, AT_CRC, &crc);
	if (r == 0)
		put_le32(file + AT_CRC, crc);
	return r;
}

int key_pair_decode(const unsigned char *file, size_t size, struct key_pair *ret, struct why *w)
{
	struct key_pair pair;
	uint32_t crc;
	int r;

	if (size != KEY_PAIR_FILE_SIZE || memcmp(file, pair_magic, sizeof(pair_magic)) != 0)
		return why(w, -EBADMSG, "this is not a key pair that s2disk-keygen made");
	if (get_le32(file + AT_VERSION) != PAIR_VERSION)
		return why(w, -EBADMSG, "the key pair has version %u, this program knows %u",
			   get_le32(file + AT_VERSION), PAIR_VERSION);
	r = crypto_crc32_around(file, KEY_PAIR_FILE_SIZE, AT_CRC, &crc);
	if (r < 0)
		return r;
	if (crc != get_le32(file + AT_CRC))
		return why(w, -EBADMSG, "the key pair is damaged");
	r = kdf_decode(file + AT_KDF, &pair.pair.kdf, w);
	if (r < 0)
		return r;
	memcpy(pair.pair.public_half, file + AT_PUBLIC, X25519_SIZE);
	memcpy(pair.origin, file + AT_ORIGIN, ORIGIN_KEY_SIZE);
	memcpy(pair.pair.sealed, file + AT_SEALED, KEY_PAIR_SEALED_SIZE);
	*ret = pair;
	secret_wipe(&pair, sizeof(pair));
	return 0;
}
