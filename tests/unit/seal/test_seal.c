/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sealed images: every way to the key, and what must not be on the disk. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "image/image_commit.h"
#include "fixtures/image/sealed_fixture.h"

#include <errno.h>
#include <stdlib.h>

static const enum aead_kind ciphers[] = { AEAD_AES256_OCB, AEAD_AES256_GCM,
					  AEAD_CHACHA20_POLY1305 };
static const unsigned int worker_counts[] = { 0, 1, 2, 5 };

START_TEST(test_round_trip)
{
	struct sealed_fixture f;

	sealed_make(&f, ciphers[_i % 3], worker_counts[_i / 3]);
	sealed_add_passphrase(&f);
	sealed_write(&f);
	sealed_expect_loaded(&f);
	ck_assert_uint_eq(f.asked, 1);
	sealed_unmake(&f);
}
END_TEST

/* Sections of several pieces: many ranges and blocks. */
START_TEST(test_large_sections)
{
	struct sealed_fixture f;

	sealed_make(&f, ciphers[_i], 2);
	fake_snapshot_free(&f.snapshot);
	fake_device_free(&f.device);
	fake_snapshot_make(&f.snapshot, 60000, 7, true);
	fake_device_make(&f.device, 65536, 1);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

START_TEST(test_ways)
{
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 2);
	switch (_i) {
	case 0:
		sealed_add_pair(&f);
		break;
	case 1:
		sealed_add_file(&f, SEALED_KEY_FILE);
		f.file = SEALED_KEY_FILE;
		f.phrase = NULL;
		break;
	case 2: /* several: each opens it */
		sealed_add_file(&f, "another file, which the reader has not got");
		sealed_add_file(&f, SEALED_KEY_FILE);
		sealed_add_pair(&f);
		sealed_add_passphrase(&f);
		break;
	}
	sealed_write(&f);
	sealed_expect_loaded(&f);
	if (_i == 2) {
		f.file = SEALED_KEY_FILE;
		f.phrase = "wrong";
		sealed_expect_loaded(&f);
	}
	f.phrase = "Correct horse";
	f.file = "forty bytes of a key that is a file ...!";
	ck_assert_int_eq(sealed_load(&f), -EKEYREJECTED);
	ck_assert_uint_eq(f.snapshot.written_at, 0);
	f.phrase = NULL;
	f.file = NULL;
	ck_assert_int_eq(sealed_load(&f), -EKEYREJECTED);
	sealed_unmake(&f);
}
END_TEST

START_TEST(test_no_unlocker)
{
	struct image_reader_config config;
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	sealed_add_passphrase(&f);
	sealed_write(&f);
	config = sealed_config(&f);
	config.unlocker.unlock = NULL;
	ck_assert_int_eq(sealed_load_with(&f, &config), -ENOKEY);
	sealed_unmake(&f);
}
END_TEST

/* No downgrade: a plain image may come from an attacker. */
START_TEST(test_plain_refused)
{
	struct image_reader_config config;
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	sealed_write(&f);
	ck_assert_int_eq(sealed_load(&f), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(f.why.text, "not encrypted"));
	ck_assert_uint_eq(f.asked, 0);
	config = sealed_config(&f);
	config.sealed_only = false;
	ck_assert_int_eq(sealed_load_with(&f, &config), 0);
	sealed_unmake(&f);
}
END_TEST

