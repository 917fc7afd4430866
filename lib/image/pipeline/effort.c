/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/pipeline/effort.h"

#include "base/bytes.h"

/* One core compresses the memory of a desktop, in blocks of 512 KiB, at 950 MB/s to 2.3:1 with
 * acceleration 1, and at 2,900 MB/s to 1.5:1 with 64. */
static const int efforts[] = { 1, 2, 4, 8, 16, 32, 64 };

/* The best use of spare time. LZ4 1.9: 147 MB/s to 2.6:1; higher levels gain almost nothing and
 * cost much. In 1.10 level 2 is another algorithm: measured on the same data it gives 60 percent of
 * the gain in a fifth of the time, three times as many bytes saved per second as in 1.9 or by level
 * 3 of either. */
#define EFFORT_HARD EFFORT_HC(2)
#define HARD_USEC_GUESS 4000

/* Blocks between two choices of the step. Some of them were packed before the last choice; with a
 * shorter period the step would overshoot. */
#define PERIOD 8

/* Old measurements do not count. Throttled and some other devices alternate between work and pauses
 * of up to a tenth of a second. But if it is noticed late that the device has become the
 * bottleneck, too many blocks have been packed fast. */
#define MEMORY_USEC 100000
#define RECENT_USEC 40000
#define SPARE_USEC_MAX (MEMORY_USEC / 2)

/* A device buffers the first megabytes, and one that was the bottleneck will be again, so wait
 * before packing faster: if the device turns out to be slower, the extra bytes cost more than the
 * delay. */
#define HOLD_FIRST_USEC 120000
#define HOLD_USEC 400000

/* Percent of the time spent waiting for the device: below the first, pack faster; above the second,
 * pack harder; above the third there is time for high compression. */
#define WAITING_LITTLE 5
#define WAITING_MUCH 20
#define WAITING_SOME 15

void effort_begin(struct effort *effort, int fixed, unsigned int workers, uint64_t now)
{
	*effort = (struct effort){
		.fixed = fixed,
		.workers = workers,
		.last_usec = now,
		.hold_until = now + HOLD_FIRST_USEC,
		.hard_usec = HARD_USEC_GUESS,
	};
}

static bool waits_more_than(const struct waiting *waiting, unsigned int percent)
{
	return waiting->waited_usec * 100 > waiting->elapsed_usec * percent;
}

static void forget_older(struct waiting *waiting, uint64_t usec)
{
	while (waiting->elapsed_usec > usec) {
		waiting->elapsed_usec /= 2;
		waiting->waited_usec /= 2;
	}
}

int effort_next(struct effort *effort, bool fits, bool busy)
{
	if (effort->fixed)
		return effort->fixed;
	if (effort->step == 0 && busy && waits_more_than(&effort->lately, WAITING_SOME) &&
	    effort->spare_usec >= effort->hard_usec) {
		effort->spare_usec -= effort->hard_usec;
		return EFFORT_HARD;
	}
	return fits ? efforts[effort->step] : 1;
}

void effort_packing_behind(struct effort *effort)
{
	effort->packing_behind = true;
}

void effort_waited(struct effort *effort, uint64_t usec)
{
	int64_t most = (int64_t)SPARE_USEC_MAX * effort->workers;

	usec = min_u64(usec, MEMORY_USEC);
	effort->lately.waited_usec += usec;
	effort->now.waited_usec += usec;
	/* While the owner waits, the workers are idle, too. */
	effort->spare_usec += (int64_t)(usec * effort->workers);
	if (effort->spare_usec > most)
		effort->spare_usec = most;
}

static void choose_step(struct effort *effort)
{
	if (waits_more_than(&effort->now, WAITING_MUCH)) {
		effort->hold_until = effort->last_usec + HOLD_USEC;
		effort->step /= 2;
	} else if (effort->packing_behind && effort->last_usec >= effort->hold_until &&
		   !waits_more_than(&effort->lately, WAITING_LITTLE)) {
		if (effort->step + 1 < ARRAY_SIZE(efforts))
			effort->step++;
	}
}

void effort_block_placed(struct effort *effort, int used, uint64_t usec, uint64_t now)
{
	/* A block that was preempted is no measure, hence the limit. */
	if (used < 0)
		effort->hard_usec +=
			((int64_t)min_u64(usec, SPARE_USEC_MAX) - effort->hard_usec) / 8;
	effort->lately.elapsed_usec += now - effort->last_usec;
	effort->now.elapsed_usec += now - effort->last_usec;
	effort->last_usec = now;
	if (++effort->blocks < PERIOD)
		return;
	choose_step(effort);
	effort->blocks = 0;
	effort->packing_behind = false;
	forget_older(&effort->lately, MEMORY_USEC);
	forget_older(&effort->now, RECENT_USEC);
}
