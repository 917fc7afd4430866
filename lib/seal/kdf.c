/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seal/kdf.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/secret.h"
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
_Static_assert(AT_SALT + KDF_SALT_SIZE == KDF_DISK_SIZE, "on the disk");

void kdf_encode(const struct kdf *kdf, unsigned char at[KDF_DISK_SIZE])
{
	memset(at, 0, KDF_DISK_SIZE);
	put_le32(at + AT_MEMORY, kdf->memory_kib);
	put_le32(at + AT_PASSES, kdf->passes);
	put_le32(at + AT_LANES, kdf->lanes);
	memcpy(at + AT_SALT, kdf->salt, KDF_SALT_SIZE);
}

int kdf_decode(const unsigned char at[KDF_DISK_SIZE], struct kdf *ret, struct why *w)
{
	struct kdf kdf = {
		.memory_kib = get_le32(at + AT_MEMORY),
		.passes = get_le32(at + AT_PASSES),
		.lanes = get_le32(at + AT_LANES),
	};

	if (kdf.lanes == 0 || kdf.lanes > ARGON2_LANES_MAX || kdf.passes == 0 ||
	    kdf.memory_kib < 8 * kdf.lanes || kdf.memory_kib > KDF_MEMORY_MAX ||
	    kdf.passes > KDF_WORK_MAX / kdf.memory_kib)
		return why_damaged(w,
				   "deriving a key would take %u KiB of memory, %u "
				   "passes and %u lanes, which is over the limit",
				   kdf.memory_kib, kdf.passes, kdf.lanes);
	memcpy(kdf.salt, at + AT_SALT, KDF_SALT_SIZE);
	*ret = kdf;
	return 0;
}

void kdf_plan(uint64_t kib_per_second, uint64_t usec, uint64_t machine_memory, struct kdf *ret)
{
	uint64_t work = kib_per_second * usec / 1000000;
	uint64_t most = min_u64(machine_memory / 4 >> 10, KDF_MEMORY_MAX);
	uint64_t memory = max_u64(work / PASSES_MIN, MEMORY_MIN);

	most = max_u64(most, 8 * ARGON2_LANES_MAX);
	ret->memory_kib = (uint32_t)min_u64(memory, most);
	/* Work that the memory limit does not allow becomes more passes. */
	ret->passes =
		(uint32_t)max_u64(PASSES_MIN, min_u64(work, KDF_WORK_MAX / 2) / ret->memory_kib);
}

int kdf_choose(uint64_t usec, uint64_t machine_memory, unsigned int processors, struct kdf *ret,
	       struct why *w)
{
	struct kdf kdf = { .memory_kib = TRIAL_KIB, .passes = 1 };
	unsigned char key[KDF_KEY_SIZE];
	uint64_t begun = now_usec(), took;
	int r;

	kdf.lanes = (uint32_t)max_u64(1, min_u64(processors, LANES_WANTED));
	r = kdf_derive(&kdf, "trial", 5, key, w);
	if (r < 0)
		return r;
	took = max_u64(now_usec() - begun, 1);
	kdf_plan(TRIAL_KIB * 1000000ull / took, usec, machine_memory, &kdf);
	r = crypto_random(kdf.salt, KDF_SALT_SIZE);
	if (r < 0)
		return why(w, r, "no random numbers: %s", strerror(-r));
	*ret = kdf;
	return 0;
}

int kdf_derive(const struct kdf *kdf, const void *passphrase, size_t length,
	       unsigned char key[KDF_KEY_SIZE], struct why *w)
{
	const struct argon2_input input = {
		.password = passphrase,
		.password_length = length,
		.salt = kdf->salt,
		.salt_length = KDF_SALT_SIZE,
		.memory_kib = kdf->memory_kib,
		.passes = kdf->passes,
		.lanes = kdf->lanes,
	};
	int r = crypto_argon2id(&input, key, KDF_KEY_SIZE);

	if (r == -ENOMEM)
		return why(w, r, "deriving the key needs %u MiB of memory, which is not available",
			   kdf->memory_kib >> 10);
	return r < 0 ? why(w, r, "the passphrase cannot be used: %s", strerror(-r)) : 0;
}
