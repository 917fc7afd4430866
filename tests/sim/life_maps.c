/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One session, hibernated several times, across boots whose firmware reports different memory. */
#include "fixtures/check_main.h"
#include "lives.h"

#include <string.h>

/* A page that was claimed once is offlined, and then no image contains it, so the same
 * map is accepted again. */
START_TEST(test_maps)
{
	static const char *const maps[] = { "AABC", "ABBC", "ABAB", "ABCB" };
	struct sim_plan plan = { .workers = worker_counts[_i % 2],
				 .method = METHOD_SHUTDOWN,
				 .maps = maps[_i],
				 .times = 3 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 3);
	ck_assert_uint_eq(outcome.resumes, 3);
	ck_assert_uint_eq(outcome.records, 3);
	ck_assert_uint_eq(outcome.learned_resumes, 3);
	ck_assert_uint_eq(outcome.learned_refusals, 0);
	ck_assert_ptr_nonnull(strstr(outcome.said, "the firmware claims since this boot"));
	examine_disks(&plan, 100);
	print_tally(maps[_i]);
}
END_TEST

/* The same, and each request or call fails once. */
START_TEST(test_maps_and_faults)
{
	static const enum sim_class classes[] = { SIM_IO, SIM_CALL, SIM_ALLOC };
	struct sim_plan plan = { .class = classes[_i],
				 .fault = SIM_FAIL,
				 .method = METHOD_SHUTDOWN,
				 .maps = "ABB",
				 .times = 2 };

	each(plan, 3, false);
	ck_assert_uint_eq(tally.fresh, 0);
	print_tally("A, B, B and a failure each:");
}
END_TEST

/* The hand-over says what to offline: a read that fails once is repeated, and a permanent
 * failure is reported. */
START_TEST(test_handover_unreadable)
{
	static const char reported[] = "may not be offlined";
	struct sim_plan plan = {
		.class = SIM_IO, .fault = SIM_FAIL, .method = METHOD_SHUTDOWN, .maps = "AB"
	};
	unsigned int without = 0;
	uint64_t most = count(SIM_IO, &plan);

	for (plan.at = 1; plan.at <= most; plan.at += (stride + 3) / 4) {
		live(&plan);
		ck_assert_ptr_null(strstr(outcome.said, reported));
	}
	plan.class = SIM_ALLOC;
	most = count(SIM_ALLOC, &plan);
	for (plan.at = most; plan.at > 0 && most - plan.at < 20; plan.at--) {
		live(&plan);
		without += strstr(outcome.said, reported) != NULL;
	}
	ck_assert_uint_gt(without, 0);
	print_tally("a hand-over that cannot be read:");
}
END_TEST

/* Without soft offlining there is no protection: another map is refused. */
START_TEST(test_cannot_offline)
{
	struct sim_plan plan = { .method = METHOD_SHUTDOWN,
				 .maps = "ABBA",
				 .cannot_offline = true };

	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_RESUMED);
	ck_assert_uint_eq(outcome.boots, 3);
	ck_assert_ptr_nonnull(strstr(outcome.said, "risky: The reserved page"));
	/* What they saw is not lost with their /run. */
	ck_assert_uint_eq(outcome.learned_refusals, 2);
	ck_assert_uint_eq(outcome.learned_resumes, 1);
	print_tally("frames that cannot be offlined:");
}
END_TEST

/* A boot refuses the image, the next restores it. Each request or call fails once, or the power
 * does: no boot is learned of twice, and the page of a refusal is never taken for a resume. */
START_TEST(test_refusal_and_faults)
{
	static const struct {
		enum sim_class class;
		enum sim_fault fault;
	} faults[] = { { SIM_IO, SIM_FAIL },
		       { SIM_IO, SIM_FAIL_DONE },
		       { SIM_IO, SIM_CUT },
		       { SIM_CALL, SIM_FAIL },
		       { SIM_ALLOC, SIM_FAIL } };
	struct sim_plan plan = { .class = faults[_i].class,
				 .fault = faults[_i].fault,
				 .method = METHOD_SHUTDOWN,
				 .maps = "ABA",
				 .cannot_offline = true };
	uint64_t last = count(plan.class, &plan);
	unsigned int learned = 0;

	ck_assert_uint_eq(outcome.learned_refusals, 1);
	for (plan.at = 1; plan.at <= last; plan.at += stride) {
		plan.seed = plan.at * 2654435761u + 1;
		live(&plan);
		ck_assert_uint_le(outcome.learned_refusals + outcome.learned_resumes +
					  outcome.left_refusals,
				  outcome.boots);
		learned += outcome.learned_refusals == 1;
		examine_disks(&plan, 20);
	}
	ck_assert_uint_gt(learned, 0);
	print_tally("a refusal, and a failure each:");
}
END_TEST

