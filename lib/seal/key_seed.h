/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets that are drawn while a snapshot exists. They must not be drawn before it, or
 * they would be in the image; but the image also contains the state of the kernel's
 * random number generator, and until that is reseeded the restored system hands out the
 * same bytes again. So no secret is made of those bytes alone: a seed, drawn before the
 * freeze, is mixed in, and the restored system wipes it before any other process runs.
 */
#ifndef S2DISK_SEAL_KEY_SEED_H
#define S2DISK_SEAL_KEY_SEED_H

#include <stddef.h>

#define KEY_SEED_SIZE 32u

/* For locked memory; all zeros: no seed (any more). */
struct key_seed {
	unsigned char bytes[KEY_SEED_SIZE];
};

/* Draws one. 0 or a negative errno. */
int key_seed_make(struct key_seed *seed);

/* Derives new secret bytes for a purpose ("image key"): HKDF-SHA256 of 32 bytes from the
 * kernel and the seed. 0, or a negative errno; -ENOKEY: there is no seed. */
int key_seed_draw(const struct key_seed *seed, const char *purpose, void *ret, size_t length);

#endif
