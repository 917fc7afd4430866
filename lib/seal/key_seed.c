/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seal/key_seed.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/secret.h"

#include <errno.h>
#include <string.h>

#define FRESH_SIZE 32u

int key_seed_make(struct key_seed *seed)
{
	return crypto_random(seed->bytes, sizeof(seed->bytes));
}

int key_seed_draw(const struct key_seed *seed, const char *purpose, void *ret, size_t length)
{
	unsigned char secret[FRESH_SIZE + KEY_SEED_SIZE];
	const struct hkdf_input input = {
		.secret = secret,
		.secret_length = sizeof(secret),
		.info = purpose,
		.info_length = strlen(purpose),
	};
	int r;

	if (bytes_all_zero(seed->bytes, sizeof(seed->bytes)))
		return -ENOKEY;
	r = crypto_random(secret, FRESH_SIZE);
	memcpy(secret + FRESH_SIZE, seed->bytes, KEY_SEED_SIZE);
	if (r == 0)
		r = crypto_hkdf_sha256(&input, ret, length);
	secret_wipe(secret, sizeof(secret));
	return r;
}
