/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reseed.h"

#include "crypto/crypto.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "kernel/kernel_random.h"

#include <errno.h>
#include <string.h>
#include <time.h>

void reseed_kernel(int fd, const struct key_seed *seed)
{
	static const char info[] = "s2disk 1 reseed";
	unsigned char input[SHA256_SIZE] = { 0 };
	struct timespec now;
	struct hkdf_input hkdf = {
		.secret = &now,
		.secret_length = sizeof(now),
		.info = info,
		.info_length = sizeof(info) - 1,
	};
	int r;

	/* The kernel's own sources may have contributed little since. The time differs from any
	 * time before the snapshot, and the seed is known only to the image. */
	clock_gettime(CLOCK_REALTIME, &now);
	if (seed) {
		hkdf.salt = seed->bytes;
		hkdf.salt_length = sizeof(seed->bytes);
	}
	/* Without memory for the KDF, the time alone. */
	if (crypto_hkdf_sha256(&hkdf, input, sizeof(input)) < 0)
		memcpy(input, &now, sizeof(now));
	r = fd < 0 ? fd : kernel_random_renew(fd, input, sizeof(input));
	secret_wipe(input, sizeof(input));
	if (r < 0)
		log_warning("the kernel's random numbers cannot be reseeded: %s; for up to a "
			    "minute some may repeat those after the snapshot",
			    strerror(-r));
}
