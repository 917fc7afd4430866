/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparing memory maps where memory for it is missing: each allocation fails once. */
#include "fixtures/check_main.h"
#include "platform/memory/map_diff.h"

#include <errno.h>

static unsigned int left; /* allocations until one fails; 0: none does */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return left > 0 && --left == 0 ? NULL : __real_calloc(count, size);
}

static struct memory_map then, now;

static void begin(void)
{
	ck_assert_int_eq(
		memory_map_parse("0x0 0xfff System RAM\n0x1000 0x1fff ACPI Tables\n", &then), 0);
	ck_assert_int_eq(
		memory_map_parse("0x0 0x1fff System RAM\n0x2000 0x2fff ACPI Tables\n", &now), 0);
}

static void end(void)
{
	left = 0;
	memory_map_free(&then);
	memory_map_free(&now);
}

/* With allocation i, from 1 on, failing; whether there was one. */
static bool align(unsigned int i)
{
	struct map_segment *rows = NULL;
	size_t count = 0;
	int r;

	left = i;
	r = map_align(&then, &now, &rows, &count);
	ck_assert_int_eq(r, left == 0 ? -ENOMEM : 0);
	ck_assert_uint_eq(count, r == 0 ? 3 : 0);
	free(rows);
	return r < 0;
}

static bool compare(unsigned int i)
{
	struct map_diff diff = { 0 };
	int r;

	left = i;
	r = map_diff(&then, &now, &diff);
	ck_assert_int_eq(r, left == 0 ? -ENOMEM : 0);
	ck_assert_uint_eq(diff.change_count, r == 0 ? 1 : 0);
	map_diff_free(&diff);
	return r < 0;
}

START_TEST(says_so)
{
	bool (*const functions[])(unsigned int i) = { align, compare };
	unsigned int i = 1;

	while (functions[_i](i))
		i++;
	ck_assert_uint_ge(i, 3);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "map_diff_memory");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, says_so, 0, 2);
}
