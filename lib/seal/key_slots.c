/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seal/key_slots.h"

#include "base/bytes.h"
#include "crypto/secret.h"

#include <errno.h>
#include <inttypes.h>

/* A slot on the disk. */
enum {
	AT_KIND = 0,
	AT_KDF = 8,
	AT_WRAPPED = 40, /* the image's key and its tag */
	AT_EPHEMERAL = 88,
	AT_PUBLIC = 120,
	AT_SEALED = 152,
	AT_RESERVED = 232,
};
#define WRAPPED_SIZE (IMAGE_KEY_SIZE + AEAD_TAG_SIZE)

_Static_assert(AT_KDF + KDF_DISK_SIZE == AT_WRAPPED, "wrapped key");
_Static_assert(AT_WRAPPED + WRAPPED_SIZE == AT_EPHEMERAL, "ephemeral half");
_Static_assert(AT_SEALED + KEY_PAIR_SEALED_SIZE == AT_RESERVED, "sealed pair");

/* Input of a slot's key: for a key pair two secrets, one after the other. It is on the
 * stack, so its owner has to wipe it. */
struct slot_secret {
	unsigned char bytes[X25519_SIZE + ORIGIN_KEY_SIZE];
	size_t length;
};

const char *key_kind_name(enum key_kind kind)
{
	switch (kind) {
	case KEY_PASSPHRASE:
		return "passphrase";
	case KEY_PAIR:
		return "key pair";
	case KEY_FILE:
		return "key file";
	case KEY_UNKNOWN:
		break;
	}
	return "unknown";
}

struct key_ways *key_ways_alloc(void)
{
	struct key_ways *ways = secret_alloc(sizeof(*ways));
	int r = ways ? key_seed_make(&ways->seed) : 0;

	if (r < 0) {
		key_ways_free(ways);
		errno = -r;
		return NULL;
	}
	return ways;
}

void key_ways_free(struct key_ways *ways)
{
	secret_free(ways, sizeof(*ways));
}

static struct key_way *next_way(struct key_ways *ways, enum key_kind kind, struct why *w)
{
	if (ways->count == KEY_SLOTS_MAX) {
		why(w, -ENOSPC, "there can be at most %u ways to the key of an image",
		    KEY_SLOTS_MAX);
		return NULL;
	}
	ways->ways[ways->count].kind = kind;
	return &ways->ways[ways->count];
}

int key_ways_add_passphrase(struct key_ways *ways, const struct kdf *kdf, const void *passphrase,
			    size_t length, struct why *w)
{
	struct key_way *way = next_way(ways, KEY_PASSPHRASE, w);
	int r = way ? kdf_derive(kdf, passphrase, length, way->secret, w) : -ENOSPC;

	if (r < 0)
		return r;
	way->kdf = *kdf;
	ways->count++;
	return 0;
}

int key_ways_add_pair(struct key_ways *ways, const struct key_pair *pair, struct why *w)
{
	struct key_way *way = next_way(ways, KEY_PAIR, w);

	if (!way)
		return -ENOSPC;
	way->pair = *pair;
	ways->count++;
	return 0;
}

/* A key file may be longer than a key. */
static int hash_file(const void *data, size_t size, unsigned char secret[KDF_KEY_SIZE],
		     struct why *w)
{
	static const char info[] = "s2disk 1 key file";
	const struct hkdf_input input = {
		.secret = data,
		.secret_length = size,
		.info = info,
		.info_length = sizeof(info) - 1,
	};

	if (size < KEY_FILE_MIN || size > KEY_FILE_MAX)
		return why(w, -EINVAL, "a key file has %u to %u bytes, this one %zu", KEY_FILE_MIN,
			   KEY_FILE_MAX, size);
	return crypto_hkdf_sha256(&input, secret, KDF_KEY_SIZE);
}

int key_ways_add_file(struct key_ways *ways, const void *data, size_t size, struct why *w)
{
	struct key_way *way = next_way(ways, KEY_FILE, w);
	int r = way ? hash_file(data, size, way->secret, w) : -ENOSPC;

	if (r == 0)
		ways->count++;
	return r;
}

/* The cipher that wraps an image's key in one slot. The image's id makes its key unique,
 * so the nonce may be zero. */
static int slot_cipher(const struct slot_secret *secret, const unsigned char *slot,
		       const unsigned char image_id[IMAGE_ID_SIZE], struct aead *ret)
{
	unsigned char key[AEAD_KEY_SIZE], info[24] = "s2disk 1 slot";
	const struct hkdf_input input = {
		.secret = secret->bytes,
		.secret_length = secret->length,
		.salt = image_id,
		.salt_length = IMAGE_ID_SIZE,
		.info = info,
		.info_length = sizeof(info),
	};
	int r = aead_open(ret, AEAD_AES256_GCM);

	if (r < 0)
		return r;
	info[sizeof(info) - 1] = slot[AT_KIND];
	r = crypto_hkdf_sha256(&input, key, sizeof(key));
	if (r == 0)
		r = aead_set_key(ret, key);
	secret_wipe(key, sizeof(key));
	if (r < 0)
		aead_close(ret);
	return r;
}

