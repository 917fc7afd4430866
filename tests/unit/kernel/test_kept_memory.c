/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/kept_memory, on files that respond to a write as the kernel's do. */
#include "fixtures/check_main.h"
#include "kernel/kept_memory.h"

#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE0_2M "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
#define NODE1_2M "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"
#define NODE0_1G "/sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages"
#define ALL_2M "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define CRASH "/sys/kernel/kexec_crash_size"

int __wrap_io_write_text(const char *root, const char *path, const char *text);

static struct number {
	const char *path;
	uint64_t value, least, most; /* pages in use; pages that there is memory for */
	int error;
} numbers[8];

static void show(const struct number *number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", number->value);
	made_put(number->path, text);
}

static struct number *add(const char *path, uint64_t value)
{
	struct number *number = numbers;

	while (number->path)
		number++;
	*number = (struct number){ .path = path, .value = value, .most = UINT64_MAX };
	show(number);
	return number;
}

int __wrap_io_write_text(const char *root, const char *path, const char *text)
{
	ck_assert_str_eq(root, made_root);
	for (struct number *number = numbers; number->path; number++) {
		uint64_t wanted = strtoull(text, NULL, 10);

		if (strcmp(path, number->path) != 0)
			continue;
		if (number->error < 0)
			return number->error;
		if (strcmp(path, CRASH) == 0 && wanted > number->value)
			return -EINVAL;
		if (wanted < number->least)
			wanted = number->least;
		number->value = wanted > number->most ? number->most : wanted;
		show(number);
		return 0;
	}
	ck_abort_msg("%s is not there", path);
}

static struct kept_memory kept;

static void setup(void)
{
	memset(numbers, 0, sizeof(numbers));
	memset(&kept, 0, sizeof(kept));
	made_root_create();
}

START_TEST(nothing_is_kept)
{
	ck_assert_uint_eq(kept_memory_give_huge(&kept, made_root), 0);
	ck_assert_uint_eq(kept_memory_give_crash(made_root), 0);
	add(NODE0_2M, 0);
	add(CRASH, 0);
	ck_assert_uint_eq(kept_memory_give_huge(&kept, made_root), 0);
	ck_assert_uint_eq(kept_memory_give_crash(made_root), 0);
	ck_assert_uint_eq(kept.count, 0);
	ck_assert(kept_memory_take_back(&kept, made_root));
}
END_TEST

/* Each node gets back its own number, of each size. */
START_TEST(gives_and_takes_back)
{
	struct number *a = add(NODE0_2M, 100), *b = add(NODE1_2M, 7), *c = add(NODE0_1G, 2);

	ck_assert_uint_eq(kept_memory_give_huge(&kept, made_root),
			  107 * (UINT64_C(2) << 20) + (UINT64_C(2) << 30));
	ck_assert(a->value == 0 && b->value == 0 && c->value == 0);
	ck_assert_uint_eq(kept_memory_give_huge(&kept, made_root), 0);
	ck_assert(kept_memory_take_back(&kept, made_root));
	ck_assert(a->value == 100 && b->value == 7 && c->value == 2);
	/* Once. */
	a->value = 50;
	ck_assert(kept_memory_take_back(&kept, made_root));
	ck_assert_uint_eq(a->value, 50);
}
END_TEST

START_TEST(kernel_without_nodes)
{
	struct number *all = add(ALL_2M, 3);

	ck_assert_uint_eq(kept_memory_give_huge(&kept, made_root), UINT64_C(6) << 20);
	ck_assert(kept_memory_take_back(&kept, made_root));
	ck_assert_uint_eq(all->value, 3);
}
END_TEST

/* Some are in use; then memory is fragmented. */
START_TEST(not_all)
{
	struct number *number = add(NODE0_2M, 10), *other = add(NODE1_2M, 10);

	number->least = 4;
	other->error = -EPERM;
	ck_assert_uint_eq(kept_memory_give_huge(&kept, made_root), UINT64_C(12) << 20);
	ck_assert_uint_eq(kept.count, 1);
	number->most = 9;
	ck_assert(!kept_memory_take_back(&kept, made_root));
	ck_assert_uint_eq(number->value, 9);
	ck_assert_uint_eq(other->value, 10);
}
END_TEST

START_TEST(crash_memory_is_gone_for_good)
{
	struct number *crash = add(CRASH, 256 << 20);

	crash->error = -ENOENT; /* a crash kernel is loaded */
	ck_assert_uint_eq(kept_memory_give_crash(made_root), 0);
	crash->error = 0;
	ck_assert_uint_eq(kept_memory_give_crash(made_root), 256 << 20);
	ck_assert_uint_eq(crash->value, 0);
	ck_assert_uint_eq(kept_memory_give_crash(made_root), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "kept_memory");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, nothing_is_kept);
	tcase_add_test(tcase, gives_and_takes_back);
	tcase_add_test(tcase, kernel_without_nodes);
	tcase_add_test(tcase, not_all);
	tcase_add_test(tcase, crash_memory_is_gone_for_good);
}
