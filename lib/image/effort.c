/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/effort.h"

#include "base/bytes.h"

/* Of a desktop's memory one core packs, in blocks of 512 KiB, 950 MB/s to 2.3:1
 * with acceleration 1, 2,900 MB/s to 1.5:1 with 64. */
static const int efforts[] = { 1, 2, 4, 8, 16, 32, 64 };

/* Spare time is best spent here. LZ4 1.9: 147 MB/s to 2.6:1; higher levels gain next
 * to nothing and cost much. In 1.10 level 2 became another algorithm: measured on
 * the same data it gives 60 percent of the gain in a fifth of the time, three times
 * as many bytes saved per second as in 1.9 or by level 3 of either. */
#define EFFORT_HARD EFFORT_HC(2)
#define HARD_USEC_GUESS 4000

/* Blocks between two choices of the step. Some were packed before the last one;
 * with fewer it would go too far either way. */
#define PERIOD 8

/* What was lost long ago tells nothing about now. Devices that are throttled,
 * and some others, work and rest in turns of up to a tenth of a second. But one
 * that begins to be waited for takes too many bytes of blocks packed fast, if
 * that is noticed late. */
#define MEMORY_USEC 100000
#define RECENT_USEC 40000
#define SPARE_USEC_MAX (MEMORY_USEC / 2)

/* A device takes the first megabytes at once, and one that was behind will be so
 * again: wait before packing faster. What is written in vain where it turns out
 * to be the slower one costs more than waiting a little longer. */
#define HOLD_FIRST_USEC 120000
#define HOLD_USEC 400000

/* Percent of the time spent waiting: below the first, packing may go faster;
 * above the second, it need not; above the third there is time for high
 * compression. */
#define WAITING_LITTLE 5
#define WAITING_MUCH 20
#define WAITING_SOME 15

void pace_begin(struct pace *pace, int effort, unsigned int workers, uint64_t now)
{
	*pace = (struct pace){
		.fixed = effort,
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

int pace_effort(struct pace *pace, bool fits, bool busy)
{
	if (pace->fixed)
		return pace->fixed;
	if (pace->step == 0 && busy && waits_more_than(&pace->lately, WAITING_SOME) &&
	    pace->spare_usec >= pace->hard_usec) {
		pace->spare_usec -= pace->hard_usec;
		return EFFORT_HARD;
	}
	return fits ? efforts[pace->step] : 1;
}

void pace_packing_behind(struct pace *pace)
{
	pace->packing_behind = true;
}

void pace_waited(struct pace *pace, uint64_t usec)
{
	int64_t most = (int64_t)SPARE_USEC_MAX * pace->workers;

	usec = min_u64(usec, MEMORY_USEC);
	pace->lately.waited_usec += usec;
	pace->now.waited_usec += usec;
	/* While the owner waits, so do all that pack for it. */
	pace->spare_usec += (int64_t)(usec * pace->workers);
	if (pace->spare_usec > most)
		pace->spare_usec = most;
}

static void choose_step(struct pace *pace)
{
	if (waits_more_than(&pace->now, WAITING_MUCH)) {
		pace->hold_until = pace->last_usec + HOLD_USEC;
		pace->step /= 2;
	} else if (pace->packing_behind && pace->last_usec >= pace->hold_until &&
		   !waits_more_than(&pace->lately, WAITING_LITTLE)) {
		if (pace->step + 1 < ARRAY_SIZE(efforts))
			pace->step++;
	}
}

void pace_block_placed(struct pace *pace, int effort, uint64_t usec, uint64_t now)
{
	/* A block that took long because something else ran is no measure. */
	if (effort < 0)
		pace->hard_usec += ((int64_t)min_u64(usec, SPARE_USEC_MAX) - pace->hard_usec) / 8;
	pace->lately.elapsed_usec += now - pace->last_usec;
	pace->now.elapsed_usec += now - pace->last_usec;
	pace->last_usec = now;
	if (++pace->blocks < PERIOD)
		return;
	choose_step(pace);
	pace->blocks = 0;
	pace->packing_behind = false;
	forget_older(&pace->lately, MEMORY_USEC);
	forget_older(&pace->now, RECENT_USEC);
}