static const unsigned char nonce[AEAD_NONCE_SIZE];

/* A slot with zeros in place of the wrapped key, and the id of its image. */
static void slot_rest(const unsigned char *slot, const unsigned char image_id[IMAGE_ID_SIZE],
		      unsigned char rest[KEY_SLOT_SIZE + IMAGE_ID_SIZE])
{
	memcpy(rest, slot, KEY_SLOT_SIZE);
	memset(rest + AT_WRAPPED, 0, WRAPPED_SIZE);
	memcpy(rest + KEY_SLOT_SIZE, image_id, IMAGE_ID_SIZE);
}

static int wrap(const struct slot_secret *secret, const unsigned char image_id[IMAGE_ID_SIZE],
		const unsigned char key[IMAGE_KEY_SIZE], unsigned char *slot)
{
	unsigned char rest[KEY_SLOT_SIZE + IMAGE_ID_SIZE];
	struct aead aead = { 0 };
	int r = slot_cipher(secret, slot, image_id, &aead);

	if (r < 0)
		return r;
	slot_rest(slot, image_id, rest);
	memcpy(slot + AT_WRAPPED, key, IMAGE_KEY_SIZE);
	r = aead_seal(&aead, nonce, rest, sizeof(rest), slot + AT_WRAPPED, IMAGE_KEY_SIZE,
		      slot + AT_WRAPPED + IMAGE_KEY_SIZE);
	aead_close(&aead);
	return r;
}

static int unwrap(const struct slot_secret *secret, const unsigned char image_id[IMAGE_ID_SIZE],
		  const unsigned char *slot, unsigned char key[IMAGE_KEY_SIZE])
{
	unsigned char rest[KEY_SLOT_SIZE + IMAGE_ID_SIZE];
	struct aead aead = { 0 };
	int r = slot_cipher(secret, slot, image_id, &aead);

	if (r < 0)
		return r;
	slot_rest(slot, image_id, rest);
	memcpy(key, slot + AT_WRAPPED, IMAGE_KEY_SIZE);
	r = aead_unseal(&aead, nonce, rest, sizeof(rest), key, IMAGE_KEY_SIZE,
			slot + AT_WRAPPED + IMAGE_KEY_SIZE);
	aead_close(&aead);
	return r == -EBADMSG ? -EKEYREJECTED : r;
}

/* An ephemeral key against the pair's public half; only the private half can find the
 * same secret again. */
static int agree(const struct key_pair *pair, const struct key_seed *seed, unsigned char *slot,
		 struct slot_secret *ret)
{
	unsigned char ephemeral[X25519_SIZE];
	int r = key_seed_draw(seed, "s2disk 1 ephemeral half", ephemeral, sizeof(ephemeral));

	if (r == 0)
		r = crypto_x25519(ephemeral, NULL, slot + AT_EPHEMERAL);
	if (r == 0)
		r = crypto_x25519(ephemeral, pair->pair.public_half, ret->bytes);
	secret_wipe(ephemeral, sizeof(ephemeral));
	kdf_encode(&pair->pair.kdf, slot + AT_KDF);
	memcpy(slot + AT_PUBLIC, pair->pair.public_half, X25519_SIZE);
	memcpy(slot + AT_SEALED, pair->pair.sealed, KEY_PAIR_SEALED_SIZE);
	memcpy(ret->bytes + X25519_SIZE, pair->origin, ORIGIN_KEY_SIZE);
	ret->length = sizeof(ret->bytes);
	return r;
}

static int wrap_way(const struct key_way *way, const struct key_seed *seed,
		    const unsigned char image_id[IMAGE_ID_SIZE],
		    const unsigned char key[IMAGE_KEY_SIZE], unsigned char *slot)
{
	struct slot_secret secret = { .length = KDF_KEY_SIZE };
	int r = 0;

	memset(slot, 0, KEY_SLOT_SIZE);
	put_le32(slot + AT_KIND, way->kind);
	if (way->kind == KEY_PAIR) {
		r = agree(&way->pair, seed, slot, &secret);
	} else {
		memcpy(secret.bytes, way->secret, KDF_KEY_SIZE);
		if (way->kind == KEY_PASSPHRASE)
			kdf_encode(&way->kdf, slot + AT_KDF);
	}
	if (r == 0)
		r = wrap(&secret, image_id, key, slot);
	secret_wipe(&secret, sizeof(secret));
	return r;
}

int key_ways_wrap(const struct key_ways *ways, const unsigned char image_id[IMAGE_ID_SIZE],
		  const unsigned char key[IMAGE_KEY_SIZE], unsigned char *slots)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < ways->count; i++)
		r = wrap_way(&ways->ways[i], &ways->seed, image_id, key, slots + i * KEY_SLOT_SIZE);
	return r;
}

