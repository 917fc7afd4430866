/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealing an image: without its key, bytes can neither be read nor changed unnoticed.
 * doc/image-format.md, "Sealed images"; doc/security.md says why.
 *
 * Every image has a random key of its own, from which three keys are derived: for the header, the
 * sections and the blocks. The nonce is the number of the piece sealed under such a key, so none is
 * ever used twice.
 */
#ifndef S2DISK_SEAL_SEAL_H
#define S2DISK_SEAL_SEAL_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "format/format.h"
#include "seal/key_seed.h"

#include <stddef.h>
#include <stdint.h>

#define IMAGE_KEY_SIZE 32

struct seal_secrets; /* locked memory */

struct seal {
	enum aead_kind cipher;
	unsigned char image_id[IMAGE_ID_SIZE];
	struct seal_secrets *secrets;
	struct aead aead; /* for header and sections */
};

/* Allocates; there is no key yet. 0, -ENOMEM, -EOPNOTSUPP. */
int seal_create(struct seal *seal, enum aead_kind cipher, struct why *w);

/* Sets a new random key for the image with that id (see key_seed.h), or an existing one.
 * 0, or a negative errno with no key. */
int seal_make_key(struct seal *seal, const struct key_seed *seed,
		  const unsigned char image_id[IMAGE_ID_SIZE]);
int seal_set_key(struct seal *seal, const unsigned char image_id[IMAGE_ID_SIZE],
		 const unsigned char key[IMAGE_KEY_SIZE]);

/* The key of the image; belongs to the seal. */
const unsigned char *seal_key(const struct seal *seal);

/* Wipes all keys; another can be set afterwards. Harmless on a zeroed struct, as is
 * seal_destroy. */
void seal_forget(struct seal *seal);
void seal_destroy(struct seal *seal);

/* Seals the sealed part of a header page, authenticating all the rest of the page
 * including key slots; and the reverse: -EBADMSG, it does not match what was sealed. */
int seal_header(struct seal *seal, unsigned char *page, size_t page_size);
int unseal_header(struct seal *seal, unsigned char *page, size_t page_size);

/* A piece of the sections stream, by its number. */
int seal_section(struct seal *seal, uint64_t index, void *data, size_t length,
		 unsigned char tag[AEAD_TAG_SIZE]);
int unseal_section(struct seal *seal, uint64_t index, void *data, size_t length,
		   const unsigned char tag[AEAD_TAG_SIZE]);

/* Blocks are sealed by workers, each with a cipher of its own. */
int seal_worker_key(const struct seal *seal, struct aead *worker);

/* The additional authenticated data of a block. */
struct block_place {
	const unsigned char *image_id;
	uint64_t index;
	uint32_t raw_size, stored_size;
	uint32_t codec;
};

int seal_block(struct aead *worker, const struct block_place *place, void *data,
	       unsigned char tag[AEAD_TAG_SIZE]);
int unseal_block(struct aead *worker, const struct block_place *place, void *data,
		 const unsigned char tag[AEAD_TAG_SIZE]);

/* Names in settings and messages; parsing returns 0 or -EINVAL. */
const char *cipher_name(enum aead_kind cipher);
int cipher_parse(const char *text, enum aead_kind *ret);

/* The cipher that is fastest for sealing on this machine; each is tried briefly. */
enum aead_kind cipher_fastest(void);

#endif