/* Nothing of the memory's content, the machine or the key is on the disk. */
START_TEST(test_nothing_in_plain)
{
	static const char line[] = "hat is repeated";
	unsigned char *disk = malloc(SEALED_DEVICE_PAGES * FAKE_PAGE);
	size_t size = SEALED_DEVICE_PAGES * FAKE_PAGE;
	struct image_writer *writer;
	unsigned char key[IMAGE_KEY_SIZE];
	struct sealed_fixture f;

	ck_assert_ptr_nonnull(disk);
	sealed_make(&f, ciphers[_i], 2);
	sealed_add_passphrase(&f);
	sealed_add_pair(&f);
	sealed_add_file(&f, SEALED_KEY_FILE);
	writer = sealed_writer(&f);
	ck_assert_ptr_null(image_writer_key(writer));
	ck_assert_int_eq(sealed_run(&f, writer), 0);
	memcpy(key, image_writer_key(writer), sizeof(key));
	ck_assert(!bytes_all_zero(key, sizeof(key)));
	image_writer_forget_key(writer);
	ck_assert_ptr_null(image_writer_key(writer));
	image_writer_destroy(writer);
	ck_assert_int_eq(io_pread_full(f.device.fd, disk, size, 0), 0);
	ck_assert_ptr_null(memmem(disk, size, line, strlen(line)));
	ck_assert_ptr_null(memmem(disk, size, "the writer's text", 17));
	ck_assert_ptr_null(memmem(disk, size, key, sizeof(key)));
	ck_assert_ptr_null(memmem(disk, size, SEALED_PHRASE, strlen(SEALED_PHRASE)));
	ck_assert_ptr_null(memmem(disk, size, SEALED_KEY_FILE, 32));
	ck_assert_ptr_null(memmem(disk, size, f.pair.origin, 32));
	ck_assert_ptr_null(memmem(disk, size, f.ways->ways[0].secret, 32));
	/* The search finds what is there. */
	f.ways->count = 0;
	fake_device_rewind(&f.device);
	sealed_write(&f);
	ck_assert_int_eq(io_pread_full(f.device.fd, disk, size, 0), 0);
	ck_assert_ptr_nonnull(memmem(disk, size, line, strlen(line)));
	ck_assert_ptr_nonnull(memmem(disk, size, "the writer's text", 17));
	free(disk);
	sealed_unmake(&f);
}
END_TEST

/* Every attempt has a key of its own, even with the same id and content. */
START_TEST(test_fresh_key)
{
	unsigned char keys[3][IMAGE_KEY_SIZE];
	struct image_writer *writer;
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 1);
	sealed_add_passphrase(&f);
	writer = sealed_writer(&f);
	for (unsigned int i = 0; i < 3; i++) {
		fake_device_rewind(&f.device);
		if (i == 1) { /* one that fails */
			f.device.pages_left = 20;
			ck_assert_int_eq(sealed_run(&f, writer), -ENOSPC);
			ck_assert_ptr_null(image_writer_key(writer));
			fake_device_rewind(&f.device);
		}
		ck_assert_int_eq(sealed_run(&f, writer), 0);
		memcpy(keys[i], image_writer_key(writer), IMAGE_KEY_SIZE);
		for (unsigned int k = 0; k < i; k++)
			ck_assert(memcmp(keys[i], keys[k], IMAGE_KEY_SIZE) != 0);
	}
	image_writer_destroy(writer);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

/* The public half alone is not enough to make an image that opens. */
START_TEST(test_origin)
{
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	sealed_add_pair(&f);
	memset(f.ways->ways[0].pair.origin, 'x', ORIGIN_KEY_SIZE);
	sealed_write(&f);
	ck_assert_int_eq(sealed_load(&f), -EKEYREJECTED);
	sealed_unmake(&f);
}
END_TEST

