/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every disk that a power cut may leave behind a log of writes, and what each
 * is worth. What was flushed is there; of the writes since the last flush any
 * may be there or not, in any order, and of each any of its sectors. Judged
 * are: every prefix of the log; for each flush all writes before it but one,
 * and one alone; and so many random choices.
 */
#ifndef S2DISK_TESTS_CRASH_H
#define S2DISK_TESTS_CRASH_H

#include "disk_state.h"
#include "write_log.h"

#define CRASH_STORY_MAX 1000

struct crash_options {
	unsigned int shuffles; /* random choices before each flush */
	uint64_t seed;	       /* of them; not 0 */
	bool ignore_flushes;   /* as if the disk did not obey them: to test the judge */
};

struct crash_report {
	uint64_t writes, flushes;
	uint64_t prefixes, single, shuffled; /* states judged, by how they were made */
	uint64_t swap, image;		     /* states judged, by what they hold */
	uint64_t verified;		     /* different live images read whole */
	uint64_t handed_over;		     /* consumed with a sound hand-over page */
	/* What was on the disk for good, one after the other: "swap", or "image
	 * ATTEMPTS/REFUSALS". */
	char story[CRASH_STORY_MAX];
};

/* Goes through the log from a state, which is afterwards what all of it leaves.
 * -EBADMSG: a power cut could have left something else than valid swap or a
 * complete image; w tells where in the log and what. */
int crash_judge(struct disk_state *state, const struct write_log *log,
		const struct crash_options *options, struct crash_report *ret, struct why *w);

#endif
