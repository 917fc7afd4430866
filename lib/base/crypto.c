/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/crypto.h"

#include "base/bytes.h"

#include <errno.h>
#include <gcrypt.h>
#include <sys/random.h>

#define GCRYPT_NEEDED "1.10.0"

int crypto_init(struct why *w)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return 0;
	if (!gcry_check_version(GCRYPT_NEEDED))
		return why(w, -ENOSYS, "libgcrypt %s is too old, %s is needed",
			   gcry_check_version(NULL), GCRYPT_NEEDED);
	/* Programs lock all of their memory (mlockall), so the library's own pool
	 * of locked memory, and its warnings about it, are not needed. */
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	return 0;
}

static int algorithm(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_CRC32:
		return GCRY_MD_CRC32;
	case DIGEST_MD5:
		return GCRY_MD_MD5;
	case DIGEST_SHA256:
		break;
	}
	return GCRY_MD_SHA256;
}

int digest_open(struct digest *digest, enum digest_kind kind)
{
	gcry_md_hd_t handle;
	gcry_error_t error = gcry_md_open(&handle, algorithm(kind), 0);

	if (error)
		return gcry_err_code(error) == GPG_ERR_ENOMEM ? -ENOMEM : -EOPNOTSUPP;
	digest->handle = handle;
	return 0;
}

void digest_update(struct digest *digest, const void *data, size_t length)
{
	gcry_md_write(digest->handle, data, length);
}

void digest_final(struct digest *digest, void *result)
{
	gcry_md_hd_t handle = digest->handle;
	int algo = gcry_md_get_algo(handle);

	memcpy(result, gcry_md_read(handle, algo), gcry_md_get_algo_dlen(algo));
	gcry_md_reset(handle);
}

uint32_t digest_final_crc32(struct digest *digest)
{
	unsigned char result[4];

	digest_final(digest, result);
	return (uint32_t)result[0] << 24 | (uint32_t)result[1] << 16 | (uint32_t)result[2] << 8 |
	       result[3];
}

void digest_close(struct digest *digest)
{
	if (digest->handle)
		gcry_md_close(digest->handle);
	digest->handle = NULL;
}

static int digest_once(enum digest_kind kind, const void *data, size_t length, void *result)
{
	struct digest digest = { 0 };
	int r = digest_open(&digest, kind);

	if (r < 0)
		return r;
	digest_update(&digest, data, length);
	digest_final(&digest, result);
	digest_close(&digest);
	return 0;
}

int crypto_crc32(const void *data, size_t length, uint32_t *ret)
{
	struct digest digest = { 0 };
	int r = digest_open(&digest, DIGEST_CRC32);

	if (r < 0)
		return r;
	digest_update(&digest, data, length);
	*ret = digest_final_crc32(&digest);
	digest_close(&digest);
	return 0;
}

int crypto_sha256(const void *data, size_t length, unsigned char result[SHA256_SIZE])
{
	return digest_once(DIGEST_SHA256, data, length, result);
}

int crypto_md5(const void *data, size_t length, unsigned char result[MD5_SIZE])
{
	return digest_once(DIGEST_MD5, data, length, result);
}

int crypto_random(void *buffer, size_t length)
{
	unsigned char *at = buffer;

	while (length > 0) {
		ssize_t n = getrandom(at, length, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += n;
		length -= (size_t)n;
	}
	return 0;
}
