/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every primitive as it is used, against test vectors of its standard. */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/secret.h"
#include "fixtures/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define SANITIZED 0
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef SANITIZED
#define SANITIZED 1
#endif
#endif

/* Bytes from hexadecimal digits, blanks between them skipped. */
static size_t unhex(const char *text, unsigned char *bytes)
{
	size_t count = 0;
	unsigned int value;

	while (sscanf(text, " %2x", &value) == 1) {
		bytes[count++] = (unsigned char)value;
		text += strspn(text, " ");
		text += 2;
	}
	return count;
}

static void expect(const unsigned char *found, const char *hex)
{
	unsigned char wanted[256];
	size_t length = unhex(hex, wanted);

	for (size_t i = 0; i < length; i++)
		ck_assert_msg(found[i] == wanted[i], "byte %zu: %02x instead of %02x", i, found[i],
			      wanted[i]);
}

struct aead_case {
	enum aead_kind kind;
	const char *key, *nonce, *ad, *plain, *sealed, *tag;
};

static const struct aead_case aead_cases[] = {
	/* The Galois/Counter Mode of Operation, McGrew and Viega, test case 16;
	 * among NIST's too. */
	{ AEAD_AES256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	  "76fc6ece0f4e1768cddf8853bb2d551b" },
	/* The same, test case 14: no data that is only authenticated. */
	{ AEAD_AES256_GCM, "0000000000000000000000000000000000000000000000000000000000000000",
	  "000000000000000000000000", "", "00000000000000000000000000000000",
	  "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
	/* RFC 8439, 2.8.2. */
	{ AEAD_CHACHA20_POLY1305,
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	  "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
	  "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
	  "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
	  "637265656e20776f756c642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	  "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	  "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	  "3ff4def08e4b7a9de576d26586cec64b6116",
	  "1ae10b594f09e26a7e902ecbd0600691" },
};

START_TEST(test_aead)
{
	const struct aead_case *c = &aead_cases[_i];
	unsigned char key[32], nonce[12], ad[64], data[256], tag[16];
	size_t ad_length = unhex(c->ad, ad), length = unhex(c->plain, data);
	struct aead aead = { 0 };

	unhex(c->key, key);
	unhex(c->nonce, nonce);
	ck_assert_int_eq(aead_open(&aead, c->kind), 0);
	ck_assert_int_eq(aead_set_key(&aead, key), 0);
	/* Twice: nothing of one message affects the next. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(aead_seal(&aead, nonce, ad, ad_length, data, length, tag), 0);
		expect(data, c->sealed);
		expect(tag, c->tag);
		ck_assert_int_eq(aead_unseal(&aead, nonce, ad, ad_length, data, length, tag), 0);
		expect(data, c->plain);
	}
	aead_close(&aead);
}
END_TEST

static void put_nonce(unsigned char nonce[12], unsigned int number)
{
	memset(nonce, 0, 12);
	nonce[10] = (unsigned char)(number >> 8);
	nonce[11] = (unsigned char)number;
}

/* RFC 7253, appendix A: many messages, whose ciphertexts are the data that the last one
 * authenticates; one answer for a 256-bit key and a 128-bit tag. */
START_TEST(test_ocb)
{
	static unsigned char all[65536], message[128], zeros[128];
	unsigned char key[32] = { [31] = 128 }, nonce[12], tag[16];
	struct aead aead = { 0 };
	size_t used = 0;

	ck_assert_int_eq(aead_open(&aead, AEAD_AES256_OCB), 0);
	ck_assert_int_eq(aead_set_key(&aead, key), 0);
	for (unsigned int i = 0; i < 128; i++) {
		static const bool with_ad[] = { true, false, true };
		static const bool with_data[] = { true, true, false };

		for (unsigned int k = 0; k < 3; k++) {
			size_t length = with_data[k] ? i : 0;

			memset(message, 0, sizeof(message));
			put_nonce(nonce, 3 * i + k + 1);
			ck_assert_int_eq(aead_seal(&aead, nonce, zeros, with_ad[k] ? i : 0, message,
						   length, tag),
					 0);
			memcpy(all + used, message, length);
			memcpy(all + used + length, tag, sizeof(tag));
			used += length + sizeof(tag);
		}
	}
	put_nonce(nonce, 385);
	ck_assert_int_eq(aead_seal(&aead, nonce, all, used, message, 0, tag), 0);
	expect(tag, "d90eb8e9c977c88b79dd793d7ffa161c");
	ck_assert_int_eq(aead_unseal(&aead, nonce, all, used, message, 0, tag), 0);
	aead_close(&aead);
}
END_TEST

static const enum aead_kind kinds[] = { AEAD_AES256_OCB, AEAD_AES256_GCM, AEAD_CHACHA20_POLY1305 };

/* A flipped bit anywhere, another key, another nonce: an error, and no data. */
START_TEST(test_aead_refuses)
{
	unsigned char key[32] = "key", nonce[12] = "nonce", ad[5] = "seen", data[40], tag[16];
	unsigned char sealed[40], good[16];
	struct aead aead = { 0 };

	ck_assert_int_eq(aead_open(&aead, kinds[_i]), 0);
	ck_assert_int_eq(aead_set_key(&aead, key), 0);
	memset(sealed, 'p', sizeof(sealed));
	ck_assert_int_eq(aead_seal(&aead, nonce, ad, 5, sealed, sizeof(sealed), good), 0);
	for (unsigned int bit = 0; bit < 8 * (40 + 16 + 12 + 5 + 32); bit++) {
		unsigned int byte = bit / 8;
		unsigned char *flipped = byte < 40   ? &data[byte]
					 : byte < 56 ? &tag[byte - 40]
					 : byte < 68 ? &nonce[byte - 56]
					 : byte < 73 ? &ad[byte - 68]
						     : &key[byte - 73];

		memcpy(data, sealed, sizeof(data));
		memcpy(tag, good, sizeof(tag));
		*flipped ^= (unsigned char)(1u << bit % 8);
		ck_assert_int_eq(aead_set_key(&aead, key), 0);
		ck_assert_int_eq(aead_unseal(&aead, nonce, ad, 5, data, sizeof(data), tag),
				 -EBADMSG);
		ck_assert(bytes_all_zero(data, sizeof(data)));
		if (byte >= 56)
			*flipped ^= (unsigned char)(1u << bit % 8);
	}
	ck_assert_int_eq(aead_set_key(&aead, key), 0);
	memcpy(data, sealed, sizeof(data));
	ck_assert_int_eq(aead_unseal(&aead, nonce, ad, 5, data, sizeof(data), good), 0);
	ck_assert_uint_eq(data[39], 'p');
	aead_close(&aead);
	aead_close(&aead);
}
END_TEST

START_TEST(test_unknown_aead)
{
	struct aead aead = { 0 };

	ck_assert_int_eq(aead_open(&aead, (enum aead_kind)99), -EOPNOTSUPP);
	ck_assert_ptr_null(aead.handle);
}
END_TEST

/* RFC 5869, appendix A.1 to A.3. */
START_TEST(test_hkdf)
{
	static const struct {
		const char *secret, *salt, *info, *result;
	} cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		  "f0f1f2f3f4f5f6f7f8f9",
		  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		  "34007208d5b887185865" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		  "404142434445464748494a4b4c4d4e4f",
		  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		  "9d201395faa4b61a96c8" },
	};
	unsigned char secret[128], salt[128], info[128], result[128], wanted[128];
	struct hkdf_input input = { .secret = secret, .salt = salt, .info = info };
	size_t length = unhex(cases[_i].result, wanted);

	input.secret_length = unhex(cases[_i].secret, secret);
	input.salt_length = unhex(cases[_i].salt, salt);
	input.info_length = unhex(cases[_i].info, info);
	ck_assert_int_eq(crypto_hkdf_sha256(&input, result, length), 0);
	expect(result, cases[_i].result);
}
END_TEST

