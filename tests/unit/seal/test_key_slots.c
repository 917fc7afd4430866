/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key slots, key pairs and key derivation: bytes made by hand from doc/image-format.md,
 * and every number beyond its bounds. */
#include "base/bytes.h"
#include "crypto/secret.h"
#include "fixtures/check_main.h"
#include "seal/key_slots.h"

#include <errno.h>

#define PAGE 4096u

static void set_up(void)
{
	ck_assert_int_eq(crypto_init(NULL), 0);
}

static const struct kdf cheap = { .memory_kib = 64, .passes = 1, .lanes = 1, .salt = "salt" };

/* The unsealed front of a header. */
static void make_front(unsigned char *page, uint32_t slots)
{
	memset(page, 0, PAGE);
	memcpy(page, "s2diskIM", 8);
	put_le32(page + 8, 1024 + 256 * slots);
	put_le32(page + 12, PAGE);
	put_le64(page + 24, 1);
	memcpy(page + 32, "0123456789abcdef", 16);
	put_le64(page + 48, 1700000000);
	put_le32(page + 264, 1);
	put_le32(page + 268, slots);
}

START_TEST(front_bytes)
{
	unsigned char page[PAGE];
	struct header_front front;

	make_front(page, 3);
	ck_assert_int_eq(header_page_front(page, PAGE, &front, NULL), 0);
	ck_assert(front.sealed);
	ck_assert_int_eq(front.cipher, AEAD_AES256_OCB);
	ck_assert_uint_eq(front.slots, 3);
	ck_assert_ptr_eq(front.at, page + 1024);
	ck_assert_uint_eq(front.created, 1700000000);
	ck_assert(memcmp(front.image_id, "0123456789abcdef", 16) == 0);
}
END_TEST

