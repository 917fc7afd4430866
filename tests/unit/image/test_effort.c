/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/effort: how hard to compress, as waiting and packing go. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "image/pipeline/effort.h"

/* A writer in slow motion: blocks placed one after the other. */
struct fixture {
	struct effort effort;
	uint64_t now;
	bool idle; /* the device has little to do, though it may be waited for */
	unsigned int hard, usual, fast; /* blocks by the effort they got */
};

static void begin(struct fixture *f, int effort, unsigned int workers)
{
	*f = (struct fixture){ .now = 5000000 };
	effort_begin(&f->effort, effort, workers, f->now);
}

/* Places this many blocks, each after `packing` and then `waiting` microseconds. */
static void place(struct fixture *f, unsigned int blocks, uint64_t packing, uint64_t waiting,
		  bool behind, bool fits)
{
	f->hard = f->usual = f->fast = 0;
	for (unsigned int i = 0; i < blocks; i++) {
		int effort = effort_next(&f->effort, fits, waiting > 0 && !f->idle);

		f->hard += effort < 0;
		f->usual += effort == 1;
		f->fast += effort > 1;
		if (behind)
			effort_packing_behind(&f->effort);
		f->now += packing;
		if (waiting)
			effort_waited(&f->effort, waiting);
		f->now += waiting;
		effort_block_placed(&f->effort, effort, effort < 0 ? 3500 : 500, f->now);
	}
}

START_TEST(fixed_stays)
{
	static const int efforts[] = { 1, 7, 64, EFFORT_HC(9) };
	struct fixture f;

	begin(&f, efforts[_i], 2);
	place(&f, 1000, 500, 0, true, true);
	ck_assert_int_eq(effort_next(&f.effort, true, false), efforts[_i]);
	place(&f, 1000, 500, 5000, false, false);
	ck_assert_int_eq(effort_next(&f.effort, false, false), efforts[_i]);
}
END_TEST

/* A device that is never waited for: faster and faster, but not at once. */
START_TEST(processors_are_behind)
{
	struct fixture f;

	begin(&f, 0, 2);
	ck_assert_int_eq(effort_next(&f.effort, true, false), 1);
	place(&f, 240, 500, 0, true, true);
	ck_assert_uint_eq(f.usual, 240);
	place(&f, 100, 500, 0, true, true);
	ck_assert_uint_eq(f.hard, 0);
	ck_assert_int_eq(effort_next(&f.effort, true, false), 64);
	/* Not where the rest may not fit then. */
	ck_assert_int_eq(effort_next(&f.effort, false, false), 1);
}
END_TEST

/* Neither is waited for (reading the snapshot takes all the time). */
START_TEST(neither_side_waits)
{
	struct fixture f;

	begin(&f, 0, 8);
	place(&f, 1000, 500, 0, false, true);
	ck_assert_uint_eq(f.usual, 1000);
}
END_TEST

/* A slow device: time that is lost goes into compressing harder, but only
 * about this much of it. */
START_TEST(device_is_behind)
{
	struct fixture f;

	begin(&f, 0, 2);
	place(&f, 1000, 300, 2000, true, true);
	ck_assert_uint_eq(f.fast, 0);
	ck_assert_uint_gt(f.hard, 500);
	begin(&f, 0, 2);
	place(&f, 1000, 500, 80, true, true);
	ck_assert_uint_eq(f.hard, 0);
	/* Half of the time is lost: both processors have 500 us a block to spare,
	 * of which a hard one needs 3500. */
	begin(&f, 0, 2);
	place(&f, 1000, 500, 500, true, true);
	ck_assert_uint_gt(f.hard, 200);
	ck_assert_uint_lt(f.hard, 1000 * 2 * 500 / 3500 + 10);
}
END_TEST

/* It is waited for, and yet would have nothing to do soon (it works and rests in
 * turns): no block may take longer than usual. */
START_TEST(device_runs_dry)
{
	struct fixture f;

	begin(&f, 0, 2);
	f.idle = true;
	place(&f, 1000, 300, 2000, true, true);
	ck_assert_uint_eq(f.usual, 1000);
}
END_TEST

/* It took the first megabytes at once, and no more: few blocks are packed fast
 * once it is waited for. */
START_TEST(device_turns_slow)
{
	struct fixture f;

	begin(&f, 0, 2);
	place(&f, 400, 500, 0, true, true);
	ck_assert_int_eq(effort_next(&f.effort, true, false), 64);
	place(&f, 200, 500, 500, true, true);
	ck_assert_uint_le(f.fast, 48);
}
END_TEST

/* From fast to slow and back. */
START_TEST(follows_the_device)
{
	struct fixture f;

	begin(&f, 0, 2);
	place(&f, 300, 500, 0, true, true);
	ck_assert_int_eq(effort_next(&f.effort, true, false), 64);
	place(&f, 200, 500, 2000, true, true);
	ck_assert_int_le(effort_next(&f.effort, true, false), 1);
	ck_assert_uint_gt(f.hard, 0);
	/* It does not swing: for a while it stays. */
	place(&f, 100, 500, 0, true, true);
	ck_assert_uint_eq(f.fast, 0);
	place(&f, 2000, 500, 0, true, true);
	ck_assert_int_eq(effort_next(&f.effort, true, false), 64);
}
END_TEST

/* A clock that jumps, and waits without end, do no harm. */
START_TEST(odd_times)
{
	struct fixture f;

	begin(&f, 0, 64);
	place(&f, 100, 0, 0, true, true);
	place(&f, 100, UINT32_MAX, UINT32_MAX, true, true);
	place(&f, 100, 0, UINT32_MAX, false, true);
	ck_assert_int_ge(f.effort.spare_usec, 0);
	effort_block_placed(&f.effort, EFFORT_HC(2), UINT64_MAX, f.now);
	ck_assert_int_gt(f.effort.hard_usec, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "effort");

	tcase_add_loop_test(tcase, fixed_stays, 0, 4);
	tcase_add_test(tcase, processors_are_behind);
	tcase_add_test(tcase, neither_side_waits);
	tcase_add_test(tcase, device_is_behind);
	tcase_add_test(tcase, device_runs_dry);
	tcase_add_test(tcase, device_turns_slow);
	tcase_add_test(tcase, follows_the_device);
	tcase_add_test(tcase, odd_times);
}