/* RFC 9106, 5.3. */
START_TEST(test_argon2id)
{
	unsigned char password[32], salt[16], secret[8], data[12], result[32];
	struct argon2_input input = {
		.password = password,
		.password_length = sizeof(password),
		.salt = salt,
		.salt_length = sizeof(salt),
		.secret = secret,
		.secret_length = sizeof(secret),
		.data = data,
		.data_length = sizeof(data),
		.memory_kib = 32,
		.passes = 3,
		.lanes = 4,
	};

	memset(password, 1, sizeof(password));
	memset(salt, 2, sizeof(salt));
	memset(secret, 3, sizeof(secret));
	memset(data, 4, sizeof(data));
	ck_assert_int_eq(crypto_argon2id(&input, result, sizeof(result)), 0);
	expect(result, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}
END_TEST

/* As keys are derived from passphrases: neither secret nor data. Answers of the authors'
 * test suite. */
START_TEST(test_argon2id_plain)
{
	static const struct {
		uint32_t passes, memory_kib, lanes;
		const char *password, *salt, *result;
	} cases[] = {
		{ 2, 65536, 1, "password", "somesalt",
		  "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7" },
		{ 2, 256, 2, "password", "somesalt",
		  "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037" },
		{ 4, 65536, 1, "password", "somesalt",
		  "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c" },
		{ 2, 65536, 1, "differentpassword", "somesalt",
		  "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde" },
	};
	struct argon2_input input = {
		.password = cases[_i].password,
		.password_length = strlen(cases[_i].password),
		.salt = cases[_i].salt,
		.salt_length = strlen(cases[_i].salt),
		.memory_kib = cases[_i].memory_kib,
		.passes = cases[_i].passes,
		.lanes = cases[_i].lanes,
	};
	unsigned char result[32];

	ck_assert_int_eq(crypto_argon2id(&input, result, sizeof(result)), 0);
	expect(result, cases[_i].result);
}
END_TEST

START_TEST(test_argon2id_bounds)
{
	struct argon2_input input = {
		.password = "p",
		.password_length = 1,
		.salt = "sixteen bytes ok",
		.salt_length = 16,
		.memory_kib = 64,
		.passes = 1,
		.lanes = 1,
	};
	struct argon2_input wrong = input;
	unsigned char result[32];

	ck_assert_int_eq(crypto_argon2id(&input, result, sizeof(result)), 0);
	wrong.lanes = 0;
	ck_assert_int_eq(crypto_argon2id(&wrong, result, sizeof(result)), -EINVAL);
	wrong.lanes = ARGON2_LANES_MAX + 1;
	ck_assert_int_eq(crypto_argon2id(&wrong, result, sizeof(result)), -EINVAL);
	wrong = input;
	wrong.passes = 0;
	ck_assert_int_eq(crypto_argon2id(&wrong, result, sizeof(result)), -EINVAL);
	wrong = input;
	wrong.memory_kib = 7;
	ck_assert_int_eq(crypto_argon2id(&wrong, result, sizeof(result)), -EINVAL);
}
END_TEST

/* RFC 7748, 5.2 and 6.1. */
START_TEST(test_x25519)
{
	static const char *const cases[][3] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
		{ "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", NULL,
		  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f" },
		{ "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
	};
	unsigned char scalar[32], point[32], result[32];

	unhex(cases[_i][0], scalar);
	if (cases[_i][1])
		unhex(cases[_i][1], point);
	ck_assert_int_eq(crypto_x25519(scalar, cases[_i][1] ? point : NULL, result), 0);
	expect(result, cases[_i][2]);
}
END_TEST

/* Points of small order give the same secret to all. */
START_TEST(test_x25519_small_order)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	};
	unsigned char scalar[32] = { 8, 1, 2, 3 }, point[32], result[32];

	unhex(points[_i], point);
	ck_assert_int_eq(crypto_x25519(scalar, point, result), -EBADMSG);
}
END_TEST