START_TEST(front_faults)
{
	static const struct {
		size_t at;
		uint32_t value;
		int error;
		const char *says;
	} faults[] = {
		{ 0, 0, -EBADMSG, "is missing" },
		{ 8, 1024, -EBADMSG, "1024 bytes" },
		{ 8, 1024 + 3 * 256, -ENOTSUP, "1792 bytes" },
		{ 12, 8192, -EBADMSG, "pages of 8192" },
		{ 24, 3, -ENOTSUP, "0x2" },
		{ 264, 0, -ENOTSUP, "unknown cipher 0" },
		{ 264, 4, -ENOTSUP, "unknown cipher 4" },
		{ 268, 0, -EBADMSG, "0 key slots" },
		{ 268, 9, -EBADMSG, "9 key slots" },
		{ 268, UINT32_MAX, -EBADMSG, "key slots" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		unsigned char page[PAGE];
		struct header_front front;
		struct why w = { "" };

		make_front(page, 2);
		put_le32(page + faults[i].at, faults[i].value);
		ck_assert_int_eq(header_page_front(page, PAGE, &front, &w), faults[i].error);
		ck_assert_msg(strstr(w.text, faults[i].says), "%s", w.text);
	}
}
END_TEST

/* A block check of plain images in a sealed header, and the reverse. */
START_TEST(check_must_fit)
{
	unsigned char page[PAGE];
	struct image_header header = {
		.page_size = PAGE,
		.incompatible = FEATURE_SEALED,
		.check = BLOCK_CHECK_CRC32,
		.cipher = AEAD_AES256_GCM,
		.slots = 1,
	};
	struct why w = { "" };

	header_page_encode(&header, page, PAGE);
	ck_assert_int_eq(header_page_decode(page, PAGE, 1u << 20, &header, &w), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(w.text, "unknown kind 1"));
	header.incompatible = 0;
	header.slots = 0;
	header.check = BLOCK_CHECK_SEAL;
	header_page_encode(&header, page, PAGE);
	ck_assert_int_eq(header_page_decode(page, PAGE, 1u << 20, &header, &w), -ENOTSUP);
}
END_TEST

static void put_kdf(unsigned char *at, uint32_t memory, uint32_t passes, uint32_t lanes)
{
	put_le32(at, memory);
	put_le32(at + 4, passes);
	put_le32(at + 8, lanes);
	memcpy(at + 16, "sixteen of salt!", 16);
}

START_TEST(kdf_bounds)
{
	static const struct {
		uint32_t memory, passes, lanes;
		bool taken;
	} cases[] = {
		{ 8, 1, 1, true },
		{ 7, 1, 1, false },
		{ 64, 1, 8, true },
		{ 63, 1, 8, false },
		{ 72, 1, 9, false },
		{ 64, 1, 0, false },
		{ 64, 0, 1, false },
		{ 0, 1, 1, false },
		{ 1u << 20, 16, 4, true },
		{ 1u << 20, 17, 4, false },
		{ (1u << 20) + 1, 1, 4, false },
		{ 8, 2097152, 1, true },
		{ 8, 2097153, 1, false },
		{ UINT32_MAX, UINT32_MAX, 1, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char at[KDF_DISK_SIZE] = { 0 }, again[KDF_DISK_SIZE];
		struct kdf kdf;
		struct why w = { "" };
		int r;

		put_kdf(at, cases[i].memory, cases[i].passes, cases[i].lanes);
		r = kdf_decode(at, &kdf, &w);
		ck_assert_msg(r == (cases[i].taken ? 0 : -EBADMSG), "case %zu: %d", i, r);
		if (r < 0) {
			ck_assert_ptr_nonnull(strstr(w.text, "over the limit"));
			continue;
		}
		kdf_encode(&kdf, again);
		ck_assert(memcmp(at, again, sizeof(at)) == 0);
	}
}
END_TEST

START_TEST(kdf_plans)
{
	static const uint64_t gib = 1ull << 30;
	static const struct {
		uint64_t rate, memory; /* KiB per second, bytes */
		uint32_t kib, passes;
	} cases[] = {
		{ 3 << 20, 64 * gib, 1 << 20, 3 },  /* the maximum */
		{ 12 << 20, 64 * gib, 1 << 20, 8 }, /* then more passes, within the bounds */
		{ 1 << 20, 64 * gib, 349525, 3 },   /* a third of a second's work */
		{ 3 << 20, 2 * gib, 1 << 19, 6 },   /* a quarter of the memory */
		{ 1000, 64 * gib, 32 << 10, 3 },    /* slow: takes longer, not less */
		{ 1000, 64 << 20, 16 << 10, 3 },    /* small */
		{ 1000, 0, 64, 15 },		    /* absurd, yet allowed */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char at[KDF_DISK_SIZE];
		struct kdf kdf = { .lanes = 4 }, again;

		kdf_plan(cases[i].rate, 1000000, cases[i].memory, &kdf);
		ck_assert_msg(kdf.memory_kib == cases[i].kib && kdf.passes == cases[i].passes,
			      "case %zu: %u KiB, %u passes", i, kdf.memory_kib, kdf.passes);
		kdf_encode(&kdf, at);
		ck_assert_int_eq(kdf_decode(at, &again, NULL), 0);
	}
}
END_TEST

START_TEST(kdf_is_chosen)
{
	struct kdf a, b;
	struct why w = { "" };
	unsigned char at[KDF_DISK_SIZE];

	ck_assert_int_eq(kdf_choose(50000, 1u << 30, 2, &a, &w), 0);
	ck_assert_int_eq(kdf_choose(50000, 1u << 30, 64, &b, &w), 0);
	ck_assert_uint_eq(a.lanes, 2);
	ck_assert_uint_eq(b.lanes, 4);
	ck_assert_uint_ge(a.memory_kib, 32 << 10);
	ck_assert(memcmp(a.salt, b.salt, sizeof(a.salt)) != 0);
	kdf_encode(&a, at);
	ck_assert_int_eq(kdf_decode(at, &b, &w), 0);
}
END_TEST

static struct header_front front_of(unsigned char *page, uint32_t slots)
{
	struct header_front front;

	make_front(page, slots);
	ck_assert_int_eq(header_page_front(page, PAGE, &front, NULL), 0);
	return front;
}

START_TEST(slots_decoded)
{
	unsigned char page[PAGE];
	struct header_front front = front_of(page, 4);
	struct key_slots slots;
	struct why w = { "" };

	put_le32(page + 1024, KEY_PASSPHRASE);
	put_kdf(page + 1024 + 8, 1024, 2, 3);
	put_le32(page + 1280, KEY_PAIR);
	put_kdf(page + 1280 + 8, 2048, 1, 1);
	memset(page + 1280 + 88, 'e', 32);
	memset(page + 1280 + 120, 'p', 32);
	memset(page + 1280 + 152, 's', 80);
	put_le32(page + 1536, KEY_FILE);
	put_le32(page + 1792, 4);
	/* One of a newer version among others is skipped. */
	ck_assert_int_eq(key_slots_decode(&front, &slots, &w), 0);
	ck_assert_uint_eq(slots.count, 4);
	ck_assert_uint_eq(key_slots_unknown(&slots), 1);
	ck_assert_str_eq(key_kind_name(slots.slots[3].kind), "unknown");
	ck_assert(key_slots_have(&slots, KEY_FILE) && key_slots_have(&slots, KEY_PAIR));
	put_le32(page + 1792, KEY_FILE);
	ck_assert_int_eq(key_slots_decode(&front, &slots, &w), 0);
	ck_assert_uint_eq(key_slots_unknown(&slots), 0);
	ck_assert_uint_eq(slots.count, 4);
	ck_assert_uint_eq(slots.created, 1700000000);
	ck_assert_uint_eq(slots.slots[0].kdf.memory_kib, 1024);
	ck_assert_uint_eq(slots.slots[0].kdf.lanes, 3);
	ck_assert_uint_eq(slots.slots[1].pair.kdf.memory_kib, 2048);
	ck_assert_uint_eq(slots.slots[1].ephemeral[31], 'e');
	ck_assert_uint_eq(slots.slots[1].pair.public_half[0], 'p');
	ck_assert_uint_eq(slots.slots[1].pair.sealed[79], 's');
	ck_assert(key_slots_have(&slots, KEY_PAIR));
	slots.count = 1;
	ck_assert(!key_slots_have(&slots, KEY_PAIR));
}
END_TEST

/* Each within its bounds, but not their total. */
START_TEST(slots_work_together)
{
	unsigned char page[PAGE];
	struct header_front front = front_of(page, 2);
	struct key_slots slots;
	struct why w = { "" };

	for (size_t i = 0; i < 2; i++) {
		put_le32(page + 1024 + 256 * i, i ? KEY_PAIR : KEY_PASSPHRASE);
		put_kdf(page + 1024 + 256 * i + 8, 1u << 20, 9, 4);
	}
	ck_assert_int_eq(key_slots_decode(&front, &slots, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "together"));
	put_kdf(page + 1280 + 8, 1u << 20, 7, 4);
	ck_assert_int_eq(key_slots_decode(&front, &slots, &w), 0);
	put_kdf(page + 1280 + 8, 2u << 20, 1, 4);
	ck_assert_int_eq(key_slots_decode(&front, &slots, &w), -EBADMSG);
}
END_TEST

START_TEST(pair_file)
{
	unsigned char file[KEY_PAIR_FILE_SIZE], again[KEY_PAIR_FILE_SIZE];
	struct key_pair pair, decoded;
	struct opened_pair opened;
	unsigned char public_half[32];
	struct why w = { "" };

	ck_assert_int_eq(key_pair_make(&cheap, "phrase", 6, &pair, &w), 0);
	ck_assert_int_eq(key_pair_encode(&pair, file), 0);
	ck_assert(memcmp(file, "s2diskKP", 8) == 0);
	ck_assert_uint_eq(get_le32(file + 8), 1);
	ck_assert_uint_eq(get_le32(file + 16), 64);
	ck_assert(memcmp(file + 48, pair.pair.public_half, 32) == 0);
	ck_assert(memcmp(file + 80, pair.origin, 32) == 0);
	ck_assert_int_eq(key_pair_decode(file, sizeof(file), &decoded, &w), 0);
	ck_assert_int_eq(key_pair_encode(&decoded, again), 0);
	ck_assert(memcmp(file, again, sizeof(file)) == 0);

	ck_assert_int_eq(sealed_pair_open(&decoded.pair, "phrasE", 6, &opened, &w), -EKEYREJECTED);
	ck_assert_int_eq(sealed_pair_open(&decoded.pair, "phrase", 6, &opened, &w), 0);
	ck_assert(memcmp(opened.origin, pair.origin, 32) == 0);
	ck_assert_int_eq(crypto_x25519(opened.private_half, NULL, public_half), 0);
	ck_assert(memcmp(public_half, pair.pair.public_half, 32) == 0);
	/* The file contains no secret except the origin key. */
	ck_assert_ptr_null(memmem(file, sizeof(file), opened.private_half, 32));

	/* Under another passphrase it is the same pair. */
	ck_assert_int_eq(key_pair_change(&decoded, &opened, &cheap, "other", 5, &w), 0);
	ck_assert_int_eq(sealed_pair_open(&decoded.pair, "phrase", 6, &opened, &w), -EKEYREJECTED);
	ck_assert_int_eq(sealed_pair_open(&decoded.pair, "other", 5, &opened, &w), 0);
	ck_assert(memcmp(decoded.pair.public_half, pair.pair.public_half, 32) == 0);
	ck_assert(memcmp(decoded.origin, pair.origin, 32) == 0);
}
END_TEST

START_TEST(pair_file_faults)
{
	unsigned char good[KEY_PAIR_FILE_SIZE], file[KEY_PAIR_FILE_SIZE];
	struct key_pair pair;
	struct why w = { "" };

	ck_assert_int_eq(key_pair_make(&cheap, "phrase", 6, &pair, &w), 0);
	ck_assert_int_eq(key_pair_encode(&pair, good), 0);
	for (size_t at = 0; at < sizeof(file); at++) {
		memcpy(file, good, sizeof(file));
		file[at] ^= 0x40;
		w.text[0] = '\0';
		ck_assert_int_eq(key_pair_decode(file, sizeof(file), &pair, &w), -EBADMSG);
		ck_assert(w.text[0]);
	}
	ck_assert_int_eq(key_pair_decode(good, sizeof(good) - 1, &pair, &w), -EBADMSG);
	ck_assert_int_eq(key_pair_decode(good, 0, &pair, &w), -EBADMSG);
	ck_assert_int_eq(key_pair_decode(good, sizeof(good), &pair, &w), 0);
}
END_TEST

START_TEST(ciphers)
{
	enum aead_kind cipher;

	for (int i = AEAD_AES256_OCB; i <= AEAD_CHACHA20_POLY1305; i++) {
		ck_assert_int_eq(cipher_parse(cipher_name((enum aead_kind)i), &cipher), 0);
		ck_assert_int_eq((int)cipher, i);
	}
	ck_assert_int_eq(cipher_parse("AES-256-GCM", &cipher), 0);
	ck_assert_int_eq(cipher_parse("blowfish", &cipher), -EINVAL);
	ck_assert_str_eq(cipher_name((enum aead_kind)77), "unknown");
	cipher = cipher_fastest();
	ck_assert_str_ne(cipher_name(cipher), "unknown");
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(key_kind_name(KEY_PASSPHRASE), "passphrase");
	ck_assert_str_eq(key_kind_name(KEY_PAIR), "key pair");
	ck_assert_str_eq(key_kind_name(KEY_FILE), "key file");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "key_slots");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, front_bytes);
	tcase_add_test(tcase, front_faults);
	tcase_add_test(tcase, check_must_fit);
	tcase_add_test(tcase, kdf_bounds);
	tcase_add_test(tcase, kdf_plans);
	tcase_add_test(tcase, kdf_is_chosen);
	tcase_add_test(tcase, slots_decoded);
	tcase_add_test(tcase, slots_work_together);
	tcase_add_test(tcase, pair_file);
	tcase_add_test(tcase, pair_file_faults);
	tcase_add_test(tcase, ciphers);
	tcase_add_test(tcase, names);
}