/* The boot that hibernated is not counted. The odds make it worth more boots than "mismatch
 * retries", and what all of them saw is learned; but an image that the history knows no fitting
 * boots of is kept for no longer than that. */
START_TEST(test_odds)
{
	struct sim_plan plan = { .method = METHOD_SHUTDOWN,
				 .maps = "ABCBBCA",
				 .cannot_offline = true,
				 .fitting = 6,
				 .unfitting = 5 };

	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_RESUMED);
	ck_assert_uint_eq(outcome.boots, 6);
	ck_assert_uint_eq(outcome.learned_refusals, 5);
	ck_assert_uint_eq(outcome.learned_resumes, 1);
	ck_assert_ptr_nonnull(strstr(
		outcome.said, "this boot's memory map was seen at none of the 10 boots that are "
			      "known, the image fits the maps of 5; it is kept for up to 5 boots"));
	ck_assert_ptr_nonnull(strstr(outcome.said, "(refusal 5 of 5 before it is discarded)"));
	plan.fitting = 0;
	plan.maps = "AB";
	plan.never_fits = true;
	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_FRESH);
	ck_assert_uint_eq(outcome.boots, 3);
	/* What they saw is not lost with the image; the last boot counts itself. */
	ck_assert_uint_eq(outcome.left_refusals, 2);
}
END_TEST

/* Boots with another map refuse the image, then anything fails once at the boot that fits: none of
 * it loses the session, though that many refusals for the same reason would. */
START_TEST(test_odds_and_a_failure)
{
	static const enum sim_class classes[] = { SIM_CALL, SIM_ALLOC };
	struct sim_plan plan = { .class = classes[_i],
				 .fault = SIM_FAIL,
				 .method = METHOD_SHUTDOWN,
				 .maps = "ABCBBA",
				 .cannot_offline = true,
				 .fitting = 6,
				 .unfitting = 5 };
	uint64_t last = count(plan.class, &plan);
	unsigned int failed = 0;

	ck_assert_uint_eq(outcome.boots, 5);
	for (plan.at = last; plan.at > 0 && last - plan.at < 60; plan.at--) {
		live(&plan);
		ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
		failed += strstr(outcome.said, "(refusal 1 of 2 before it is discarded)") != NULL;
	}
	ck_assert_uint_gt(failed, 0);
	print_tally("other maps, then a failure each:");
}
END_TEST

/* The kernel's part of a restore fails: the boot that tried has not restored the image. */
START_TEST(test_failed_restore_is_a_refusal)
{
	struct sim_plan plan = { .method = METHOD_SHUTDOWN, .failed_restores = 1 };

	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_RESUMED);
	ck_assert_uint_eq(outcome.boots, 2);
	ck_assert_uint_eq(outcome.learned_refusals, 1);
	ck_assert_uint_eq(outcome.learned_resumes, 1);
}
END_TEST

void add_lives_over_maps(Suite *suite)
{
	TCase *tcase = test_case(suite, "firmware maps");

	tcase_add_checked_fixture(tcase, make_plain, unmake);
	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase, test_maps, 0, 4);
	tcase_add_loop_test(tcase, test_maps_and_faults, 0, 3);
	tcase_add_test(tcase, test_handover_unreadable);
	tcase_add_test(tcase, test_cannot_offline);
	tcase_add_loop_test(tcase, test_refusal_and_faults, 0, 5);
	tcase_add_test(tcase, test_odds);
	tcase_add_loop_test(tcase, test_odds_and_a_failure, 0, 2);
	tcase_add_test(tcase, test_failed_restore_is_a_refusal);
}