static int decode_slot(const unsigned char *at, struct key_slot *slot, struct why *w)
{
	uint32_t kind = get_le32(at + AT_KIND);

	slot->kind = (enum key_kind)kind;
	slot->at = at;
	switch (kind) {
	case KEY_PASSPHRASE:
		return kdf_decode(at + AT_KDF, &slot->kdf, w);
	case KEY_PAIR:
		memcpy(slot->ephemeral, at + AT_EPHEMERAL, X25519_SIZE);
		memcpy(slot->pair.public_half, at + AT_PUBLIC, X25519_SIZE);
		memcpy(slot->pair.sealed, at + AT_SEALED, KEY_PAIR_SEALED_SIZE);
		return kdf_decode(at + AT_KDF, &slot->pair.kdf, w);
	case KEY_FILE:
		return 0;
	default:
		/* From a newer version: another slot may open the image. */
		slot->kind = KEY_UNKNOWN;
		return 0;
	}
}

static uint64_t slot_work(const struct key_slot *slot)
{
	const struct kdf *kdf = slot->kind == KEY_PASSPHRASE ? &slot->kdf
				: slot->kind == KEY_PAIR     ? &slot->pair.kdf
							     : NULL;

	return kdf ? (uint64_t)kdf->memory_kib * kdf->passes : 0;
}

static uint32_t count_kind(const struct key_slots *slots, enum key_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < slots->count; i++)
		count += slots->slots[i].kind == kind;
	return count;
}

bool key_slots_have(const struct key_slots *slots, enum key_kind kind)
{
	return count_kind(slots, kind) > 0;
}

uint32_t key_slots_unknown(const struct key_slots *slots)
{
	return count_kind(slots, KEY_UNKNOWN);
}

int key_slots_decode(const struct header_front *front, struct key_slots *ret, struct why *w)
{
	struct key_slots slots = { .count = front->slots, .created = front->created };
	uint64_t work = 0;

	memcpy(slots.image_id, front->image_id, IMAGE_ID_SIZE);
	for (uint32_t i = 0; i < slots.count; i++) {
		int r = decode_slot(front->at + i * KEY_SLOT_SIZE, &slots.slots[i], w);

		if (r < 0)
			return r;
		work += slot_work(&slots.slots[i]);
	}
	if (key_slots_unknown(&slots) == slots.count)
		return why_too_new(w,
				   "the image has only key slots of kinds that this version does "
				   "not know; it needs a newer s2disk");
	if (work > KDF_WORK_MAX)
		return why_damaged(w,
				   "the key slots together demand %" PRIu64
				   " MiB of work to derive "
				   "keys, which is over the limit",
				   work >> 10);
	*ret = slots;
	return 0;
}

/* The same secret as when the key was wrapped. */
static int secret_of_pair(const struct key_slot *slot, const void *passphrase, size_t length,
			  struct slot_secret *ret, struct why *w)
{
	struct opened_pair *opened = secret_alloc(sizeof(*opened));
	int r;

	if (!opened)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = sealed_pair_open(&slot->pair, passphrase, length, opened, w);
	if (r == 0) {
		r = crypto_x25519(opened->private_half, slot->ephemeral, ret->bytes);
		memcpy(ret->bytes + X25519_SIZE, opened->origin, ORIGIN_KEY_SIZE);
		ret->length = sizeof(ret->bytes);
	}
	secret_free(opened, sizeof(*opened));
	/* A point that no honest writer uses: the slot was tampered with. */
	return r == -EBADMSG ? -EKEYREJECTED : r;
}

int key_slots_try_passphrase(const struct key_slots *slots, const void *passphrase, size_t length,
			     unsigned char key[IMAGE_KEY_SIZE], struct why *w)
{
	int r = -EKEYREJECTED;

	/* Sealed by nothing: such a slot would be a forger's. libgcrypt 1.10 derives no key then
	 * (GPG_ERR_INV_VALUE), 1.11 does. */
	if (length == 0)
		return r;
	for (uint32_t i = 0; r == -EKEYREJECTED && i < slots->count; i++) {
		const struct key_slot *slot = &slots->slots[i];
		struct slot_secret secret = { .length = KDF_KEY_SIZE };

		if (slot->kind != KEY_PASSPHRASE && slot->kind != KEY_PAIR)
			continue;
		if (slot->kind == KEY_PAIR)
			r = secret_of_pair(slot, passphrase, length, &secret, w);
		else
			r = kdf_derive(&slot->kdf, passphrase, length, secret.bytes, w);
		if (r == 0)
			r = unwrap(&secret, slots->image_id, slot->at, key);
		secret_wipe(&secret, sizeof(secret));
	}
	return r;
}

int key_slots_try_file(const struct key_slots *slots, const void *data, size_t size,
		       unsigned char key[IMAGE_KEY_SIZE], struct why *w)
{
	struct slot_secret secret = { .length = KDF_KEY_SIZE };
	int r = hash_file(data, size, secret.bytes, w);

	if (r == 0)
		r = -EKEYREJECTED;
	for (uint32_t i = 0; r == -EKEYREJECTED && i < slots->count; i++)
		if (slots->slots[i].kind == KEY_FILE)
			r = unwrap(&secret, slots->image_id, slots->slots[i].at, key);
	secret_wipe(&secret, sizeof(secret));
	return r;
}
