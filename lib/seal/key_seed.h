/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets that are drawn while a snapshot exists. They must not be drawn before it,
 * or they would be in the image; but the kernel's random number generator is in
 * the image, too, with all its state, and until it is seeded anew the restored
 * system gives out once more the very bytes that were drawn here. So nothing is
 * made of those bytes alone: a seed, drawn before the freeze, goes into it, which
 * the restored system wipes before any other process runs.
 */
#ifndef S2DISK_SEAL_KEY_SEED_H
#define S2DISK_SEAL_KEY_SEED_H

#include <stddef.h>

#define KEY_SEED_SIZE 32u

/* For locked memory; all zeros: there is none (any more). */
struct key_seed {
	unsigned char bytes[KEY_SEED_SIZE];
};

/* Draws one. 0 or a negative errno. */
int key_seed_make(struct key_seed *seed);

/* New secret bytes for a purpose ("image key"): HKDF-SHA256 of 32 bytes of the
 * kernel's and the seed. 0, or a negative errno; -ENOKEY: there is no seed. */
int key_seed_draw(const struct key_seed *seed, const char *purpose, void *ret, size_t length);

#endif
