/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a sealed image before its key is known: the front of its header and the
 * key slots; and the file of a key pair. Input: a selector byte, then the header from
 * byte 24 on (the rest is fixed), or the file. */
#include "fuzz.h"

#include "base/bytes.h"
#include "seal/key_slots.h"

#include <errno.h>

#define PAGE 4096u

/* More would make fuzzing slow. */
#define WORK_TRIED 512u

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_assert(crypto_init(NULL) == 0);
	return 0;
}

static void check_kdf(const struct kdf *kdf)
{
	fuzz_assert(kdf->lanes >= 1 && kdf->lanes <= ARGON2_LANES_MAX);
	fuzz_assert(kdf->passes >= 1);
	fuzz_assert(kdf->memory_kib >= 8 * kdf->lanes);
	fuzz_assert(kdf->memory_kib <= KDF_MEMORY_MAX);
	fuzz_assert((uint64_t)kdf->memory_kib * kdf->passes <= KDF_WORK_MAX);
}

static uint64_t check_slots(const struct key_slots *slots)
{
	uint64_t work = 0;

	for (uint32_t i = 0; i < slots->count; i++) {
		const struct key_slot *slot = &slots->slots[i];
		const struct kdf *kdf = slot->kind == KEY_PAIR ? &slot->pair.kdf : &slot->kdf;

		fuzz_assert(key_slots_have(slots, slot->kind));
		if (slot->kind == KEY_FILE || slot->kind == KEY_UNKNOWN)
			continue;
		check_kdf(kdf);
		work += (uint64_t)kdf->memory_kib * kdf->passes;
	}
	fuzz_assert(work <= KDF_WORK_MAX);
	return work;
}

/* There is no key, so none opens it. */
static void fuzz_header(const uint8_t *data, size_t size)
{
	unsigned char page[PAGE] = { 0 }, key[IMAGE_KEY_SIZE];
	static const char file[] = "the bytes of a key file, of which there are enough";
	struct header_front front;
	struct key_slots slots;
	struct seal seal = { 0 };
	struct why w = { "" };

	memcpy(page + 24, data, min_u64(size, PAGE - 24));
	memcpy(page, "s2diskIM", 8);
	put_le32(page + 8, 1024 + 256 * get_le32(page + 268));
	put_le32(page + 12, PAGE);
	page[24] |= 1;
	if (header_page_front(page, PAGE, &front, &w) < 0) {
		fuzz_assert(w.text[0]);
		return;
	}
	fuzz_assert(front.sealed && front.slots >= 1 && front.slots <= KEY_SLOTS_MAX);
	if (key_slots_decode(&front, &slots, &w) < 0) {
		fuzz_assert(w.text[0]);
		return;
	}
	if (check_slots(&slots) <= WORK_TRIED)
		fuzz_assert(key_slots_try_passphrase(&slots, "phrase", 6, key, &w) ==
			    -EKEYREJECTED);
	fuzz_assert(key_slots_try_file(&slots, file, sizeof(file), key, &w) == -EKEYREJECTED);
	memset(key, 0, sizeof(key));
	fuzz_assert(seal_create(&seal, front.cipher, &w) == 0);
	fuzz_assert(seal_set_key(&seal, front.image_id, key) == 0);
	fuzz_assert(unseal_header(&seal, page, PAGE) == -EBADMSG);
	seal_destroy(&seal);
}

static void fuzz_pair(const uint8_t *data, size_t size)
{
	unsigned char file[KEY_PAIR_FILE_SIZE] = { 0 }, again[KEY_PAIR_FILE_SIZE];
	struct opened_pair opened;
	struct key_pair pair;
	struct why w = { "" };
	uint32_t crc;

	memcpy(file, data, min_u64(size, sizeof(file)));
	memcpy(file, "s2diskKP", 8);
	put_le32(file + 8, 1);
	put_le32(file + 12, 0);
	fuzz_assert(crypto_crc32(file, sizeof(file), &crc) == 0);
	put_le32(file + 12, crc);
	if (key_pair_decode(file, sizeof(file), &pair, &w) < 0) {
		fuzz_assert(w.text[0]);
		return;
	}
	check_kdf(&pair.pair.kdf);
	fuzz_assert(key_pair_encode(&pair, again) == 0);
	fuzz_assert(memcmp(file + 32, again + 32, 160) == 0);
	if ((uint64_t)pair.pair.kdf.memory_kib * pair.pair.kdf.passes <= WORK_TRIED)
		fuzz_assert(sealed_pair_open(&pair.pair, "phrase", 6, &opened, &w) ==
			    -EKEYREJECTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		fuzz_pair(data + 1, size - 1);
	else
		fuzz_header(data + 1, size - 1);
	return 0;
}
