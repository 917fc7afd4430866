/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of an image if the kernel returns the same random numbers twice, as in a
 * restored system; and that it is made to return others.
 */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "fixtures/check_main.h"
#include "seal/key_slots.h"
#include "seal/seal.h"
#include "kernel/kernel_random.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int drawn; /* how often; every number is the same */
static int random_error;

int __wrap_crypto_random(void *buffer, size_t length);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_crypto_random(void *buffer, size_t length)
{
	if (random_error)
		return random_error;
	memset(buffer, 'r', length);
	drawn++;
	return 0;
}

static unsigned long asked;
static off_t written; /* before it was asked */
static int ioctl_error;

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	asked = request;
	written = lseek(fd, 0, SEEK_CUR);
	errno = ioctl_error;
	return ioctl_error ? -1 : 0;
}

static const unsigned char id[IMAGE_ID_SIZE] = "an image's id..";

static void key_of(const struct key_seed *seed, unsigned char key[IMAGE_KEY_SIZE])
{
	struct seal seal = { 0 };

	ck_assert_int_eq(seal_create(&seal, AEAD_AES256_GCM, NULL), 0);
	ck_assert_int_eq(seal_make_key(&seal, seed, id), 0);
	memcpy(key, seal_key(&seal), IMAGE_KEY_SIZE);
	seal_destroy(&seal);
}

START_TEST(test_image_key)
{
	const struct key_seed seed = { "before the freeze" }, other = { "another time" };
	unsigned char key[IMAGE_KEY_SIZE], again[IMAGE_KEY_SIZE], random[IMAGE_KEY_SIZE];

	memset(random, 'r', sizeof(random));
	key_of(&seed, key);
	ck_assert_int_eq(drawn, 1);
	/* The kernel's output is not the key, and does not reveal it without the seed. */
	ck_assert(memcmp(key, random, sizeof(key)) != 0);
	key_of(&other, again);
	ck_assert(memcmp(key, again, sizeof(key)) != 0);
	key_of(&seed, again);
	ck_assert(memcmp(key, again, sizeof(key)) == 0);
}
END_TEST

START_TEST(test_draw)
{
	struct key_seed seed = { "before the freeze" };
	unsigned char a[32], b[32];
	struct seal seal = { 0 };

	ck_assert_int_eq(key_seed_draw(&seed, "one", a, sizeof(a)), 0);
	ck_assert_int_eq(key_seed_draw(&seed, "another", b, sizeof(b)), 0);
	ck_assert(memcmp(a, b, sizeof(a)) != 0);
	random_error = -EIO;
	memset(a, 'a', sizeof(a));
	ck_assert_int_eq(key_seed_draw(&seed, "one", a, sizeof(a)), -EIO);
	ck_assert_int_eq(a[0], 'a');
	random_error = 0;
	/* A wiped seed makes no key. */
	memset(&seed, 0, sizeof(seed));
	ck_assert_int_eq(key_seed_draw(&seed, "one", a, sizeof(a)), -ENOKEY);
	ck_assert_int_eq(seal_create(&seal, AEAD_AES256_GCM, NULL), 0);
	ck_assert_int_eq(seal_make_key(&seal, &seed, id), -ENOKEY);
	seal_destroy(&seal);
}
END_TEST

/* A key pair's slot has a secret of its own. */
START_TEST(test_ephemeral)
{
	static const struct kdf kdf = { .memory_kib = 8, .passes = 1, .lanes = 1 };
	unsigned char slot[2][KEY_SLOT_SIZE], key[IMAGE_KEY_SIZE] = "key", half[32], random[32];
	struct key_ways *ways = key_ways_alloc();
	struct key_pair pair;

	ck_assert_ptr_nonnull(ways);
	/* Drawn with it, so before the freeze. */
	ck_assert(!bytes_all_zero(ways->seed.bytes, sizeof(ways->seed.bytes)));
	ck_assert_int_eq(key_pair_make(&kdf, "phrase", 6, &pair, NULL), 0);
	ck_assert_int_eq(key_ways_add_pair(ways, &pair, NULL), 0);
	ck_assert_int_eq(key_ways_wrap(ways, id, key, slot[0]), 0);
	ways->seed.bytes[0] ^= 1;
	ck_assert_int_eq(key_ways_wrap(ways, id, key, slot[1]), 0);
	ck_assert(memcmp(slot[0] + 88, slot[1] + 88, 32) != 0);
	memset(random, 'r', sizeof(random));
	ck_assert_int_eq(crypto_x25519(random, NULL, half), 0);
	ck_assert(memcmp(slot[0] + 88, half, 32) != 0);
	key_ways_free(ways);
	random_error = -EIO;
	ck_assert_ptr_null(key_ways_alloc());
	ck_assert_int_eq(errno, EIO);
	random_error = 0;
}
END_TEST

START_TEST(test_renew)
{
	int fd = memfd_create("urandom", MFD_CLOEXEC);

	ck_assert_int_eq(kernel_random_renew(fd, "bytes", 5), 0);
	ck_assert_uint_eq(asked, RNDRESEEDCRNG);
	ck_assert_int_eq(written, 5); /* first mixed in, then used */
	ioctl_error = EPERM;
	ck_assert_int_eq(kernel_random_renew(fd, "bytes", 5), -EPERM);
	close(fd);
	asked = 0;
	ck_assert_int_eq(kernel_random_renew(fd, "bytes", 5), -EBADF);
	ck_assert_uint_eq(asked, 0);
	fd = kernel_random_open();
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close(fd);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "key_seed");

	if (crypto_init(NULL) < 0)
		exit(EXIT_FAILURE);
	tcase_add_test(tcase, test_image_key);
	tcase_add_test(tcase, test_draw);
	tcase_add_test(tcase, test_ephemeral);
	tcase_add_test(tcase, test_renew);
}
