/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every read, write and flush, every call of the kernel, every allocation and every page
 * of swap in the life of a hibernation fails once; there is a power cut at each, and
 * signals arrive. The simulator checks the invariants: the system runs on, or the session
 * is resumed byte by byte; no live image is left beside a system that continues; none is
 * restored twice; nothing is written where it does not belong. And every disk that a
 * further power cut could have left in any of these lives is judged.
 */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "lives.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_good)
{
	static const enum method methods[] = { METHOD_PLATFORM, METHOD_SHUTDOWN, METHOD_REBOOT };
	struct sim_plan plan = { .workers = worker_counts[_i % 2], .method = methods[_i / 2] };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 1);
	examine_disks(&plan, 500);
	print_tally("nothing going wrong:");
}
END_TEST

START_TEST(test_woke)
{
	struct sim_plan plan = { .method = METHOD_SUSPEND };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_WOKE, "%d: %s", outcome.fate, outcome.said);
	examine_disks(&plan, 500);
	plan.cannot_switch_off = true;
	for (int method = METHOD_PLATFORM; method <= METHOD_SUSPEND; method++) {
		plan.method = (enum method)method;
		live(&plan);
		ck_assert_int_eq(outcome.fate, SIM_RUNS_ON);
		examine_disks(&plan, 500);
	}
	print_tally("a sleep, and machines that stay on:");
}
END_TEST

/* The kernel only tests hibernation, or is woken at the last moment: its answer is the
 * one for the restored system. */
START_TEST(test_no_snapshot)
{
	struct sim_plan plan = { .class = SIM_CALL, .fault = SIM_FAIL, .no_snapshot = 1 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RUNS_ON, "%d: %s", outcome.fate, outcome.said);
	ck_assert_ptr_nonnull(strstr(outcome.said, "the kernel made no snapshot"));
	each(plan, 1, false);
	ck_assert_uint_eq(tally.runs_on, tally.lives);
	print_tally("a kernel that makes no snapshot:");
}
END_TEST

/* Not the second time, because the first image did not fit: the answer is then that of
 * the first attempt. */
START_TEST(test_no_second_snapshot)
{
	struct sim_plan plan = { .class = SIM_CALL, .fault = SIM_FAIL, .no_snapshot = 2 };

	plan.full_after = 20;
	plan.kernel_makes_room = _i;
	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RUNS_ON, "%d: %s", outcome.fate, outcome.said);
	ck_assert_ptr_nonnull(strstr(outcome.said, "trying with a smaller image"));
	ck_assert_ptr_nonnull(strstr(outcome.said, "not hibernated: the kernel made no snapshot"));
	each(plan, 1, false);
	ck_assert_uint_eq(tally.runs_on, tally.lives);
}
END_TEST

/* A file system that stays frozen is reported, and not left to the restored system. */
START_TEST(test_boot_frozen)
{
	struct sim_plan plan = { .class = SIM_CALL, .fault = SIM_FAIL, .boot_frozen = true };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RUNS_ON, "%d: %s", outcome.fate, outcome.said);
	ck_assert_ptr_nonnull(strstr(outcome.said, "not hibernated: /boot cannot be settled"));
}
END_TEST

/* A task waits for a frozen server: it is named, and a second try works, or not. */
START_TEST(test_unfrozen)
{
	struct sim_plan plan = { .class = SIM_CALL, .fault = SIM_FAIL, .method = METHOD_SHUTDOWN };

	plan.unfrozen = 1;
	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_ptr_nonnull(strstr(outcome.said, "udisksd (33315) waits for a FUSE server"));
	plan.unfrozen = 2;
	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_RUNS_ON);
	ck_assert_ptr_nonnull(strstr(outcome.said, "not hibernated: processes did not freeze: "
						   "udisksd (33315) waits for a FUSE server"));
	/* The second try, or what follows it, fails for another reason. */
	plan.unfrozen = 1;
	for (plan.at = 1; plan.at <= 16; plan.at++) {
		live(&plan);
		ck_assert_ptr_null(strstr(outcome.said, "processes did not freeze"));
		ck_assert_ptr_null(strstr(outcome.said, "tasks did not freeze"));
	}
	print_tally("a task that does not freeze:");
}
END_TEST

