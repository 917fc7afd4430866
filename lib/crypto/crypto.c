/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/crypto.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <gcrypt.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/uio.h>

#define GCRYPT_NEEDED "1.10.0"

int crypto_init(struct why *w)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return 0;
	if (!gcry_check_version(GCRYPT_NEEDED))
		return why(w, -ENOSYS, "libgcrypt %s is too old, %s is needed",
			   gcry_check_version(NULL), GCRYPT_NEEDED);
	/* Programs lock all of their memory (mlockall), so the library's own pool of
	 * locked memory and its warnings about it are not needed. */
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

int crypto_crc32_around(const void *data, size_t length, size_t at, uint32_t *ret)
{
	static const unsigned char zeros[4];
	const unsigned char *after = (const unsigned char *)data + at + sizeof(zeros);
	struct digest digest = { 0 };
	int r = digest_open(&digest, DIGEST_CRC32);

	if (r < 0)
		return r;
	digest_update(&digest, data, at);
	digest_update(&digest, zeros, sizeof(zeros));
	digest_update(&digest, after, length - at - sizeof(zeros));
	*ret = digest_final_crc32(&digest);
	digest_close(&digest);
	return 0;
}

int crypto_sha256(const void *data, size_t length, unsigned char result[SHA256_SIZE])
{
	return digest_once(DIGEST_SHA256, data, length, result);
}

int crypto_sha256_text(const void *data, size_t length, char result[SHA256_TEXT_SIZE])
{
	unsigned char sum[SHA256_SIZE];
	int r = crypto_sha256(data, length, sum);

	if (r == 0)
		text_hex(sum, SHA256_SIZE, result);
	return r;
}

int crypto_md5(const void *data, size_t length, unsigned char result[MD5_SIZE])
{
	return digest_once(DIGEST_MD5, data, length, result);
}

