/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arithmetic of the pre-flight, and how its findings are printed. */
#include "preflight/preflight.h"
#include "fixtures/check_main.h"
#include "preflight/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const some_meminfo = "MemTotal: 4096 kB\nMemFree: 16 kB\n"
					"SwapCached: 8 kB\n"
					"Active: 999999 kB\nInactive: 999999 kB\n"
					"Active(anon): 1024 kB\nInactive(anon): 512 kB\n"
					"Unevictable: 64 kB\nMlocked: 64 kB\nAnonPages: 1500 kB\n"
					"SUnreclaim: 32 kB\nKernelStack: 4 kB\nPageTables: 2 kB\n";

START_TEST(meminfo_is_parsed)
{
	struct meminfo meminfo;

	ck_assert_int_eq(meminfo_parse(some_meminfo, &meminfo), 0);
	ck_assert_uint_eq(meminfo.total, 4096 * 1024);
	ck_assert_uint_eq(meminfo.free, 16 * 1024);
	ck_assert_uint_eq(meminfo.active_anon, 1024 * 1024);
	ck_assert_uint_eq(meminfo.zswap, 0);
	ck_assert_uint_eq(meminfo_must_save(&meminfo), (1024 + 512 - 8 + 64 + 32 + 4 + 2) * 1024);
}
END_TEST

static const char *const bad_meminfo[] = {
	"",
	"MemTotal: 4096 kB\n",
	"MemTotal: 4096\nMemFree: 1 kB\nActive(anon): 1 kB\nInactive(anon): 1 kB\n"
	"Unevictable: 1 kB\nSUnreclaim: 1 kB\nKernelStack: 1 kB\nPageTables: 1 kB\n",
	"MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\nActive(anon): 1 kB\nInactive(anon): 1 "
	"kB\nUnevictable: 1 kB\nSUnreclaim: 1 kB\nKernelStack: 1 kB\nPageTables: 1 kB\n",
	"MemTotal: 99999999999999999999 kB\nMemFree: 1 kB\nActive(anon): 1 kB\nInactive(anon): 1 "
	"kB\nUnevictable: 1 kB\nSUnreclaim: 1 kB\nKernelStack: 1 kB\nPageTables: 1 kB\n",
	"MemTotal: -1 kB\nMemFree: 1 kB\nActive(anon): 1 kB\nInactive(anon): 1 kB\n"
	"Unevictable: 1 kB\nSUnreclaim: 1 kB\nKernelStack: 1 kB\nPageTables: 1 kB\n",
	/* a line that may be missing, but not be nonsense */
	"MemTotal: 1 kB\nMemFree: 1 kB\nActive(anon): 1 kB\nInactive(anon): 1 kB\n"
	"Unevictable: 1 kB\nSUnreclaim: 1 kB\nKernelStack: 1 kB\nPageTables: 1 kB\nZswap: x kB\n",
};

START_TEST(bad_meminfo_is_refused)
{
	struct meminfo meminfo = { .total = 77 };

	ck_assert_int_eq(meminfo_parse(bad_meminfo[_i], &meminfo), -EINVAL);
	ck_assert_uint_eq(meminfo.total, 77);
}
END_TEST

START_TEST(must_save_counts_nothing_twice)
{
	struct meminfo meminfo = {
		.total = 1000,
		.free = 10,
		.active_anon = 100,
		.inactive_anon = 50,
		.unevictable = 20,
		.swap_cached = 30,
		.slab_unreclaimable = 5,
		.kernel_stack = 7,
		.vmalloc_used = 9,
		.page_tables = 3,
		.secondary_page_tables = 1,
		.percpu = 2,
		.huge_pages = 40,
		.zswap = 6,
	};

	ck_assert_uint_eq(meminfo_must_save(&meminfo),
			  100 + 50 - 30 + 20 + 5 + 9 + 3 + 1 + 2 + 40 + 6);
	/* Stacks in the vmalloc area are there already. */
	meminfo.kernel_stack = 11;
	ck_assert_uint_eq(meminfo_must_save(&meminfo),
			  100 + 50 - 30 + 20 + 5 + 11 + 3 + 1 + 2 + 40 + 6);
	/* The counters are read one after the other: never below zero … */
	meminfo.swap_cached = 1000;
	ck_assert_uint_eq(meminfo_must_save(&meminfo), 20 + 5 + 11 + 3 + 1 + 2 + 40 + 6);
	/* … nor around the corner. */
	meminfo.unevictable = UINT64_MAX;
	ck_assert_uint_eq(meminfo_must_save(&meminfo), UINT64_MAX);
}
END_TEST

static const struct {
	uint64_t must, total, other_free;
	bool compress;
	struct swap_need need;
} needs[] = {
	/* must, total, other, compress, { image, pushed, least, plain } */
	{ 400, 2000, 0, true, { 400, 0, 100, 400 } },
	{ 400, 2000, 0, false, { 400, 0, 400, 400 } },
	{ 1000, 2000, 0, true, { 1000, 0, 250, 1000 } },
	/* 500 do not fit into half of the memory and go to this area … */
	{ 1500, 2000, 0, true, { 1000, 500, 750, 1500 } },
	/* … or partly, or wholly, to others */
	{ 1500, 2000, 200, true, { 1000, 500, 550, 1300 } },
	{ 1500, 2000, 9999, true, { 1000, 500, 250, 1000 } },
	{ 1500, 2000, 9999, false, { 1000, 500, 1000, 1000 } },
	{ 0, 0, 0, true, { 0, 0, 0, 0 } },
	{ UINT64_MAX, 2, 0, false, { 1, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX } },
};