START_TEST(test_io_fails)
{
	static const enum sim_fault faults[] = { SIM_FAIL, SIM_FAIL_DONE };
	struct sim_plan plan = { .class = SIM_IO,
				 .fault = faults[_i % 2],
				 .workers = worker_counts[_i / 2],
				 .method = METHOD_SHUTDOWN };

	each(plan, plan.workers ? 3 : 1, !plan.workers);
	ck_assert_uint_eq(tally.fresh, 0);
	print_tally(_i % 2 ? "an I/O error, though it was done:" : "an I/O error each:");
}
END_TEST

START_TEST(test_io_fails_twice)
{
	struct sim_plan plan = { .class = SIM_IO, .fault = SIM_FAIL, .method = METHOD_SHUTDOWN };
	uint64_t last = count(SIM_IO, &plan);

	for (plan.at = 1; plan.at <= last; plan.at += stride)
		for (plan.second_at = plan.at + 1; plan.second_at < plan.at + 4; plan.second_at++)
			live(&plan);
	ck_assert_uint_eq(tally.fresh, 0);
	print_tally("two I/O errors each:");
}
END_TEST

/* While hibernating to disk or to memory, with a disk that rejects writes: a message says
 * what to do if an image could not be discarded. */
START_TEST(test_disk_dies)
{
	struct sim_plan plan = { .class = SIM_IO,
				 .fault = SIM_DEAD,
				 .method = _i ? METHOD_SUSPEND : METHOD_SHUTDOWN };
	uint64_t last = count(SIM_IO, &plan), reported = 0;

	for (plan.at = 1; plan.at <= last; plan.at += stride) {
		live(&plan);
		reported += strstr(outcome.said, "the image must never be resumed") != NULL;
	}
	if (_i && stride == 1)
		ck_assert_uint_gt(reported, 0);
	print_tally("a disk that dies:");
}
END_TEST

START_TEST(test_power_cuts)
{
	static const enum sim_class classes[] = { SIM_IO, SIM_CALL };
	struct sim_plan plan = { .class = classes[_i],
				 .fault = SIM_CUT,
				 .method = METHOD_SHUTDOWN };
	uint64_t last = count(plan.class, &plan);

	for (plan.at = 1; plan.at <= last; plan.at += stride)
		for (plan.seed = 1; plan.seed <= (_i ? 1 : 4); plan.seed++)
			live(&plan);
	ck_assert_uint_gt(tally.fresh, 0);
	ck_assert(stride > 3 || tally.resumed > 0);
	print_tally(_i ? "a power cut at each call:" : "a power cut at each request:");
}
END_TEST

/* The kernel cannot restore what was loaded and is already consumed: the image is made
 * valid again for the next boot, and there, too, one operation fails. */
START_TEST(test_restore_fails)
{
	static const enum sim_fault faults[] = { SIM_FAIL, SIM_FAIL_DONE, SIM_CUT };
	struct sim_plan plan = { .class = SIM_IO,
				 .fault = faults[_i],
				 .method = METHOD_SHUTDOWN,
				 .failed_restores = 1 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 2);
	each(plan, 1, true);
	ck_assert(plan.fault == SIM_CUT || tally.fresh == 0);
	print_tally("a restore that fails, and I/O:");
}
END_TEST

START_TEST(test_calls_fail)
{
	static const enum method methods[] = { METHOD_PLATFORM, METHOD_SUSPEND };
	struct sim_plan plan = { .class = SIM_CALL, .fault = SIM_FAIL, .method = methods[_i] };

	each(plan, 1, _i == 1);
	ck_assert_uint_eq(tally.fresh, 0);
	print_tally("a call of the kernel that fails:");
}
END_TEST

