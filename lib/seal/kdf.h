/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Derives keys from passphrases, at a cost that every guess has to pay. */
#ifndef S2DISK_SEAL_KDF_H
#define S2DISK_SEAL_KDF_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

#define KDF_SALT_SIZE 16
#define KDF_KEY_SIZE 32

/* On the disk: memory KiB, passes, lanes, reserved (4 bytes each), salt. */
#define KDF_DISK_SIZE 32u

/* Limits, so that a hostile header can neither exhaust memory nor take for ever: beyond
 * them an image is refused before anything is computed. */
#define KDF_MEMORY_MAX (1024u << 10) /* KiB */
#define KDF_WORK_MAX (16u << 20)     /* KiB × passes, of all slots of an image */

/* Argon2id's parameters. */
struct kdf {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t lanes;
	unsigned char salt[KDF_SALT_SIZE];
};

void kdf_encode(const struct kdf *kdf, unsigned char at[KDF_DISK_SIZE]);

/* -EBADMSG: out of bounds. */
int kdf_decode(const unsigned char at[KDF_DISK_SIZE], struct kdf *ret, struct why *w);

/* Parameters that take about usec microseconds on this machine and at most a quarter of
 * its memory (bytes), with a random salt. At least 32 MiB and three passes if there is
 * enough memory. This measures, which takes a while. */
int kdf_choose(uint64_t usec, uint64_t machine_memory, unsigned int processors, struct kdf *ret,
	       struct why *w);

/* Pure: what kdf_choose chooses for a machine that fills this many KiB per second. */
void kdf_plan(uint64_t kib_per_second, uint64_t usec, uint64_t machine_memory, struct kdf *ret);

/* Derives the key. -ENOMEM with a sentence if there is not enough memory. */
int kdf_derive(const struct kdf *kdf, const void *passphrase, size_t length,
	       unsigned char key[KDF_KEY_SIZE], struct why *w);

#endif
