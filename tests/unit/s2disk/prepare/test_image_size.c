/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_size: what size of snapshot the kernel is asked for. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "s2disk/prepare/image_size.h"

#include <errno.h>
#include <sys/sysmacros.h>

#define MEMORY (8ull << 30)
#define KERNELS (3ull << 30)

/* Swap on LVM on LUKS, and a partition beside it. */
static void make_tree(void)
{
	made_root_create();
	made_put("/sys/power/image_size", "3221225472\n");
	made_put("/sys/dev/block/8:1/uevent", "DEVNAME=sda1\n");
	made_put("/sys/dev/block/8:1/partition", "1\n");
	made_put("/sys/dev/block/8:1/dev", "8:1\n");
	made_put("/sys/dev/block/254:0/uevent", "DEVNAME=dm-0\n");
	made_put("/sys/dev/block/254:0/dm/name", "sda1_crypt\n");
	made_put("/sys/dev/block/254:0/dm/uuid", "CRYPT-LUKS2-0123-sda1_crypt\n");
	made_put("/sys/dev/block/254:0/slaves/sda1/dev", "8:1\n");
	made_put("/sys/dev/block/254:1/uevent", "DEVNAME=dm-1\n");
	made_put("/sys/dev/block/254:1/dm/name", "vg-swap\n");
	made_put("/sys/dev/block/254:1/dm/uuid", "LVM-0123\n");
	made_put("/sys/dev/block/254:1/slaves/dm-0/dev", "254:0\n");
}

static const struct {
	bool set;
	uint64_t setting;
	bool sealed;
	unsigned int major, minor;
	uint64_t size;
} first[] = {
	{ false, 0, false, 8, 1, KERNELS },
	{ false, 0, true, 8, 1, MEMORY },
	{ false, 0, false, 254, 0, MEMORY },
	{ false, 0, false, 254, 1, MEMORY },
	{ false, 0, true, 254, 1, MEMORY },
	/* The device is unknown. */
	{ false, 0, false, 7, 7, KERNELS },
	{ false, 0, false, 0, 0, KERNELS },
	/* An explicit setting counts. */
	{ true, 0, true, 254, 1, 0 },
	{ true, 1ull << 30, true, 254, 1, 1ull << 30 },
	{ true, 1ull << 30, false, 8, 1, 1ull << 30 },
	/* The kernel would take that for 0. */
	{ true, UINT64_MAX, false, 8, 1, MEMORY },
};

START_TEST(the_first)
{
	const struct settings settings = {
		.image_size = first[_i].setting,
		.image_size_set = first[_i].set,
	};
	dev_t dev = makedev(first[_i].major, first[_i].minor);

	ck_assert_uint_eq(image_size_first(&settings, first[_i].sealed, made_root, dev, MEMORY),
			  first[_i].size);
}
END_TEST

START_TEST(without_the_kernels)
{
	const struct settings settings = { .image_size_set = false };

	made_put("/sys/power/image_size", NULL);
	ck_assert_uint_eq(image_size_first(&settings, false, made_root, makedev(8, 1), MEMORY),
			  MEMORY);
}
END_TEST

static const struct {
	uint64_t size;
	int done, r;
	uint64_t raw, stored;
	bool more;
	uint64_t next;
} next[] = {
	/* No room on the disk: what did fit, less a tenth, and then the smallest. */
	{ 5000, 1, -ENOSPC, 1000, 400, true, 900 },
	{ 900, 2, -ENOSPC, 800, 400, true, 0 },
	{ 5000, 1, -ENOSPC, 0, 0, true, 0 },
	/* None in memory: the smallest at once. */
	{ 5000, 1, -ENOMEM, 0, 0, true, 0 },
	/* It was the smallest. */
	{ 0, 1, -ENOSPC, 1000, 400, false, 0 },
	{ 0, 2, -ENOMEM, 0, 0, false, 0 },
};

START_TEST(the_next)
{
	uint64_t size = next[_i].size;

	ck_assert_int_eq(image_size_next(&size, next[_i].done, next[_i].r, next[_i].raw,
					 next[_i].stored),
			 next[_i].more);
	ck_assert_uint_eq(size, next[_i].next);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "image_size");

	tcase_add_checked_fixture(tcase, make_tree, made_root_remove);
	tcase_add_loop_test(tcase, the_first, 0, ARRAY_SIZE(first));
	tcase_add_test(tcase, without_the_kernels);
	tcase_add_loop_test(tcase, the_next, 0, ARRAY_SIZE(next));
}