static int errno_of(gcry_error_t error)
{
	switch (gcry_err_code(error)) {
	case GPG_ERR_NO_ERROR:
		return 0;
	case GPG_ERR_ENOMEM:
		return -ENOMEM;
	case GPG_ERR_CHECKSUM:
		return -EBADMSG;
	case GPG_ERR_INV_VALUE:
	case GPG_ERR_INV_ARG:
	case GPG_ERR_INV_DATA:
	case GPG_ERR_INV_LENGTH:
	case GPG_ERR_INV_KEYLEN:
		return -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

int aead_open(struct aead *aead, enum aead_kind kind)
{
	gcry_cipher_hd_t handle;
	gcry_error_t error = GPG_ERR_CIPHER_ALGO;

	switch (kind) {
	case AEAD_AES256_OCB:
		error = gcry_cipher_open(&handle, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_OCB, 0);
		break;
	case AEAD_AES256_GCM:
		error = gcry_cipher_open(&handle, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0);
		break;
	case AEAD_CHACHA20_POLY1305:
		error = gcry_cipher_open(&handle, GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305,
					 0);
		break;
	}
	if (error)
		return errno_of(error);
	aead->handle = handle;
	return 0;
}

int aead_set_key(struct aead *aead, const unsigned char key[AEAD_KEY_SIZE])
{
	return errno_of(gcry_cipher_setkey(aead->handle, key, AEAD_KEY_SIZE));
}

static gcry_error_t begin_message(gcry_cipher_hd_t handle, const unsigned char *nonce,
				  const void *ad, size_t ad_length)
{
	gcry_error_t error = gcry_cipher_setiv(handle, nonce, AEAD_NONCE_SIZE);

	if (!error && ad_length)
		error = gcry_cipher_authenticate(handle, ad, ad_length);
	/* OCB has to know which piece is the last. */
	return error ? error : gcry_cipher_final(handle);
}

int aead_seal(struct aead *aead, const unsigned char nonce[AEAD_NONCE_SIZE], const void *ad,
	      size_t ad_length, void *data, size_t length, unsigned char tag[AEAD_TAG_SIZE])
{
	gcry_cipher_hd_t handle = aead->handle;
	gcry_error_t error = begin_message(handle, nonce, ad, ad_length);

	if (!error)
		error = gcry_cipher_encrypt(handle, data, length, NULL, 0);
	if (!error)
		error = gcry_cipher_gettag(handle, tag, AEAD_TAG_SIZE);
	return errno_of(error);
}

int aead_unseal(struct aead *aead, const unsigned char nonce[AEAD_NONCE_SIZE], const void *ad,
		size_t ad_length, void *data, size_t length, const unsigned char tag[AEAD_TAG_SIZE])
{
	gcry_cipher_hd_t handle = aead->handle;
	gcry_error_t error = begin_message(handle, nonce, ad, ad_length);

	if (!error)
		error = gcry_cipher_decrypt(handle, data, length, NULL, 0);
	if (!error)
		error = gcry_cipher_checktag(handle, tag, AEAD_TAG_SIZE);
	if (error)
		explicit_bzero(data, length);
	return errno_of(error);
}

void aead_close(struct aead *aead)
{
	if (aead->handle)
		gcry_cipher_close(aead->handle); /* wipes */
	aead->handle = NULL;
}

/* HMAC-SHA-256 over up to three pieces. */
static void hmac(gcry_md_hd_t handle, const struct iovec *pieces, size_t count,
		 unsigned char result[SHA256_SIZE])
{
	for (size_t i = 0; i < count; i++)
		gcry_md_write(handle, pieces[i].iov_base, pieces[i].iov_len);
	memcpy(result, gcry_md_read(handle, GCRY_MD_SHA256), SHA256_SIZE);
	gcry_md_reset(handle);
}

int crypto_hkdf_sha256(const struct hkdf_input *input, unsigned char *result, size_t length)
{
	static const unsigned char no_salt[SHA256_SIZE];
	unsigned char key[SHA256_SIZE], block[SHA256_SIZE], counter = 1;
	const struct iovec secret = { (void *)input->secret, input->secret_length };
	struct iovec pieces[] = {
		{ block, 0 },
		{ (void *)input->info, input->info_length },
		{ &counter, 1 },
	};
	gcry_md_hd_t handle;
	gcry_error_t error =
		gcry_md_open(&handle, GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC | GCRY_MD_FLAG_SECURE);

	if (error)
		return errno_of(error);
	error = gcry_md_setkey(handle, input->salt_length ? input->salt : no_salt,
			       input->salt_length ? input->salt_length : sizeof(no_salt));
	if (!error) {
		hmac(handle, &secret, 1, key);
		error = gcry_md_setkey(handle, key, sizeof(key));
	}
	while (!error && length > 0) {
		size_t part = (size_t)min_u64(length, sizeof(block));

		hmac(handle, pieces, ARRAY_SIZE(pieces), block);
		memcpy(result, block, part);
		pieces[0].iov_len = sizeof(block);
		result += part;
		length -= part;
		counter++;
	}
	gcry_md_close(handle);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(block, sizeof(block));
	return errno_of(error);
}

/* Argon2's lanes: one thread each, joined after every slice. */
struct lanes {
	pthread_t threads[ARGON2_LANES_MAX];
	struct lane_job {
		gcry_kdf_job_fn_t work;
		void *context;
	} jobs[ARGON2_LANES_MAX];
	unsigned int count;
};

/* The stack is hardly used, and with all memory locked the default size would be a lot. */
#define LANE_STACK_SIZE (256u << 10)

static void *run_lane(void *context)
{
	const struct lane_job *job = context;

	job->work(job->context);
	return NULL;
}

static int begin_lane(void *context, gcry_kdf_job_fn_t work, void *job)
{
	struct lanes *lanes = context;
	pthread_attr_t attributes;
	int r = -EAGAIN;

	if (lanes->count < ARGON2_LANES_MAX && pthread_attr_init(&attributes) == 0) {
		lanes->jobs[lanes->count] = (struct lane_job){ work, job };
		pthread_attr_setstacksize(&attributes, LANE_STACK_SIZE);
		r = pthread_create(&lanes->threads[lanes->count], &attributes, run_lane,
				   &lanes->jobs[lanes->count]);
		pthread_attr_destroy(&attributes);
	}
	if (r == 0)
		lanes->count++;
	else
		work(job); /* no thread: run it here */
	return 0;
}

static int end_lanes(void *context)
{
	struct lanes *lanes = context;

	while (lanes->count > 0)
		pthread_join(lanes->threads[--lanes->count], NULL);
	return 0;
}

int crypto_argon2id(const struct argon2_input *input, unsigned char *result, size_t length)
{
	const unsigned long parameters[] = { length, input->passes, input->memory_kib,
					     input->lanes };
	struct lanes lanes = { .count = 0 };
	const gcry_kdf_thread_ops_t threads = { &lanes, begin_lane, end_lanes };
	gcry_kdf_hd_t handle;
	gcry_error_t error;

	if (input->lanes == 0 || input->lanes > ARGON2_LANES_MAX || input->passes == 0 ||
	    input->memory_kib < 8 * input->lanes)
		return -EINVAL;
	error = gcry_kdf_open(&handle, GCRY_KDF_ARGON2, GCRY_KDF_ARGON2ID, parameters,
			      ARRAY_SIZE(parameters), input->password, input->password_length,
			      input->salt, input->salt_length, input->secret, input->secret_length,
			      input->data, input->data_length);
	if (error)
		return errno_of(error);
	error = gcry_kdf_compute(handle, input->lanes > 1 ? &threads : NULL);
	if (!error)
		error = gcry_kdf_final(handle, length, result);
	gcry_kdf_close(handle); /* wipes */
	return errno_of(error);
}

int crypto_x25519(const unsigned char scalar[X25519_SIZE], const unsigned char *point,
		  unsigned char result[X25519_SIZE])
{
	gcry_error_t error = gcry_ecc_mul_point(GCRY_ECC_CURVE25519, result, scalar, point);

	if (error)
		return errno_of(error);
	return bytes_all_zero(result, X25519_SIZE) ? -EBADMSG : 0;
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
