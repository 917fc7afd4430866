/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seal/seal.h"

#include "base/bytes.h"
#include "crypto/secret.h"
#include "base/stopwatch.h"
#include "format/header_page.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

struct seal_secrets {
	unsigned char image[IMAGE_KEY_SIZE];
	unsigned char header[AEAD_KEY_SIZE];
	unsigned char sections[AEAD_KEY_SIZE];
	unsigned char blocks[AEAD_KEY_SIZE];
};

int seal_create(struct seal *seal, enum aead_kind cipher, struct why *w)
{
	int r;

	*seal = (struct seal){ .cipher = cipher };
	seal->secrets = secret_alloc(sizeof(*seal->secrets));
	if (!seal->secrets)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = aead_open(&seal->aead, cipher);
	if (r < 0) {
		seal_destroy(seal);
		return why(w, r, "the cipher %s cannot be used: %s", cipher_name(cipher),
			   r == -EOPNOTSUPP ? "libgcrypt refuses it" : strerror(-r));
	}
	return 0;
}

/* One of the three keys: bound to the image, the cipher and its purpose. */
static int derive(struct seal *seal, const char *purpose, unsigned char key[AEAD_KEY_SIZE])
{
	char info[32] = { 0 };
	const struct hkdf_input input = {
		.secret = seal->secrets->image,
		.secret_length = IMAGE_KEY_SIZE,
		.salt = seal->image_id,
		.salt_length = IMAGE_ID_SIZE,
		.info = info,
		.info_length = sizeof(info),
	};

	memcpy(info, purpose, strlen(purpose));
	info[sizeof(info) - 1] = (char)seal->cipher;
	return crypto_hkdf_sha256(&input, key, AEAD_KEY_SIZE);
}

static int derive_all(struct seal *seal)
{
	int r = derive(seal, "s2disk 1 header", seal->secrets->header);

	if (r == 0)
		r = derive(seal, "s2disk 1 sections", seal->secrets->sections);
	if (r == 0)
		r = derive(seal, "s2disk 1 blocks", seal->secrets->blocks);
	if (r < 0)
		seal_forget(seal);
	return r;
}

int seal_make_key(struct seal *seal, const struct key_seed *seed,
		  const unsigned char image_id[IMAGE_ID_SIZE])
{
	int r = key_seed_draw(seed, "s2disk 1 image key", seal->secrets->image, IMAGE_KEY_SIZE);

	memcpy(seal->image_id, image_id, IMAGE_ID_SIZE);
	return r < 0 ? r : derive_all(seal);
}

int seal_set_key(struct seal *seal, const unsigned char image_id[IMAGE_ID_SIZE],
		 const unsigned char key[IMAGE_KEY_SIZE])
{
	memcpy(seal->secrets->image, key, IMAGE_KEY_SIZE);
	memcpy(seal->image_id, image_id, IMAGE_ID_SIZE);
	return derive_all(seal);
}

const unsigned char *seal_key(const struct seal *seal)
{
	return seal->secrets->image;
}

void seal_forget(struct seal *seal)
{
	if (!seal->secrets)
		return;
	secret_wipe(seal->secrets, sizeof(*seal->secrets));
	/* The cipher's copy of the key; zeros replace it. */
	if (seal->aead.handle)
		aead_set_key(&seal->aead, seal->secrets->header);
}

void seal_destroy(struct seal *seal)
{
	secret_free(seal->secrets, sizeof(*seal->secrets));
	seal->secrets = NULL;
	aead_close(&seal->aead);
}

static void put_nonce(unsigned char nonce[AEAD_NONCE_SIZE], uint64_t number)
{
	memset(nonce, 0, AEAD_NONCE_SIZE);
	put_le64(nonce, number);
}

/* Everything in the page that is not sealed, with zeros in the place of the tag. */
static size_t gather_rest(const unsigned char *page, size_t page_size, unsigned char *rest)
{
	size_t front = HEADER_SEALED_AT, back = HEADER_SEALED_AT + HEADER_SEALED_SIZE;

	memcpy(rest, page, front);
	memcpy(rest + front, page + back, page_size - back);
	memset(rest + HEADER_TAG_AT - HEADER_SEALED_SIZE, 0, AEAD_TAG_SIZE);
	return page_size - HEADER_SEALED_SIZE;
}

static int run_header(struct seal *seal, unsigned char *page, size_t page_size, bool open)
{
	static const unsigned char nonce[AEAD_NONCE_SIZE];
	unsigned char *rest = malloc(page_size), *sealed = page + HEADER_SEALED_AT;
	size_t length;
	int r;

	if (!rest)
		return -ENOMEM;
	length = gather_rest(page, page_size, rest);
	r = aead_set_key(&seal->aead, seal->secrets->header);
	if (r == 0 && open)
		r = aead_unseal(&seal->aead, nonce, rest, length, sealed, HEADER_SEALED_SIZE,
				page + HEADER_TAG_AT);
	else if (r == 0)
		r = aead_seal(&seal->aead, nonce, rest, length, sealed, HEADER_SEALED_SIZE,
			      page + HEADER_TAG_AT);
	free(rest);
	return r;
}

