/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seal/kdf.h"

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/secret.h"
#include "base/stopwatch.h"

#include <errno.h>

/* RFC 9106 asks for three passes where memory is less than gigabytes. */
#define PASSES_MIN 3u
#define MEMORY_MIN (32u << 10) /* KiB */
#define LANES_WANTED 4u
#define TRIAL_KIB (16u << 10)

enum {
	AT_MEMORY = 0,
	AT_PASSES = 4,
	AT_LANES = 8,
	AT_SALT = 16,
};
_Static_assert(AT_SALT + STRETCH_SALT_SIZE == STRETCH_DISK_SIZE, "on the disk");

void stretch_encode(const struct stretch *stretch, unsigned char at[STRETCH_DISK_SIZE])
{
	memset(at, 0, STRETCH_DISK_SIZE);
	put_le32(at + AT_MEMORY, stretch->memory_kib);
	put_le32(at + AT_PASSES, stretch->passes);
	put_le32(at + AT_LANES, stretch->lanes);
	memcpy(at + AT_SALT, stretch->salt, STRETCH_SALT_SIZE);
}

int stretch_decode(const unsigned char at[STRETCH_DISK_SIZE], struct stretch *ret, struct why *w)
{
	struct stretch stretch = {
		.memory_kib = get_le32(at + AT_MEMORY),
		.passes = get_le32(at + AT_PASSES),
		.lanes = get_le32(at + AT_LANES),
	};

	if (stretch.lanes == 0 || stretch.lanes > ARGON2_LANES_MAX || stretch.passes == 0 ||
	    stretch.memory_kib < 8 * stretch.lanes || stretch.memory_kib > STRETCH_MEMORY_MAX ||
	    stretch.passes > STRETCH_WORK_MAX / stretch.memory_kib)
		return why_damaged(
			w,
			"a passphrase would have to be stretched with %u KiB of memory, %u "
			"passes and %u lanes, which is not taken",
			stretch.memory_kib, stretch.passes, stretch.lanes);
	memcpy(stretch.salt, at + AT_SALT, STRETCH_SALT_SIZE);
	*ret = stretch;
	return 0;
}

void stretch_plan(uint64_t kib_per_second, uint64_t usec, uint64_t machine_memory,
		  struct stretch *ret)
{
	uint64_t work = kib_per_second * usec / 1000000;
	uint64_t most = min_u64(machine_memory / 4 >> 10, STRETCH_MEMORY_MAX);
	uint64_t memory = max_u64(work / PASSES_MIN, MEMORY_MIN);

	most = max_u64(most, 8 * ARGON2_LANES_MAX);
	ret->memory_kib = (uint32_t)min_u64(memory, most);
	/* What memory may not take goes into more passes. */
	ret->passes = (uint32_t)max_u64(PASSES_MIN,
					min_u64(work, STRETCH_WORK_MAX / 2) / ret->memory_kib);
}

int stretch_choose(uint64_t usec, uint64_t machine_memory, unsigned int processors,
		   struct stretch *ret, struct why *w)
{
	struct stretch stretch = { .memory_kib = TRIAL_KIB, .passes = 1 };
	unsigned char key[STRETCH_KEY_SIZE];
	uint64_t begun = now_usec(), took;
	int r;

	stretch.lanes = (uint32_t)max_u64(1, min_u64(processors, LANES_WANTED));
	r = stretch_passphrase(&stretch, "trial", 5, key, w);
	if (r < 0)
		return r;
	took = max_u64(now_usec() - begun, 1);
	stretch_plan(TRIAL_KIB * 1000000ull / took, usec, machine_memory, &stretch);
	r = crypto_random(stretch.salt, STRETCH_SALT_SIZE);
	if (r < 0)
		return why(w, r, "no random numbers: %s", strerror(-r));
	*ret = stretch;
	return 0;
}

int stretch_passphrase(const struct stretch *stretch, const void *passphrase, size_t length,
		       unsigned char key[STRETCH_KEY_SIZE], struct why *w)
{
	const struct argon2_input input = {
		.password = passphrase,
		.password_length = length,
		.salt = stretch->salt,
		.salt_length = STRETCH_SALT_SIZE,
		.memory_kib = stretch->memory_kib,
		.passes = stretch->passes,
		.lanes = stretch->lanes,
	};
	int r = crypto_argon2id(&input, key, STRETCH_KEY_SIZE);

	if (r == -ENOMEM)
		return why(w, r, "the passphrase needs %u MiB of memory, which is not there",
			   stretch->memory_kib >> 10);
	return r < 0 ? why(w, r, "the passphrase cannot be used: %s", strerror(-r)) : 0;
}