/* swapoff between the start and the moment when it is no longer possible. */
START_TEST(test_switched_off)
{
	struct sim_plan plan = { .class = SIM_CALL, .fault = SIM_FAIL, .method = METHOD_SHUTDOWN };
	unsigned int reported = 0;

	for (plan.at = 1; plan.at <= 8; plan.at++) {
		live(&plan);
		ck_assert_int_ne(outcome.fate, SIM_FRESH);
		if (!strstr(outcome.said, "was deactivated as swap in the meantime"))
			continue;
		ck_assert_int_eq(outcome.fate, SIM_RUNS_ON);
		reported++;
	}
	ck_assert_uint_eq(reported, 1);
}
END_TEST

START_TEST(test_no_memory)
{
	struct sim_plan plan = { .class = SIM_ALLOC, .fault = SIM_FAIL, .method = METHOD_SHUTDOWN };

	each(plan, 1, false);
	ck_assert_uint_eq(tally.fresh, 0);
	print_tally("an allocation that fails:");
}
END_TEST

/* The n-th page of swap is refused; smaller images are tried. */
START_TEST(test_no_swap)
{
	struct sim_plan plan = { .class = SIM_CALL, .method = METHOD_SHUTDOWN };
	bool resumed = false;

	for (plan.full_after = 1; plan.full_after < 200; plan.full_after += stride) {
		plan.kernel_makes_room = !plan.kernel_makes_room;
		live(&plan);
		ck_assert_uint_eq(tally.fresh, 0);
		/* If it fits once, it fits with more. */
		ck_assert(!resumed || outcome.fate == SIM_RESUMED);
		resumed = outcome.fate == SIM_RESUMED;
	}
	ck_assert(resumed);
	ck_assert_uint_gt(tally.runs_on, 0);
	print_tally("swap that ends at each page:");
}
END_TEST

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

START_TEST(test_signals)
{
	struct sim_plan plan = { .class = _i % 2 ? SIM_CALL : SIM_IO,
				 .fault = SIM_SIGNAL,
				 .number = signals[_i / 2],
				 .method = METHOD_SHUTDOWN };

	each(plan, 5, false);
	ck_assert_uint_eq(tally.fresh, 0);
	ck_assert(stride > 3 || tally.resumed > 0);
	print_tally(strsignal(signals[_i / 2]));
}
END_TEST

START_TEST(test_damage)
{
	struct sim_plan plan = { .class = SIM_IO, .fault = SIM_DAMAGE, .method = METHOD_SHUTDOWN };

	for (plan.at = 1; plan.at <= 100; plan.at += stride)
		for (plan.seed = 1; plan.seed <= 40; plan.seed += 19) {
			plan.seed += plan.at;
			live(&plan);
			plan.seed -= plan.at;
		}
	print_tally("bytes damaged on the disk:");
}
END_TEST

START_TEST(test_not_wanted)
{
	struct sim_plan plan = {
		.class = SIM_IO, .fault = SIM_FAIL, .method = METHOD_SHUTDOWN, .noresume = true
	};

	each(plan, 2, true);
	ck_assert(stride > 3 || tally.fresh > 0);
	plan.noresume = false;
	plan.action = MISMATCH_DISCARD;
	each(plan, 2, true);
	print_tally("noresume and discard, with I/O errors:");
}
END_TEST

/* The first boot is of another machine, which refuses: the image is kept, and meanwhile
 * one operation fails. When all boots refuse, swap is swap again. */
START_TEST(test_other_machine)
{
	static const enum sim_fault faults[] = { SIM_FAIL, SIM_FAIL_DONE, SIM_CUT };
	struct sim_plan plan = {
		.class = SIM_IO, .fault = faults[_i], .method = METHOD_SHUTDOWN, .other_boots = 1
	};

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 2);
	ck_assert_ptr_nonnull(strstr(outcome.said, "this boot cannot resume the image: "));
	each(plan, 1, true);
	ck_assert(plan.fault == SIM_CUT || tally.fresh == 0);
	plan.other_boots = 3;
	plan.at = 0;
	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_FRESH);
	ck_assert_uint_eq(outcome.boots, 3);
	ck_assert_ptr_nonnull(strstr(outcome.said, "image discarded"));
	each(plan, 2, true);
	print_tally("boots of another machine, and I/O:");
}
END_TEST

