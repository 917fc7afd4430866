/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums, digests and the primitives of sealed images. crypto.c is the only file
 * that knows libgcrypt. How they are combined is up to seal/seal.h; see doc/security.md.
 */
#ifndef S2DISK_BASE_CRYPTO_H
#define S2DISK_BASE_CRYPTO_H

#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define MD5_SIZE 16

/* Call once, before anything else here and before any thread exists. 0, or -ENOSYS if the
 * library is too old. */
int crypto_init(struct why *w);

/* A running digest or checksum. Opening allocates, later calls do not: open it before
 * memory becomes scarce. Not thread-safe. */
struct digest {
	void *handle;
};

enum digest_kind {
	DIGEST_CRC32,  /* 4 bytes; standard CRC-32 (zlib's) */
	DIGEST_MD5,    /* 16 bytes; only to repeat what old kernels computed */
	DIGEST_SHA256, /* 32 bytes */
};

int digest_open(struct digest *digest, enum digest_kind kind);
void digest_update(struct digest *digest, const void *data, size_t length);

/* Writes the result (as many bytes as the kind has; big-endian for CRC-32) and starts over. */
void digest_final(struct digest *digest, void *result);

/* The result as a number, for DIGEST_CRC32. */
uint32_t digest_final_crc32(struct digest *digest);

/* Harmless on a zeroed struct. */
void digest_close(struct digest *digest);

/* One-shot versions; these allocate. -EOPNOTSUPP if the library refuses the algorithm
 * (MD5 in FIPS mode), -ENOMEM. */
int crypto_crc32(const void *data, size_t length, uint32_t *ret);

/* As if the 4 bytes at that place, where the result is kept, were zeros. */
int crypto_crc32_around(const void *data, size_t length, size_t at, uint32_t *ret);
int crypto_sha256(const void *data, size_t length, unsigned char result[SHA256_SIZE]);

/* The digest as hexadecimal digits. */
#define SHA256_TEXT_SIZE (2 * SHA256_SIZE + 1)
int crypto_sha256_text(const void *data, size_t length, char result[SHA256_TEXT_SIZE]);
int crypto_md5(const void *data, size_t length, unsigned char result[MD5_SIZE]);

/* Authenticated encryption. The numbers are part of the image format. */
enum aead_kind {
	AEAD_AES256_OCB = 1,	    /* RFC 7253 */
	AEAD_AES256_GCM = 2,	    /* NIST SP 800-38D */
	AEAD_CHACHA20_POLY1305 = 3, /* RFC 8439 */
};

#define AEAD_KINDS 3
#define AEAD_KEY_SIZE 32
#define AEAD_NONCE_SIZE 12
#define AEAD_TAG_SIZE 16

/* A cipher that is ready to use. Opening it allocates: do that before memory becomes
 * scarce. Not thread-safe. */
struct aead {
	void *handle;
};

/* 0, -ENOMEM, -EOPNOTSUPP if the library refuses the cipher (FIPS mode). */
int aead_open(struct aead *aead, enum aead_kind kind);

/* Replaces and overwrites any previous key. */
int aead_set_key(struct aead *aead, const unsigned char key[AEAD_KEY_SIZE]);

/* Encrypts data in place and computes the tag, which also covers ad (ad_length bytes that
 * stay as they are). Never use a nonce twice with the same key. */
int aead_seal(struct aead *aead, const unsigned char nonce[AEAD_NONCE_SIZE], const void *ad,
	      size_t ad_length, void *data, size_t length, unsigned char tag[AEAD_TAG_SIZE]);

/* Decrypts in place. -EBADMSG: not sealed with this key, nonce and ad; data is then wiped. */
int aead_unseal(struct aead *aead, const unsigned char nonce[AEAD_NONCE_SIZE], const void *ad,
		size_t ad_length, void *data, size_t length,
		const unsigned char tag[AEAD_TAG_SIZE]);

/* Wipes the key. Harmless on a zeroed struct. */
void aead_close(struct aead *aead);

/* HKDF with SHA-256 (RFC 5869): length bytes (at most 255 × 32) from a secret with enough
 * entropy. Allocates. */
struct hkdf_input {
	const void *secret;
	size_t secret_length;
	const void *salt;
	size_t salt_length;
	const void *info; /* what the result is for */
	size_t info_length;
};

int crypto_hkdf_sha256(const struct hkdf_input *input, unsigned char *result, size_t length);

/* Argon2id (RFC 9106), version 0x13. Takes memory_kib of memory and as many
 * threads as lanes. -EINVAL, -ENOMEM. secret and data may be NULL. */
struct argon2_input {
	const void *password;
	size_t password_length;
	const void *salt;
	size_t salt_length;
	const void *secret;
	size_t secret_length;
	const void *data;
	size_t data_length;
	uint32_t memory_kib, passes, lanes;
};

#define ARGON2_LANES_MAX 8u

int crypto_argon2id(const struct argon2_input *input, unsigned char *result, size_t length);

/* X25519 (RFC 7748). point NULL: the base point, for the public half of a private key.
 * -EBADMSG: the result is all zeros (a point of small order). */
#define X25519_SIZE 32
int crypto_x25519(const unsigned char scalar[X25519_SIZE], const unsigned char *point,
		  unsigned char result[X25519_SIZE]);

/* Random bytes for identifiers and keys, from the kernel (getrandom). 0 or a negative
 * errno; never blocks after boot. */
int crypto_random(void *buffer, size_t length);

#endif
