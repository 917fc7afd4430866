/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: room in the area and in memory, with zram and with what cannot move. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "preflight/preflight.h"
#include "preflight/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct settings settings;
static struct swap_area area;
static struct preflight result;
static int active;

static uid_t root_user(void)
{
	return 0;
}

static int some_device(const char *path, int flags, mode_t kind)
{
	(void)path, (void)kind;
	return open("/dev/null", flags);
}

static int set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	(void)fd, (void)dev, (void)offset;
	return active;
}

static bool find_entry(const struct swap_area *wanted, const struct swap_entry *entries,
		       size_t count, struct swap_entry *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i].path, wanted->name) == 0) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}

static int avail_swap(int fd, uint64_t *ret)
{
	(void)fd;
	*ret = 1ULL << 30;
	return 0;
}

static const struct check *find(const char *id)
{
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.checks[i].id, id) == 0)
			return &result.checks[i];
	return NULL;
}

static void run(void)
{
	static const struct preflight_system system = {
		.entry_device = preflight_entry_device,
		.euid = root_user,
		.open_device = some_device,
		.set_swap_area = set_swap_area,
		.avail_swap = avail_swap,
		.find_entry = find_entry,
	};
	const struct preflight_target target = { .area = &area };

	preflight_run_on(&system, &settings, &target, made_root, &result);
}

static void expect(const char *id, enum check_level level, const char *text, const char *advice)
{
	const struct check *check = find(id);

	ck_assert_msg(check != NULL, "no check %s", id);
	ck_assert_msg(check->level == level, "%s: level %d: %s", id, check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "%s: text: %s", id, check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "%s: advice: %s", id, check->advice);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

static void setup(void)
{
	made_root_create();
	active = 0;
	settings_defaults(&settings);
	settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	settings.compress = true;
	area = (struct swap_area){ .file = true, .file_named = true, .offset = 5 };
	strcpy(area.name, "/swapfile");
	strcpy(area.device, "/dev/nvme0n1p2");
}

#define GIB_KIB 1048576ULL

/* 16 GiB, of which programs hold as much as is said, and the kernel 1 GiB. */
static void put_memory(uint64_t anon, uint64_t locked, uint64_t huge)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "MemTotal: %llu kB\nMemFree: 260000 kB\nActive(anon): %llu kB\n"
		 "Inactive(anon): 0 kB\nUnevictable: %llu kB\nSUnreclaim: 1000000 kB\n"
		 "KernelStack: 8576 kB\nPageTables: 40000 kB\nHugetlb: %llu kB\n",
		 16 * GIB_KIB, (unsigned long long)anon, (unsigned long long)locked,
		 (unsigned long long)huge);
	made_put("/proc/meminfo", text);
}

static void put_swaps(const char *lines)
{
	char text[512];

	snprintf(text, sizeof(text), "Filename Type Size Used Priority\n%s", lines);
	made_put("/proc/swaps", text);
}

/* 12 GiB in 4 GiB of memory, and room for 3.7 more that is none. */
static void put_zram(void)
{
	made_put("/sys/block/zram0/mm_stat",
		 "12884901888 4294967296 4402341478 0 4402341478 120000 0 0 0\n");
}

START_TEST(zram_is_memory)
{
	put_memory(9 * GIB_KIB, 120000, 0);
	put_swaps("/dev/zram0 partition 16283000 12582912 100\n/swapfile file 8388604 0 -2\n");
	run();
	/* What zram holds is not seen yet: only that its room is none. */
	expect("swap-size", CHECK_WARNING, "must be saved, 2165 MiB of it moved to swap", "");
	put_zram();
	run();
	expect("swap-size", CHECK_FAILED,
	       "8192 MiB are free in /swapfile; at least 14556 MiB must be saved, 4198 MiB of it "
	       "held by zram, 6364 MiB of it moved to swap first",
	       "larger swap area");
	expect("zram", CHECK_WARNING,
	       "6364 MiB must be swapped out before the image is made, and the kernel swaps to "
	       "/dev/zram0 first",
	       "give /swapfile a higher priority than /dev/zram0 (pri=");
	expect("memory", CHECK_WARNING, "at least 14556 MiB", "");
}
END_TEST

/* Who gets what must leave memory? */
static const struct {
	const char *swaps;
	bool first;
} orders[] = {
	{ "/dev/zram0 partition 8000000 100 100\n/swapfile file 33554432 0 -2\n", true },
	{ "/dev/zram0 partition 8000000 100 7\n/swapfile file 33554432 0 7\n", true },
	{ "/dev/zram0 partition 8000000 100 5\n/dev/zram1 partition 8000000 0 9\n"
	  "/swapfile file 33554432 0 7\n",
	  true },
	{ "/dev/ram0 partition 8000000 100 8\n/swapfile file 33554432 0 7\n", true },
	{ "/dev/zram0 partition 8000000 100 6\n/swapfile file 33554432 0 7\n", false },
	/* full */
	{ "/dev/zram0 partition 8000000 8000000 100\n/swapfile file 33554432 0 7\n", false },
	{ "/dev/sda2 partition 8000000 0 100\n/swapfile file 33554432 0 7\n", false },
	/* only a file that is called like that */
	{ "/dev/zram0 file 8000000 100 100\n/swapfile file 33554432 0 7\n", false },
};