/* No boot is tried in vain, and nothing is advised that would not help. */
START_TEST(test_other_processor)
{
	struct sim_plan plan = { .class = SIM_IO,
				 .method = METHOD_SHUTDOWN,
				 .other_boots = 1,
				 .other_processor = true };

	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_RESUMED);
	ck_assert_uint_eq(outcome.boots, 2);
	ck_assert_uint_eq(outcome.powered_off, 1);
	ck_assert_ptr_nonnull(strstr(outcome.said, "the verdict is fatal"));
	ck_assert_ptr_nonnull(
		strstr(outcome.said, "start the machine and the entry that hibernated"));
	ck_assert_ptr_null(strstr(outcome.said, "accept the difference"));
}
END_TEST

/* The image fits, but a driver of the boot refuses: it reboots at most "mismatch retries"
 * times by itself, then stays off, and the session is there when a boot can restore it. */
START_TEST(test_vetoed)
{
	struct sim_plan plan = { .class = SIM_IO,
				 .fault = _i % 2 ? SIM_FAIL : SIM_CUT,
				 .method = METHOD_SHUTDOWN,
				 .veto = (enum sim_veto)(_i / 2),
				 .vetoing_boots = 1 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 2);
	ck_assert_uint_eq(outcome.powered_off, 0);
	plan.vetoing_boots = 7;
	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 8);
	ck_assert_uint_eq(outcome.powered_off, 5);
	plan.vetoing_boots = 3;
	each(plan, 4, true);
	ck_assert(plan.fault == SIM_CUT || tally.fresh == 0);
	plan.at = 0;
	plan.action = MISMATCH_DISCARD;
	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_FRESH);
	print_tally("boots whose drivers are against it:");
}
END_TEST

/* A key is pressed meanwhile: a resume must ignore the wakeup. */
START_TEST(test_woken)
{
	struct sim_plan plan = { .method = METHOD_SHUTDOWN, .wakeups = 2 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 1);
}
END_TEST

/* The kernel still waits for pages: found before the image is consumed. */
START_TEST(test_short_image)
{
	struct sim_plan plan = { .method = METHOD_SHUTDOWN, .hungry = true };

	live(&plan);
	ck_assert_int_eq(outcome.fate, SIM_FRESH);
	ck_assert_uint_eq(outcome.boots, 3);
	ck_assert_ptr_nonnull(strstr(outcome.said, "expects more pages than the image has"));
	ck_assert_ptr_null(strstr(outcome.said, "could not restore the image"));
	examine_disks(&plan, 40);
}
END_TEST

/* Sealed: the machine is booted again without keys in its memory, even if the image was
 * opened and judged before. */
START_TEST(test_kept_by_refusal)
{
	struct sim_plan plan = { .class = SIM_IO, .method = METHOD_SHUTDOWN, .other_boots = 1 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 2);
}
END_TEST

START_TEST(test_vetoed_sealed)
{
	struct sim_plan plan = { .method = METHOD_SHUTDOWN,
				 .veto = (enum sim_veto)_i,
				 .vetoing_boots = 4 };

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	ck_assert_uint_eq(outcome.boots, 5);
	ck_assert_uint_eq(outcome.powered_off, 2);
}
END_TEST

/* Damage before the commit is found by verifying. */
START_TEST(test_verified)
{
	static const enum sim_fault faults[] = { SIM_FAIL, SIM_DAMAGE };
	struct sim_plan plan = {
		.class = SIM_IO, .fault = faults[_i], .method = METHOD_SHUTDOWN, .verify = true
	};
	unsigned int found = 0;

	live(&plan);
	ck_assert_msg(outcome.fate == SIM_RESUMED, "%d: %s", outcome.fate, outcome.said);
	if (_i == 0) {
		each(plan, 1, true);
		ck_assert_uint_eq(tally.fresh, 0);
		print_tally("an I/O error, verified images:");
		return;
	}
	for (plan.at = 1; plan.at <= 40; plan.at++) {
		plan.seed = plan.at * 2654435761u + 1;
		live(&plan);
		if (!strstr(outcome.said, "verifying what was written"))
			continue;
		ck_assert_int_eq(outcome.fate, SIM_RUNS_ON);
		found++;
	}
	ck_assert_uint_gt(found, 0);
	print_tally("bytes damaged, verified images:");
}
END_TEST

