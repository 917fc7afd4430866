/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that the firmware claims now and the saved kernel has offlined in part,
 * how that is recorded, and what is said before there is an image. */
#include "fixtures/check_main.h"
#include "verdict_fixture.h"

#include "verdict/forecast.h"

#define THEN "0x100000 0x3fffffff System RAM\n"
#define NOW                                                                \
	"0x100000 0x1fffffff System RAM\n0x20000000 0x20003fff Reserved\n" \
	"0x20004000 0x3fffffff System RAM\n"
#define PLACE 0x20000u

static void begin(void)
{
	start_with(THEN, NOW);
	hold(0x200, 0x20);
}

static const struct finding *judged(void)
{
	judge();
	return only(ABOUT_MEMORY_REGION);
}

static void poison(uint64_t first, uint64_t count)
{
	ck_assert_int_eq(list_append(&then.ram.poisoned, ((struct frame_range){ first, count })),
			 0);
	then.ram.poisoned.known = true;
}

/* What is left is in small pieces, which the saved kernel uses first. */
START_TEST(done_in_part)
{
	begin();
	poison(PLACE - 1, 2);
	poison(PLACE + 2, 1);
	ck_assert_int_eq(judged()->class, VERDICT_RISKY);
	ck_assert_uint_eq(verdict.plan.quarantine.count, 2);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].first, PLACE + 1);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].count, 1);
	ck_assert_uint_eq(verdict.plan.quarantine.items[1].first, PLACE + 3);
	verdict_free(&verdict);
	/* A coarse image that may hold what was left out. */
	hold(PLACE, 1);
	image.coarse = true;
	ck_assert_int_eq(judged()->class, VERDICT_FATAL);
	clean_up();
}
END_TEST

/* The restored system learns of 100 places, and no more. */
START_TEST(many_places)
{
	enum verdict_class class = _i ? VERDICT_FATAL : VERDICT_CORRECTED;
	unsigned int places = 100 + (unsigned int)_i, start = 0x100000;
	static char text[20000];
	char *at = text;

	for (unsigned int i = 0; i < places; i++) {
		unsigned int page = 0x10000000 + i * 0x200000;

		at += sprintf(at, "0x%x 0x%x System RAM\n0x%x 0x%x Reserved\n", start, page - 1,
			      page, page + 0xfff);
		start = page + 0x1000;
	}
	sprintf(at, "0x%x 0x3fffffff System RAM\n", start);
	start_with(THEN, text);
	judge();
	ck_assert_int_eq(verdict.worst, class);
	ck_assert_uint_eq(verdict.plan.quarantine.count, places);
	for (size_t i = 0; i < verdict.count; i++)
		if (verdict.findings[i].about == ABOUT_MEMORY_REGION)
			ck_assert_int_eq(verdict.findings[i].class, class);
	clean_up();
}
END_TEST

/* Each is judged by its own place; what is claimed elsewhere is not free for others. */
START_TEST(two_places)
{
	start_with("0x100000 0x3fffffff System RAM\n",
		   "0x100000 0x1fffffff System RAM\n0x20000000 0x20003fff Reserved\n"
		   "0x20004000 0x3ffeffff System RAM\n0x3fff0000 0x3fffffff Reserved\n");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_RISKY);
	ck_assert_uint_eq(verdict.plan.quarantine.count, 2);
	for (size_t i = 0; i < verdict.count; i++)
		if (verdict.findings[i].about == ABOUT_MEMORY_REGION)
			ck_assert_int_eq(verdict.findings[i].class,
					 verdict.findings[i].start == 0x20000000 ? VERDICT_CORRECTED
										 : VERDICT_RISKY);
	clean_up();
	/* One frame less than needed above 0x37dff, since one is claimed. */
	start_with("0x100000 0x3fffffff System RAM\n",
		   "0x100000 0x37dfefff System RAM\n0x37dff000 0x37dfffff Reserved\n"
		   "0x37e00000 0x3fffefff System RAM\n0x3ffff000 0x3fffffff Reserved\n");
	judge();
	for (size_t i = 0; i < verdict.count; i++)
		if (verdict.findings[i].about == ABOUT_MEMORY_REGION)
			ck_assert_int_eq(verdict.findings[i].class, VERDICT_RISKY);
	clean_up();
}
END_TEST

static enum verdict_class judged_with_pages_of(unsigned long long size, uint64_t next_held)
{
	char before[100], after[200];
	enum verdict_class class;

	snprintf(before, sizeof(before), "0x%llx 0x%llx System RAM\n", size << 8, (size << 18) - 1);
	snprintf(after, sizeof(after),
		 "0x%llx 0x%llx System RAM\n0x%llx 0x%llx Reserved\n0x%llx 0x%llx System RAM\n",
		 size << 8, PLACE * size - 1, PLACE * size, (PLACE + 4) * size - 1,
		 (PLACE + 4) * size, (size << 18) - 1);
	start_with(before, after);
	then.ram.pages.page_size = now.ram.pages.page_size = (uint32_t)size;
	list_free(&then.ram.zones.items);
	add_zone(&then, "DMA", 0x100, 1 << 18);
	hold(PLACE - 1, 1);
	hold(PLACE + next_held, 1);
	class = judged()->class;
	clean_up();
	return class;
}

