/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory blocks that are offline: those that touch make one range, those with a gap do not. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/memory/ram.h"

#include <stdio.h>

#define BLOCKS "/sys/devices/system/memory"
#define BLOCK UINT64_C(0x8000000)

static void put_block(unsigned int index, const char *state)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), BLOCKS "/memory%u/phys_index", index);
	snprintf(text, sizeof(text), "%08x\n", index);
	made_put(path, text);
	snprintf(path, sizeof(path), BLOCKS "/memory%u/state", index);
	made_put(path, state);
}

static void check_range(const struct byte_range *range, uint64_t first, uint64_t count)
{
	ck_assert_uint_eq(range->start, first * BLOCK);
	ck_assert_uint_eq(range->end, (first + count) * BLOCK - 1);
}

START_TEST(joins_offline_blocks)
{
	struct ram ram = { 0 };

	made_put(BLOCKS "/block_size_bytes", "8000000\n");
	put_block(1, "online\n");
	put_block(2, "offline\n");
	put_block(3, "offline\n");
	put_block(4, "online\n");
	put_block(5, "offline\n");
	ck_assert_int_eq(ram_capture(made_root, &ram), 0);
	ck_assert(ram.offline.known);
	ck_assert_uint_eq(ram.pages.blocks, 5);
	ck_assert_uint_eq(ram.pages.blocks_online, 2);
	ck_assert_uint_eq(ram.offline.count, 2);
	check_range(&ram.offline.items[0], 2, 2);
	check_range(&ram.offline.items[1], 5, 1);
	ram_free(&ram);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "blocks");

	tcase_add_checked_fixture(test, made_root_create, made_root_remove);
	tcase_add_test(test, joins_offline_blocks);
}