/* A power cut while loading, with a single attempt allowed. */
START_TEST(test_tried_too_often)
{
	struct sim_plan plan = {
		.class = SIM_IO, .fault = SIM_CUT, .method = METHOD_SHUTDOWN, .max_attempts = 1
	};
	uint64_t last = count(SIM_IO, &plan);
	unsigned int reported = 0;

	for (plan.at = last; plan.at > last - 20; plan.at--) {
		plan.seed = plan.at;
		live(&plan);
		if (!strstr(outcome.said, "the image was tried 1 times"))
			continue;
		ck_assert_int_eq(outcome.fate, SIM_FRESH);
		reported++;
	}
	ck_assert_uint_gt(reported, 0);
	print_tally("one attempt only, and power cuts:");
}
END_TEST

/* Everything that can differ with a sealed image, or everything. */
static void add_lives(Suite *suite, const char *name, void (*make)(void), bool everything)
{
	TCase *tcase = test_case(suite, name);

	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase, test_good, 0, everything ? 6 : 1);
	tcase_add_loop_test(tcase, test_io_fails, 0, everything ? 4 : 1);
	tcase_add_loop_test(tcase, test_power_cuts, 0, everything ? 2 : 1);
	tcase_add_loop_test(tcase, test_restore_fails, 0, 3);
	tcase_add_test(tcase, test_kept_by_refusal);
	tcase_add_loop_test(tcase, test_vetoed_sealed, 0, 4);
	tcase_add_test(tcase, test_no_memory);
	if (!everything)
		return;
	tcase_add_test(tcase, test_woke);
	tcase_add_test(tcase, test_io_fails_twice);
	tcase_add_loop_test(tcase, test_disk_dies, 0, 2);
	tcase_add_loop_test(tcase, test_calls_fail, 0, 2);
	tcase_add_test(tcase, test_switched_off);
	tcase_add_test(tcase, test_no_swap);
	tcase_add_loop_test(tcase, test_signals, 0, 2 * (int)ARRAY_SIZE(signals));
	tcase_add_test(tcase, test_damage);
	tcase_add_test(tcase, test_not_wanted);
}

/* Lives where sealing makes no difference worth the time. */
static void add_plain_lives(Suite *suite)
{
	TCase *tcase = test_case(suite, "plain only");

	tcase_add_checked_fixture(tcase, make_plain, unmake);
	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase, test_other_machine, 0, 3);
	tcase_add_loop_test(tcase, test_vetoed, 0, 8);
	tcase_add_loop_test(tcase, test_verified, 0, 2);
	tcase_add_test(tcase, test_tried_too_often);
	tcase_add_test(tcase, test_no_snapshot);
	tcase_add_loop_test(tcase, test_no_second_snapshot, 0, 2);
	tcase_add_test(tcase, test_unfrozen);
	tcase_add_test(tcase, test_boot_frozen);
	tcase = test_case(suite, "plain, one life");
	tcase_add_checked_fixture(tcase, make_plain, unmake);
	tcase_add_test(tcase, test_other_processor);
	tcase_add_test(tcase, test_woken);
	tcase_add_test(tcase, test_short_image);
}

void test_cases(Suite *suite)
{
	bool everything = lives_begin();

	add_lives(suite, "plain", make_plain, true);
	add_plain_lives(suite);
	add_lives_over_maps(suite);
	add_lives(suite, "passphrase", make_phrase, everything);
	add_lives(suite, "key pair", make_pair, everything);
}
