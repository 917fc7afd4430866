/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges every disk that a power cut may leave after a log of writes. What was flushed is
 * there; of the writes since the last flush any may be there or not, in any order, and
 * any sectors of each. Judged are: every prefix of the log; for each flush all writes
 * before it except one, and one alone; and this many random choices.
 */
#ifndef S2DISK_TESTS_CRASH_H
#define S2DISK_TESTS_CRASH_H

#include "disk_state.h"
#include "write_log.h"

#define CRASH_STORY_MAX 1000

struct crash_options {
	unsigned int shuffles; /* random choices before each flush */
	uint64_t seed;	       /* the seed for them; not 0 */
	bool ignore_flushes;   /* as if the disk ignored them: to test the judge */
};

struct crash_report {
	uint64_t writes, flushes;
	uint64_t prefixes, single, shuffled; /* states judged, by how they were made */
	uint64_t swap, image;		     /* states judged, by what they contain */
	uint64_t verified;		     /* different live images that were read completely */
	uint64_t handed_over;		     /* consumed, with an intact hand-over page */
	/* The durable states, one after the other: "swap", or "image ATTEMPTS/REFUSALS". */
	char story[CRASH_STORY_MAX];
};

/* Walks the log from a state, which becomes the state after all of it. -EBADMSG: a power
 * cut could have left something other than valid swap or a complete image; w says where
 * in the log and what. */
int crash_examine(struct disk_state *state, const struct write_log *log,
		  const struct crash_options *options, struct crash_report *ret, struct why *w);

#endif
