/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sealed images, and everything that an attacker with the disk but without the key can change. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/image/sealed_fixture.h"

#include <errno.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define THINNING 16
#endif
#endif
#ifndef THINNING
#define THINNING 1
#endif

static const enum aead_kind ciphers[] = { AEAD_AES256_OCB, AEAD_AES256_GCM,
					  AEAD_CHACHA20_POLY1305 };
/* Changes bytes of the header and corrects the record's digest, as an attacker with the
 * disk can. */
static void forge_header(struct sealed_fixture *f, const unsigned char *page)
{
	uint64_t at = f->written.record.header_offset;

	ck_assert_int_eq(io_pwrite_full(f->device.fd, page, FAKE_PAGE, at), 0);
	ck_assert_int_eq(crypto_sha256(page, FAKE_PAGE, f->written.record.header_digest), 0);
}

static void read_header(struct sealed_fixture *f, unsigned char *page)
{
	ck_assert_int_eq(
		io_pread_full(f->device.fd, page, FAKE_PAGE, f->written.record.header_offset), 0);
}

/* Every byte of the header page, changed, with the digest corrected. */
START_TEST(test_every_header_byte)
{
	unsigned char good[FAKE_PAGE], page[FAKE_PAGE];
	struct sealed_fixture f;

	sealed_make(&f, ciphers[_i], 0);
	sealed_add_file(&f, SEALED_KEY_FILE);
	sealed_add_file(&f, "a second one, so that a slot can be broken");
	f.file = SEALED_KEY_FILE;
	f.phrase = NULL;
	sealed_write(&f);
	read_header(&f, good);
	for (size_t at = 0; at < FAKE_PAGE; at++) {
		memcpy(page, good, FAKE_PAGE);
		page[at] ^= (unsigned char)(1u << at % 8);
		forge_header(&f, page);
		ck_assert_msg(sealed_load(&f) < 0, "byte %zu of the header", at);
		ck_assert_uint_eq(f.snapshot.written_at, 0);
	}
	forge_header(&f, good);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

/* The same in a passphrase's and a key pair's slot. */
START_TEST(test_every_slot_byte)
{
	unsigned char good[FAKE_PAGE], page[FAKE_PAGE];
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	if (_i == 0)
		sealed_add_passphrase(&f);
	else
		sealed_add_pair(&f);
	sealed_write(&f);
	read_header(&f, good);
	for (size_t at = 1024; at < 1024 + 256; at++) {
		memcpy(page, good, FAKE_PAGE);
		page[at] ^= (unsigned char)(1u << at % 8);
		/* More work than the limits allow is refused at once, and what is allowed
		 * takes long. */
		if (at >= 1032 && at < 1044)
			page[at] = good[at] ^ 1;
		if (at == 1034 || at == 1038)
			continue;
		forge_header(&f, page);
		ck_assert_msg(sealed_load(&f) < 0, "byte %zu of the header", at);
		ck_assert_uint_eq(f.snapshot.written_at, 0);
	}
	forge_header(&f, good);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

/* One bit anywhere in the used parts of the image, padding included. */
START_TEST(test_flipped_bits)
{
	struct sealed_fixture f;
	uint64_t end;
	unsigned int refused = 0;

	sealed_make(&f, ciphers[_i], 2);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	end = (f.device.allocated + 1) * FAKE_PAGE;
	for (uint64_t at = FAKE_PAGE; at < end; at += 509 * THINNING) {
		fake_device_flip(&f.device, at, (unsigned char)(1u << at % 8));
		ck_assert_msg(sealed_load(&f) < 0, "byte %llu", (unsigned long long)at);
		refused++;
		fake_device_flip(&f.device, at, (unsigned char)(1u << at % 8));
	}
	ck_assert_uint_gt(refused, 700 / THINNING);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

START_TEST(test_truncated)
{
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 2);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	for (uint64_t pages = 1; pages < f.device.allocated + 1; pages += 3 * THINNING) {
		f.device.bytes = pages * FAKE_PAGE;
		ck_assert_int_lt(sealed_load(&f), 0);
	}
	sealed_unmake(&f);
}
END_TEST

static void swap_pages(struct sealed_fixture *f, uint64_t a, uint64_t b)
{
	unsigned char x[FAKE_PAGE], y[FAKE_PAGE];

	ck_assert_int_eq(io_pread_full(f->device.fd, x, FAKE_PAGE, a), 0);
	ck_assert_int_eq(io_pread_full(f->device.fd, y, FAKE_PAGE, b), 0);
	ck_assert_int_eq(io_pwrite_full(f->device.fd, x, FAKE_PAGE, b), 0);
	ck_assert_int_eq(io_pwrite_full(f->device.fd, y, FAKE_PAGE, a), 0);
}

/* Any two pages of the image, swapped. */
START_TEST(test_swapped_pages)
{
	struct sealed_fixture f;
	uint64_t last;

	sealed_make(&f, ciphers[_i], 2);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	last = f.device.allocated;
	for (uint64_t i = 1; i < last; i += 2 * THINNING) {
		swap_pages(&f, i * FAKE_PAGE, (i + 1) * FAKE_PAGE);
		ck_assert_int_lt(sealed_load(&f), 0);
		swap_pages(&f, i * FAKE_PAGE, (i + 1) * FAKE_PAGE);
	}
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

/* A block of an image in place of another, raw and of the same size. */
START_TEST(test_block_place)
{
	static const struct block_place wrong[] = {
		{ (const unsigned char *)"0123456789abcdef", 1, 64, 40, 1 },
		{ (const unsigned char *)"0123456789abcdeF", 0, 64, 40, 1 },
		{ (const unsigned char *)"0123456789abcdef", 0, 65, 40, 1 },
		{ (const unsigned char *)"0123456789abcdef", 0, 64, 39, 1 },
		{ (const unsigned char *)"0123456789abcdef", 0, 64, 40, 0 },
	};
	const struct block_place right = { (const unsigned char *)"0123456789abcdef", 0, 64, 40,
					   1 };
	unsigned char data[64], tag[16];
	const struct key_seed seed = { .bytes = "a seed" };
	struct aead aead = { 0 };
	struct seal seal = { 0 };

	ck_assert_int_eq(crypto_init(NULL), 0);
	ck_assert_int_eq(seal_create(&seal, AEAD_AES256_GCM, NULL), 0);
	ck_assert_int_eq(seal_make_key(&seal, &seed, right.image_id), 0);
	ck_assert_int_eq(aead_open(&aead, AEAD_AES256_GCM), 0);
	ck_assert_int_eq(seal_worker_key(&seal, &aead), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(data, 'd', sizeof(data));
		ck_assert_int_eq(seal_block(&aead, &right, data, tag), 0);
		ck_assert_int_eq(unseal_block(&aead, &wrong[i], data, tag), -EBADMSG);
	}
	memset(data, 'd', sizeof(data));
	ck_assert_int_eq(seal_block(&aead, &right, data, tag), 0);
	ck_assert_int_eq(unseal_block(&aead, &right, data, tag), 0);
	ck_assert_uint_eq(data[0], 'd');
	aead_close(&aead);
	seal_destroy(&seal);
}
END_TEST

/* The header of another image that the same key file opens, on this one's blocks; and its
 * slots in this one's header. */
START_TEST(test_other_header)
{
	unsigned char mine[FAKE_PAGE], other[FAKE_PAGE], page[FAKE_PAGE];
	struct signature_record record;
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 2);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	read_header(&f, other);
	f.id = "another image's";
	fake_device_rewind(&f.device);
	sealed_write(&f);
	read_header(&f, mine);
	record = f.written.record;

	forge_header(&f, other);
	ck_assert_int_eq(sealed_load(&f), -EBADMSG); /* the record's id is another */
	memcpy(f.written.record.image_id, other + 32, 16);
	ck_assert_int_eq(sealed_load(&f), -EBADMSG);
	memcpy(f.written.record.image_id, record.image_id, 16);
	memcpy(other + 32, mine + 32, 16);
	forge_header(&f, other);
	ck_assert_int_eq(sealed_load(&f), -EKEYREJECTED);

	memcpy(page, mine, FAKE_PAGE);
	memcpy(page + 1024, other + 1024, 256);
	forge_header(&f, page);
	ck_assert_int_eq(sealed_load(&f), -EKEYREJECTED);
	memcpy(page, other, FAKE_PAGE);
	memcpy(page + 1024, mine + 1024, 256);
	forge_header(&f, page);
	ck_assert_int_eq(sealed_load(&f), -EBADMSG);
	forge_header(&f, mine);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "seal");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_every_header_byte, 0, 3);
	tcase_add_loop_test(tcase, test_every_slot_byte, 0, 2);
	tcase_add_loop_test(tcase, test_flipped_bits, 0, 3);
	tcase_add_test(tcase, test_truncated);
	tcase_add_loop_test(tcase, test_swapped_pages, 0, 3);
	tcase_add_test(tcase, test_block_place);
	tcase_add_test(tcase, test_other_header);
}
