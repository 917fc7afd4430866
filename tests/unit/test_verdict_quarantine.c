/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that the firmware claims now and the saved kernel has offlined in part,
 * how that is recorded, and what is said before there is an image. */
#include "test_verdict_fixture.h"

#include "platform/forecast.h"

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
	ck_assert_int_eq(list_append(&then.ram.poisoned, ((struct page_range){ first, count })), 0);
	then.ram.poisoned.known = true;
}

START_TEST(done_in_part)
{
	begin();
	poison(PLACE - 1, 2);
	poison(PLACE + 2, 1);
	ck_assert_int_eq(judged()->class, VERDICT_MENDED);
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

int main(void)
{
	Suite *suite = suite_create("verdict quarantine");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, done_in_part);
	tcase_add_test(tcase, recorded);
	tcase_add_test(tcase, forecast);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
