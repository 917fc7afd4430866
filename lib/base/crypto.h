/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums and digests. crypto.c is the only file that knows libgcrypt.
 */
#ifndef S2DISK_BASE_CRYPTO_H
#define S2DISK_BASE_CRYPTO_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define MD5_SIZE 16

/* Must be called once, before anything else here and before threads exist.
 * 0 or -ENOSYS when the library found is too old. */
int crypto_init(struct why *w);

/* A running digest or checksum. Opening allocates; all later calls do not, so
 * it is opened before memory becomes scarce. Not to be shared by threads. */
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

/* The result (as many bytes as the kind has; big-endian for CRC-32) into
 * result, and a fresh start. */
void digest_final(struct digest *digest, void *result);

/* The same as a number, for DIGEST_CRC32. */
uint32_t digest_final_crc32(struct digest *digest);

/* Harmless on a zeroed struct. */
void digest_close(struct digest *digest);

/* In one go; these allocate. -EOPNOTSUPP where the library refuses the
 * algorithm (MD5 in FIPS mode), -ENOMEM. */
int crypto_crc32(const void *data, size_t length, uint32_t *ret);
int crypto_sha256(const void *data, size_t length, unsigned char result[SHA256_SIZE]);
int crypto_md5(const void *data, size_t length, unsigned char result[MD5_SIZE]);

/* Random bytes for identifiers and keys, from the kernel (getrandom). 0 or a
 * negative errno; never blocks once the machine has booted. */
int crypto_random(void *buffer, size_t length);

#endif