START_TEST(test_too_many_ways)
{
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	for (unsigned int i = 0; i < KEY_SLOTS_MAX; i++)
		sealed_add_file(&f, SEALED_KEY_FILE);
	ck_assert_int_eq(key_ways_add_file(f.ways, SEALED_KEY_FILE, 40, &f.why), -ENOSPC);
	ck_assert_int_eq(key_ways_add_passphrase(f.ways, &sealed_kdf, "p", 1, &f.why), -ENOSPC);
	ck_assert_int_eq(key_ways_add_pair(f.ways, &f.pair, &f.why), -ENOSPC);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

START_TEST(test_key_file_sizes)
{
	unsigned char key[IMAGE_KEY_SIZE];
	struct key_slots slots = { 0 };
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	ck_assert_int_eq(key_ways_add_file(f.ways, SEALED_KEY_FILE, 31, &f.why), -EINVAL);
	ck_assert_int_eq(key_ways_add_file(f.ways, SEALED_KEY_FILE, KEY_FILE_MAX + 1, &f.why),
			 -EINVAL);
	ck_assert_uint_eq(f.ways->count, 0);
	ck_assert_int_eq(key_slots_try_file(&slots, SEALED_KEY_FILE, 31, key, &f.why), -EINVAL);
	sealed_unmake(&f);
}
END_TEST

/* After the image was used nothing opens it any more, unless it is restored. */
START_TEST(test_wiped_header)
{
	unsigned char before[FAKE_PAGE], after[FAKE_PAGE];
	struct sealed_header header = { 0 };
	struct signature_record other;
	struct sealed_fixture f;
	uint64_t offset;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	offset = f.written.record.header_offset;
	ck_assert_int_eq(io_pread_full(f.device.fd, before, FAKE_PAGE, offset), 0);
	/* A record that names another image, another place, or none. */
	other = f.written.record;
	other.image_id[3] ^= 1;
	ck_assert_int_eq(sealed_header_wipe(&header, f.device.fd, FAKE_PAGE, &other, &f.why), 0);
	ck_assert_ptr_null(header.page);
	other = f.written.record;
	other.header_offset += FAKE_PAGE;
	ck_assert_int_eq(sealed_header_wipe(&header, f.device.fd, FAKE_PAGE, &other, &f.why), 0);
	other.header_offset = f.device.bytes;
	ck_assert_int_eq(sealed_header_wipe(&header, f.device.fd, FAKE_PAGE, &other, &f.why), 0);
	ck_assert_int_eq(sealed_header_put_back(&header, f.device.fd, FAKE_PAGE, &f.why), 0);
	sealed_expect_loaded(&f);

	ck_assert_int_eq(
		sealed_header_wipe(&header, f.device.fd, FAKE_PAGE, &f.written.record, &f.why), 0);
	ck_assert_ptr_nonnull(header.page);
	ck_assert_int_eq(io_pread_full(f.device.fd, after, FAKE_PAGE, offset), 0);
	ck_assert(bytes_all_zero(after, FAKE_PAGE));
	ck_assert_int_lt(sealed_load(&f), 0);
	ck_assert_int_eq(sealed_header_put_back(&header, f.device.fd, FAKE_PAGE, &f.why), 0);
	sealed_header_free(&header);
	sealed_header_free(&header);
	sealed_expect_loaded(&f);
	sealed_unmake(&f);
}
END_TEST

/* A plain image's header is left alone. */
START_TEST(test_plain_header_stays)
{
	struct sealed_header header = { 0 };
	struct image_reader_config config;
	struct sealed_fixture f;

	sealed_make(&f, AEAD_AES256_OCB, 0);
	sealed_write(&f);
	ck_assert_int_eq(
		sealed_header_wipe(&header, f.device.fd, FAKE_PAGE, &f.written.record, &f.why), 0);
	ck_assert_ptr_null(header.page);
	config = sealed_config(&f);
	config.sealed_only = false;
	ck_assert_int_eq(sealed_load_with(&f, &config), 0);
	sealed_unmake(&f);
}
END_TEST

/* Without its keys a reader cannot load anything. */
START_TEST(test_forgotten_keys)
{
	struct image_reader_config config;
	struct image_reader *reader = NULL;
	struct page_sink sink;
	struct sealed_fixture f;

	sealed_make(&f, ciphers[_i], 2);
	sealed_add_file(&f, SEALED_KEY_FILE);
	f.file = SEALED_KEY_FILE;
	sealed_write(&f);
	config = sealed_config(&f);
	sink = fake_snapshot_sink(&f.snapshot);
	ck_assert_int_eq(image_reader_open(&config, &f.written.record, &reader, &f.why), 0);
	image_reader_forget_keys(reader);
	ck_assert_int_eq(image_reader_load(reader, &sink, NULL, NULL, &f.why), -EBADMSG);
	ck_assert_uint_eq(f.snapshot.written_at, 0);
	image_reader_close(reader);
	sealed_unmake(&f);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "seal");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_round_trip, 0, 12);
	tcase_add_loop_test(tcase, test_large_sections, 0, 3);
	tcase_add_loop_test(tcase, test_ways, 0, 3);
	tcase_add_test(tcase, test_no_unlocker);
	tcase_add_test(tcase, test_plain_refused);
	tcase_add_loop_test(tcase, test_nothing_in_plain, 0, 3);
	tcase_add_test(tcase, test_fresh_key);
	tcase_add_test(tcase, test_wiped_header);
	tcase_add_test(tcase, test_plain_header_stays);
	tcase_add_loop_test(tcase, test_forgotten_keys, 0, 3);
	tcase_add_test(tcase, test_origin);
	tcase_add_test(tcase, test_too_many_ways);
	tcase_add_test(tcase, test_key_file_sizes);
}