/* "123456789" has the check value of the catalogues. */
START_TEST(test_crc32)
{
	char text[] = "123456789", zeros[9];
	uint32_t whole, expected, around;

	ck_assert_int_eq(crypto_crc32(text, 9, &whole), 0);
	ck_assert_uint_eq(whole, 0xcbf43926);
	for (size_t at = 0; at <= 5; at++) {
		memcpy(zeros, text, 9);
		memset(zeros + at, 0, 4);
		ck_assert_int_eq(crypto_crc32(zeros, 9, &expected), 0);
		ck_assert_int_eq(crypto_crc32_around(text, 9, at, &around), 0);
		ck_assert_uint_eq(around, expected);
	}
}
END_TEST

START_TEST(test_secret_memory)
{
	unsigned char *secret = secret_alloc(100);
	char line[512];
	bool found = false, dumped = true;
	FILE *maps = fopen("/proc/self/smaps", "re");

	ck_assert_ptr_nonnull(secret);
	ck_assert(bytes_all_zero(secret, 100));
	memset(secret, 'x', 100);
	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			found = from <= (unsigned long)secret && (unsigned long)secret < to;
		/* lo: locked (sanitizers do not let mlock through), dd: not in a core dump */
		if (found && strncmp(line, "VmFlags:", 8) == 0)
			dumped = (!strstr(line, " lo") && !SANITIZED) || !strstr(line, " dd");
	}
	fclose(maps);
	ck_assert(!dumped);
	secret_wipe(secret, 50);
	ck_assert(bytes_all_zero(secret, 50) && secret[50] == 'x');
	secret_free(secret, 100);
	secret_free(NULL, 100);
}
END_TEST

START_TEST(test_secret_process)
{
	struct rlimit limit;

	secret_process();
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	ck_assert_uint_eq(limit.rlim_cur, 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
}
END_TEST

static void set_up(void)
{
	ck_assert_int_eq(crypto_init(NULL), 0);
}

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "crypto");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_loop_test(tcase, test_aead, 0, (int)ARRAY_SIZE(aead_cases));
	tcase_add_test(tcase, test_ocb);
	tcase_add_loop_test(tcase, test_aead_refuses, 0, AEAD_KINDS);
	tcase_add_test(tcase, test_unknown_aead);
	tcase_add_loop_test(tcase, test_hkdf, 0, 3);
	tcase_add_test(tcase, test_argon2id);
	tcase_add_loop_test(tcase, test_argon2id_plain, 0, 4);
	tcase_add_test(tcase, test_argon2id_bounds);
	tcase_add_loop_test(tcase, test_x25519, 0, 4);
	tcase_add_loop_test(tcase, test_x25519_small_order, 0, 4);
	tcase_add_test(tcase, test_crc32);
	tcase_add_test(tcase, test_secret_memory);
	tcase_add_test(tcase, test_secret_process);
}