int seal_header(struct seal *seal, unsigned char *page, size_t page_size)
{
	return run_header(seal, page, page_size, false);
}

int unseal_header(struct seal *seal, unsigned char *page, size_t page_size)
{
	return run_header(seal, page, page_size, true);
}

int seal_section(struct seal *seal, uint64_t index, void *data, size_t length,
		 unsigned char tag[AEAD_TAG_SIZE])
{
	unsigned char nonce[AEAD_NONCE_SIZE];
	int r = aead_set_key(&seal->aead, seal->secrets->sections);

	put_nonce(nonce, index);
	return r < 0 ? r
		     : aead_seal(&seal->aead, nonce, seal->image_id, IMAGE_ID_SIZE, data, length,
				 tag);
}

int unseal_section(struct seal *seal, uint64_t index, void *data, size_t length,
		   const unsigned char tag[AEAD_TAG_SIZE])
{
	unsigned char nonce[AEAD_NONCE_SIZE];
	int r = aead_set_key(&seal->aead, seal->secrets->sections);

	put_nonce(nonce, index);
	return r < 0 ? r
		     : aead_unseal(&seal->aead, nonce, seal->image_id, IMAGE_ID_SIZE, data, length,
				   tag);
}

int seal_worker_key(const struct seal *seal, struct aead *worker)
{
	return aead_set_key(worker, seal->secrets->blocks);
}

#define PLACE_SIZE (IMAGE_ID_SIZE + 8 + 4 + 4 + 4)

static void put_place(const struct block_place *place, unsigned char ad[PLACE_SIZE],
		      unsigned char nonce[AEAD_NONCE_SIZE])
{
	memcpy(ad, place->image_id, IMAGE_ID_SIZE);
	put_le64(ad + 16, place->index);
	put_le32(ad + 24, place->raw_size);
	put_le32(ad + 28, place->stored_size);
	put_le32(ad + 32, place->codec);
	put_nonce(nonce, place->index);
}

int seal_block(struct aead *worker, const struct block_place *place, void *data,
	       unsigned char tag[AEAD_TAG_SIZE])
{
	unsigned char ad[PLACE_SIZE], nonce[AEAD_NONCE_SIZE];

	put_place(place, ad, nonce);
	return aead_seal(worker, nonce, ad, sizeof(ad), data, place->stored_size, tag);
}

int unseal_block(struct aead *worker, const struct block_place *place, void *data,
		 const unsigned char tag[AEAD_TAG_SIZE])
{
	unsigned char ad[PLACE_SIZE], nonce[AEAD_NONCE_SIZE];

	put_place(place, ad, nonce);
	return aead_unseal(worker, nonce, ad, sizeof(ad), data, place->stored_size, tag);
}

static const struct {
	enum aead_kind cipher;
	const char *name;
} ciphers[AEAD_KINDS] = {
	{ AEAD_AES256_OCB, "aes-256-ocb" },
	{ AEAD_AES256_GCM, "aes-256-gcm" },
	{ AEAD_CHACHA20_POLY1305, "chacha20-poly1305" },
};

const char *cipher_name(enum aead_kind cipher)
{
	for (size_t i = 0; i < AEAD_KINDS; i++)
		if (ciphers[i].cipher == cipher)
			return ciphers[i].name;
	return "unknown";
}

int cipher_parse(const char *text, enum aead_kind *ret)
{
	for (size_t i = 0; i < AEAD_KINDS; i++) {
		if (strcasecmp(text, ciphers[i].name) == 0) {
			*ret = ciphers[i].cipher;
			return 0;
		}
	}
	return -EINVAL;
}

#define TRIAL_BYTES (256u << 10)
#define TRIALS 3

/* Microseconds of the best trial, which ignores interruptions; UINT64_MAX if the cipher
 * cannot be used. */
static uint64_t try_cipher(enum aead_kind cipher, unsigned char *memory)
{
	unsigned char key[AEAD_KEY_SIZE] = { 0 }, nonce[AEAD_NONCE_SIZE], tag[AEAD_TAG_SIZE];
	struct aead aead = { 0 };
	uint64_t best = UINT64_MAX;

	if (aead_open(&aead, cipher) < 0)
		return best;
	for (unsigned int i = 0; i < TRIALS; i++) {
		uint64_t begun = now_usec();

		put_nonce(nonce, i);
		if (aead_set_key(&aead, key) == 0 &&
		    aead_seal(&aead, nonce, NULL, 0, memory, TRIAL_BYTES, tag) == 0)
			best = min_u64(best, now_usec() - begun);
	}
	aead_close(&aead);
	return best;
}

enum aead_kind cipher_fastest(void)
{
	unsigned char *memory = calloc(1, TRIAL_BYTES);
	enum aead_kind fastest = AEAD_CHACHA20_POLY1305;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; memory && i < AEAD_KINDS; i++) {
		uint64_t usec = try_cipher(ciphers[i].cipher, memory);

		if (usec < least) {
			least = usec;
			fastest = ciphers[i].cipher;
		}
	}
	free(memory);
	return fastest;
}