START_TEST(zram_first_by_priority)
{
	put_memory(12 * GIB_KIB, 0, 0);
	put_swaps(orders[_i].swaps);
	run();
	ck_assert_int_eq(find("zram") != NULL, orders[_i].first);
	/* Where nothing must move, it does not matter. */
	put_memory(2 * GIB_KIB, 0, 0);
	run();
	ck_assert_ptr_null(find("zram"));
}
END_TEST

/* Its place in the list is not known, so neither is its priority. */
START_TEST(zram_and_an_area_that_is_not_listed)
{
	put_memory(12 * GIB_KIB, 0, 0);
	put_swaps("/dev/zram0 partition 8000000 100 5\n");
	run();
	expect("zram", CHECK_WARNING, "/dev/zram0 first", "");
}
END_TEST

/* It is activated with the highest priority. */
START_TEST(zram_and_swap_on_demand)
{
	put_memory(12 * GIB_KIB, 0, 0);
	put_swaps("/dev/zram0 partition 8000000 100 100\n");
	made_put("/swapfile", "x");
	active = -ENODEV;
	strcpy(settings.swap_on_demand, "/swapfile");
	run();
	ck_assert_ptr_null(find("zram"));
}
END_TEST

static const struct {
	uint64_t locked, huge;
	bool zram;
	const char *text; /* NULL: an image can be made */
	const char *advice[2];
} fixed[] = {
	{ 0, 6 * GIB_KIB, false, NULL, { NULL, NULL } },
	/* exactly half */
	{ 0, 7 * GIB_KIB, false, NULL, { NULL, NULL } },
	{ 1, 7 * GIB_KIB, false, "more than half", { "hugepages", NULL } },
	/* the guest of a virtual machine */
	{ 0,
	  8 * GIB_KIB,
	  false,
	  "9216 of 16384 MiB can neither be dropped nor moved to swap (huge pages 8192, locked 0, "
	  "held by zram 0, the kernel's own 1024 MiB): more than half",
	  { "/sys/kernel/mm/hugepages/*/nr_hugepages", NULL } },
	{ 9 * GIB_KIB, 0, false, "locked 9216,", { "VmLck", NULL } },
	{ 2 * GIB_KIB,
	  3 * GIB_KIB,
	  true,
	  "held by zram 4198,",
	  { "hugepages", "a higher priority than zram" } },
	/* 8096 of 8192 MiB */
	{ 0, 2944 * 1024, true, NULL, { NULL, NULL } },
};

START_TEST(what_cannot_move)
{
	put_memory(GIB_KIB, fixed[_i].locked, fixed[_i].huge);
	put_swaps("/swapfile file 33554432 0 -2\n");
	if (fixed[_i].zram)
		put_zram();
	run();
	if (!fixed[_i].text)
		ck_assert_int_ne(find("memory")->level, CHECK_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(fixed[_i].advice) && fixed[_i].advice[i]; i++)
		expect("memory", CHECK_FAILED, fixed[_i].text, fixed[_i].advice[i]);
}
END_TEST

/* All of them at once: the sentence is whole. */
START_TEST(all_of_it_is_advised)
{
	put_memory(0, 5 * GIB_KIB, 5 * GIB_KIB);
	put_zram();
	put_swaps("/swapfile file 33554432 0 -2\n");
	run();
	expect("memory", CHECK_FAILED, "so no image can be made", "a higher priority than zram");
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes;
} stats[] = {
	{ "12884901888 4294967296 4402341478 0 4402341478 120000 0 0 0\n", 4402341478 },
	{ "       0        0        0        0        0 0 0 0\n", 0 },
	{ "1 2", 0 },
	{ "", 0 },
	{ "a b c", 0 },
};

START_TEST(mm_stat_is_parsed)
{
	made_put("/sys/block/zram0/mm_stat", stats[_i].text);
	ck_assert_uint_eq(zram_memory(made_root), stats[_i].bytes);
}
END_TEST

START_TEST(all_zram_counts)
{
	ck_assert_uint_eq(zram_memory(made_root), 0);
	made_put("/sys/block/zram0/mm_stat", "1 2 300 0 0 0 0 0\n");
	made_put("/sys/block/zram1/mm_stat", "1 2 40 0 0 0 0 0\n");
	made_put("/sys/block/zram2/size", "5\n");
	made_put("/sys/block/sda/mm_stat", "1 2 9999 0 0 0 0 0\n");
	ck_assert_uint_eq(zram_memory(made_root), 340);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_room");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, zram_is_memory);
	tcase_add_loop_test(tcase, zram_first_by_priority, 0, (int)ARRAY_SIZE(orders));
	tcase_add_test(tcase, zram_and_an_area_that_is_not_listed);
	tcase_add_test(tcase, zram_and_swap_on_demand);
	tcase_add_loop_test(tcase, what_cannot_move, 0, (int)ARRAY_SIZE(fixed));
	tcase_add_test(tcase, all_of_it_is_advised);
	tcase_add_loop_test(tcase, mm_stat_is_parsed, 0, (int)ARRAY_SIZE(stats));
	tcase_add_test(tcase, all_zram_counts);
}
