/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passphrases made into keys, at a cost that guessing has to pay each time. */
#ifndef S2DISK_SEAL_KDF_H
#define S2DISK_SEAL_KDF_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

#define STRETCH_SALT_SIZE 16
#define STRETCH_KEY_SIZE 32

/* On the disk: memory KiB, passes, lanes, reserved (4 bytes each), salt. */
#define STRETCH_DISK_SIZE 32u

/* Bounds, so that a hostile header can exhaust neither memory nor patience:
 * beyond them an image is refused before anything is computed. */
#define STRETCH_MEMORY_MAX (1024u << 10) /* KiB */
#define STRETCH_WORK_MAX (16u << 20)	 /* KiB × passes, of all slots of an image */

/* Argon2id's parameters. */
struct stretch {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t lanes;
	unsigned char salt[STRETCH_SALT_SIZE];
};

void stretch_encode(const struct stretch *stretch, unsigned char at[STRETCH_DISK_SIZE]);

/* -EBADMSG: out of bounds. */
int stretch_decode(const unsigned char at[STRETCH_DISK_SIZE], struct stretch *ret, struct why *w);

/* Parameters that take about so many microseconds on this machine, and at most
 * a quarter of its memory (bytes), with a random salt. Never less than 32 MiB
 * and three passes where that memory is there. Measures, which takes a while. */
int stretch_choose(uint64_t usec, uint64_t machine_memory, unsigned int processors,
		   struct stretch *ret, struct why *w);

/* Pure: what stretch_choose chooses for a machine that fills so many KiB a
 * second. */
void stretch_plan(uint64_t kib_per_second, uint64_t usec, uint64_t machine_memory,
		  struct stretch *ret);

/* The key. -ENOMEM with a sentence where the memory is not there. */
int stretch_passphrase(const struct stretch *stretch, const void *passphrase, size_t length,
		       unsigned char key[STRETCH_KEY_SIZE], struct why *w);

#endif