/* A pageblock is what one page table maps. */
START_TEST(larger_pages)
{
	const unsigned int size = 4096u << 2 * _i, block = size / 8;

	ck_assert_int_eq(judged_with_pages_of(size, block), VERDICT_CORRECTED);
	ck_assert_int_eq(judged_with_pages_of(size, block - 1), VERDICT_RISKY);
}
END_TEST

static void kernel_uses(struct platform *platform, uint64_t end)
{
	memory_map_free(&platform->map);
	platform->ram.used.known = true;
	ck_assert_int_eq(list_append(&platform->ram.used, ((struct byte_range){ 0x100000, end })),
			 0);
}

/* arm64 has no memmap=. */
START_TEST(advises_no_memmap)
{
	const struct finding *finding;

	begin();
	kernel_uses(&then, 0x3fffffff);
	kernel_uses(&now, 0x3fffbfff);
	finding = judged();
	ck_assert_int_eq(finding->class, VERDICT_RISKY);
	ck_assert_ptr_nonnull(strstr(finding->text, "near the top of zone"));
	ck_assert_ptr_null(strstr(finding->advice, "memmap="));
	ck_assert_ptr_nonnull(strstr(finding->advice, "rebooting may bring it back"));
	clean_up();
}
END_TEST

static const char zoneinfo[] =
	"Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 123\n  pages free     "
	"3808\n"
	"        boost    0\n        min      66\n        low      82\n        high     98\n"
	"        spanned  4095\n        present  3998\n        managed  3840\n        cma      0\n"
	"        protection: (0, 449, 449, 449, 449)\n      nr_free_pages 3808\n  pagesets\n"
	"    cpu: 0\n              count: 0\n              high:  6470\n              batch: 1\n"
	"  node_unreclaimable:  0\n  start_pfn:           1\n"
	"Node 0, zone   Normal\n  pages free     0\n        spanned  0\n        present  0\n"
	"        managed  0\n        protection: (0, 0)\n"
	"Node 1, zone   Normal\n  pages free     55092\n        high     1234\n"
	"        spanned  126928\n        present  126927\n        managed  114940\n"
	"  start_pfn:           4096\n";

START_TEST(reads_zones)
{
	struct zones zones = { 0 };
	const struct memory_zone *zone;

	ck_assert_int_eq(zones_parse(zoneinfo, &zones), 0);
	ck_assert(zones.items.known);
	ck_assert_uint_eq(zones.items.count, 2);
	zone = zones.items.items;
	ck_assert_str_eq(zone->name, "DMA");
	ck_assert_uint_eq(zone->node, 0);
	ck_assert_uint_eq(zone->start, 1);
	ck_assert_uint_eq(zone->high, 98);
	zone++;
	ck_assert_str_eq(zone->name, "Normal");
	ck_assert_uint_eq(zone->node, 1);
	ck_assert_uint_eq(zone->start, 4096);
	ck_assert_uint_eq(zone->spanned, 126928);
	ck_assert_uint_eq(zone->present, 126927);
	ck_assert_uint_eq(zone->managed, 114940);
	ck_assert_uint_eq(zone->high, 1234);
	list_free(&zones.items);
	/* Numbers that do not fit together, or are not there. */
	ck_assert_int_eq(zones_parse("Node 0, zone Normal\n present 5\n start_pfn: 1\n"
				     "Node 0, zone Normal\n spanned 4\n present 5\n start_pfn: 1\n"
				     "present 5\nspanned 5\n",
				     &zones),
			 0);
	ck_assert(!zones.items.known && zones.items.count == 0);
	ck_assert_int_eq(zones_parse("", &zones), 0);
	ck_assert(!zones.items.known);
}
END_TEST

START_TEST(records_zones)
{
	static const struct memory_zone bad[] = {
		{ .name = "A", .start = 1 },
		{ .start = UINT64_MAX / 4096 - 10, .spanned = 10 }, /* just fits */
		{ .start = UINT64_MAX / 4096 - 9, .spanned = 10 },
		{ .start = UINT64_MAX, .spanned = 1 },
		{ .spanned = UINT64_MAX },
		{ .start = 1, .spanned = 10, .present = 11 },
		{ .start = 1, .spanned = 10, .present = 10, .managed = 11 },
		{ .start = 1, .spanned = 10, .high = UINT64_MAX },
	};
	_cleanup_free_ unsigned char *bytes = NULL, *damaged = NULL;
	struct platform copy;
	struct why w = { "" };
	size_t length;

	begin();
	list_free(&then.ram.zones.items);
	ck_assert_int_eq(zones_parse(zoneinfo, &then.ram.zones), 0);
	ck_assert_int_eq(platform_encode(&then, &bytes, &length), 0);
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	ck_assert(copy.ram.zones.items.known);
	ck_assert_uint_eq(copy.ram.zones.items.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct memory_zone *a = &then.ram.zones.items.items[i];
		const struct memory_zone *b = &copy.ram.zones.items.items[i];

		ck_assert_str_eq(a->name, b->name);
		ck_assert(a->node == b->node && a->start == b->start && a->high == b->high);
		ck_assert(a->spanned == b->spanned && a->present == b->present &&
			  a->managed == b->managed);
	}
	platform_free(&copy);
	then.ram.zones.items.items[1] = bad[_i];
	ck_assert_int_eq(platform_encode(&then, &damaged, &length), 0);
	ck_assert_int_eq(platform_decode(damaged, length, &copy, &w), _i == 1 ? 0 : -EBADMSG);
	if (_i == 1)
		platform_free(&copy);
	else
		ck_assert_ptr_nonnull(strstr(w.text, "zones"));
	clean_up();
}
END_TEST

