/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libblkid sees in each state of an area: udev names devices by it, so UUID and label must
 * stay what they were, and an area with an image must not be taken for plain swap. */
#include "fixtures/check_main.h"
#include "format/signature_record.h"
#include "format/swap_signature.h"
#include "format_fixture.h"

#include <blkid.h>
#include <sys/mman.h>
#include <unistd.h>

#define AREA (8u << 20)
#define UUID "30313233-3435-3637-3839-616263646566" /* of id */

static const uint32_t page_sizes[] = { 4096, 16384, 65536 };

static int area;
static uint32_t size;
static unsigned char page[65536];

/* As mkswap makes one of this page size; area is the device. */
static void make_area(int i)
{
	size = page_sizes[i];
	area = memfd_create("area", 0);
	ck_assert_int_ge(area, 0);
	ck_assert_int_eq(ftruncate(area, AREA), 0);
	memset(page, 0, sizeof(page));
	put_le32(page + 1024, 1);
	put_le32(page + 1028, AREA / size - 1);
	memcpy(page + 1036, id, 16);
	memcpy(page + 1052, "label", 5);
	memcpy(page + size - 10, SWAP_SIGNATURE_SWAP, 10);
}

static void put_image(void)
{
	struct signature_record record = {
		.page_size = size,
		.header_offset = (uint64_t)4 * size,
		.state = IMAGE_COMMITTED,
		.created = 1700000000,
	};

	memcpy(record.image_id, id, 16);
	ck_assert_int_eq(signature_record_encode(&record, page, size, NULL), 0);
}

static void check_value(blkid_probe probe, const char *name, const char *wanted)
{
	const char *found = NULL;

	ck_assert_msg(blkid_probe_lookup_value(probe, name, &found, NULL) == 0, "no %s", name);
	ck_assert_str_eq(found, wanted);
}

/* Is it just this, as udev's probe and mount's ask for it? */
static void check_type(const char *type)
{
	blkid_probe probe = blkid_new_probe();

	ck_assert_int_eq(pwrite(area, page, size, 0), size);
	ck_assert_ptr_nonnull(probe);
	ck_assert_int_eq(blkid_probe_set_device(probe, area, 0, 0), 0);
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
							 BLKID_SUBLKS_LABEL);
	ck_assert_int_eq(blkid_do_safeprobe(probe), 0);
	check_value(probe, "TYPE", type);
	check_value(probe, "UUID", UUID);
	check_value(probe, "LABEL", "label");
	blkid_free_probe(probe);
}

START_TEST(sees_swap)
{
	make_area(_i);
	check_type("swap");
}
END_TEST

START_TEST(sees_an_image)
{
	make_area(_i);
	put_image();
	check_type("swsuspend");
}
END_TEST

/* As a resume leaves it, and as it is left where an image is invalidated. */
START_TEST(sees_swap_again)
{
	static const size_t wipes[] = { 20, SIGNATURE_RECORD_SIZE };

	for (size_t i = 0; i < 2; i++) {
		make_area(_i);
		put_image();
		ck_assert_int_eq(swap_signature_restore(page, size, wipes[i]), 0);
		check_type("swap");
	}
}
END_TEST

/* The kernel's own images, and uswsusp's, whose original signature is not at hand. */
START_TEST(sees_other_images)
{
	static const char *const signatures[] = { SWAP_SIGNATURE_KERNEL, SWAP_SIGNATURE_USER };

	for (size_t i = 0; i < 2; i++) {
		make_area(_i);
		memcpy(page + size - 10, signatures[i], 10);
		check_type("swsuspend");
		ck_assert_int_eq(swap_signature_restore(page, size, 20), 0);
		check_type("swap");
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "libblkid");

	tcase_add_loop_test(test, sees_swap, 0, 3);
	tcase_add_loop_test(test, sees_an_image, 0, 3);
	tcase_add_loop_test(test, sees_swap_again, 0, 3);
	tcase_add_loop_test(test, sees_other_images, 0, 3);
}