START_TEST(need_of_swap)
{
	struct swap_need need;

	swap_need_for(needs[_i].must, needs[_i].total, needs[_i].other_free, needs[_i].compress,
		      &need);
	ck_assert_uint_eq(need.image, needs[_i].need.image);
	ck_assert_uint_eq(need.pushed, needs[_i].need.pushed);
	ck_assert_uint_eq(need.least, needs[_i].need.least);
	ck_assert_uint_eq(need.plain, needs[_i].need.plain);
}
END_TEST

static const struct preflight two = {
	.checks = { { .id = "root", .level = CHECK_OK, .text = "running as root" },
		    { .id = "swap-area",
		      .level = CHECK_FAILED,
		      .text = "\"/x\" is not swap",
		      .advice = "mkswap" } },
	.count = 2,
};

START_TEST(printed_for_people)
{
	struct preflight preflight = two;
	char text[600] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	preflight_print(&preflight, out);
	fprintf(out, "----\n");
	preflight.checks[1].level = CHECK_WARNING;
	preflight.checks[1].advice[0] = '\0';
	preflight_print(&preflight, out);
	fprintf(out, "----\n");
	preflight.count = 1;
	preflight_print(&preflight, out);
	fclose(out);
	ck_assert_str_eq(text, "ok       root             running as root\n"
			       "failed   swap-area        \"/x\" is not swap\n"
			       "           what to do:    mkswap\n"
			       "\n"
			       "This machine cannot hibernate now: 1 check failed.\n"
			       "----\n"
			       "ok       root             running as root\n"
			       "warning  swap-area        \"/x\" is not swap\n"
			       "\n"
			       "This machine should be able to hibernate, with 1 warning.\n"
			       "----\n"
			       "ok       root             running as root\n"
			       "\n"
			       "This machine is ready to hibernate.\n");
}
END_TEST

START_TEST(printed_as_json)
{
	char text[600] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_int_eq(preflight_print_json(&two, out), 0);
	fclose(out);
	ck_assert_str_eq(text, "{\n"
			       "  \"result\": \"failed\",\n"
			       "  \"checks\": [\n"
			       "    {\n"
			       "      \"id\": \"root\",\n"
			       "      \"level\": \"ok\",\n"
			       "      \"text\": \"running as root\",\n"
			       "      \"advice\": null\n"
			       "    },\n"
			       "    {\n"
			       "      \"id\": \"swap-area\",\n"
			       "      \"level\": \"failed\",\n"
			       "      \"text\": \"\\\"/x\\\" is not swap\",\n"
			       "      \"advice\": \"mkswap\"\n"
			       "    }\n"
			       "  ]\n"
			       "}\n");
}
END_TEST

static size_t of_level(const struct preflight *preflight, enum check_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < preflight->count; i++)
		count += preflight->checks[i].level == level;
	return count;
}

/* More checks than there are places: a failure is seen wherever it came, whatever
 * comes after it, and that the list is not whole is said. */
START_TEST(the_worst_stay)
{
	static struct preflight list;
	char text[64 * 1024] = "";
	FILE *out;

	strcpy(preflight_place(&list, "first", CHECK_OK)->text, "the first");
	strcpy(preflight_place(&list, "bad", CHECK_FAILED)->text, "the bad one");
	for (int i = 2; i < PREFLIGHT_MAX; i++)
		preflight_place(&list, "fine", CHECK_OK);
	ck_assert_uint_eq(list.left_out, 0);
	for (int i = 0; i < 40; i++)
		ck_assert_ptr_nonnull(preflight_place(&list, "fine too", CHECK_OK));
	ck_assert_uint_eq(list.count, PREFLIGHT_MAX);
	ck_assert_str_eq(list.checks[0].id, "first");
	strcpy(preflight_place(&list, "late", CHECK_FAILED)->text, "the late one");
	ck_assert_str_eq(list.checks[0].id, "bad");
	ck_assert_str_eq(list.checks[PREFLIGHT_MAX - 1].id, "late");
	for (int i = 0; i < 40; i++)
		preflight_place(&list, "so so", CHECK_WARNING);
	ck_assert_uint_eq(of_level(&list, CHECK_FAILED), 2);
	ck_assert_uint_eq(of_level(&list, CHECK_WARNING), PREFLIGHT_MAX - 2);
	ck_assert_int_eq(preflight_worst(&list), CHECK_FAILED);
	ck_assert_uint_eq(list.left_out, 81);

	out = fmemopen(text, sizeof(text), "w");
	preflight_print(&list, out);
	ck_assert_int_eq(preflight_print_json(&list, out), 0);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "the bad one"));
	ck_assert_ptr_nonnull(strstr(text, "the late one"));
	ck_assert_ptr_nonnull(strstr(text, "81 more checks were not shown; none is worse"));
	ck_assert_ptr_nonnull(strstr(text, "\"left_out\": 81\n"));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_pure");

	tcase_add_test(tcase, meminfo_is_parsed);
	tcase_add_test(tcase, the_worst_stay);
	tcase_add_loop_test(tcase, bad_meminfo_is_refused, 0, COUNT(bad_meminfo));
	tcase_add_test(tcase, must_save_counts_nothing_twice);
	tcase_add_loop_test(tcase, need_of_swap, 0, COUNT(needs));
	tcase_add_test(tcase, printed_for_people);
	tcase_add_test(tcase, printed_as_json);
}