START_TEST(recorded)
{
	_cleanup_free_ unsigned char *bytes = NULL, *damaged = NULL;
	struct platform copy;
	struct why w = { "" };
	size_t length;

	begin();
	poison(5, 3);
	poison(9, 1);
	then.ram.pages.offlining = OFFLINING_DISABLED;
	ck_assert_int_eq(platform_encode(&then, &bytes, &length), 0);
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	ck_assert_uint_eq(copy.ram.pages.offlining, OFFLINING_DISABLED);
	ck_assert(copy.ram.poisoned.known);
	ck_assert_uint_eq(copy.ram.poisoned.count, 2);
	ck_assert_uint_eq(copy.ram.poisoned.items[0].count, 3);
	ck_assert_uint_eq(copy.ram.poisoned.items[1].first, 9);
	platform_free(&copy);
	then.ram.poisoned.items[1].first = 7; /* overlaps */
	ck_assert_int_eq(platform_encode(&then, &damaged, &length), 0);
	ck_assert_int_eq(platform_decode(damaged, length, &copy, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "offlined frames"));
	clean_up();
}
END_TEST

/* Each zone of a node is looked at for each claimed place: a list from a disk must not
 * make that endless. */
START_TEST(no_more_zones_than_kernels_have)
{
	struct memory_zone zone = { .start = 1, .spanned = 9, .present = 9, .managed = 9 };
	struct platform copy = { 0 };
	struct why w = { 0 };
	size_t length;
	unsigned char *bytes;

	begin();
	list_free(&then.ram.zones.items);
	then.ram.zones.items.known = true;
	strcpy(zone.name, "Normal");
	for (unsigned int i = 0; i < NODE_ZONES_MAX; i++)
		ck_assert_int_eq(list_append(&then.ram.zones.items, zone), 0);
	zone.node = 1;
	ck_assert_int_eq(list_append(&then.ram.zones.items, zone), 0);
	ck_assert_int_eq(platform_encode(&then, &bytes, &length), 0);
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	platform_free(&copy);
	free(bytes);
	then.ram.zones.items.items[NODE_ZONES_MAX].node = 0;
	ck_assert_int_eq(platform_encode(&then, &bytes, &length), 0);
	ck_assert_int_eq(platform_decode(bytes, length, &copy, &w), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(w.text, "zones is damaged"));
	free(bytes);
	clean_up();
}
END_TEST

static void forecasts(const char *id, const char *text, const char *advice)
{
	static struct forecast forecast;
	size_t found = 0;

	platform_forecast(&then, &forecast);
	for (size_t i = 0; i < forecast.count; i++) {
		const struct forecast_item *item = &forecast.items[i];

		if (strcmp(item->id, "no-offlining") && strcmp(item->id, "wipes-free"))
			continue;
		found++;
		ck_assert_str_eq(item->id, id);
		ck_assert(!item->certain);
		ck_assert_msg(strstr(item->text, text) != NULL, "%s", item->text);
		ck_assert_msg(strstr(item->advice, advice) != NULL, "%s", item->advice);
	}
	ck_assert_uint_eq(found, id ? 1 : 0);
}

START_TEST(forecast)
{
	begin();
	forecasts(NULL, "", "");
	then.ram.pages.offlining = OFFLINING_ABSENT;
	forecasts("no-offlining", "built without", "CONFIG_MEMORY_FAILURE");
	then.ram.pages.offlining = OFFLINING_DISABLED;
	forecasts("no-offlining", "vm.enable_soft_offline is 0", "sysctl");
	then.kernel.flags = KERNEL_WIPES_FREE; /* says the same */
	forecasts("wipes-free", "", "");
	then.kernel.flags = 0;
	then.map.entries.known = false;
	forecasts(NULL, "", "");
	clean_up();
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_test(tcase, done_in_part);
	tcase_add_loop_test(tcase, many_places, 0, 2);
	tcase_add_test(tcase, two_places);
	tcase_add_loop_test(tcase, larger_pages, 0, 3);
	tcase_add_test(tcase, advises_no_memmap);
	tcase_add_test(tcase, reads_zones);
	tcase_add_loop_test(tcase, records_zones, 0, 8);
	tcase_add_test(tcase, recorded);
	tcase_add_test(tcase, no_more_zones_than_kernels_have);
	tcase_add_test(tcase, forecast);
}
