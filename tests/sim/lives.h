/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lives for tests: what the simulator finds broken fails the test, and all are
 * counted. One machine at a time, made and unmade by a fixture. */
#ifndef S2DISK_TESTS_LIVES_H
#define S2DISK_TESTS_LIVES_H

#include "sim.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/* How many lives ended how, for the line that tells it. */
struct tally {
	uint64_t lives, resumed, runs_on, fresh, woke, states, images;
};

extern struct sim_outcome outcome; /* of the last life */
extern struct tally tally;	   /* since the fixture */
extern uint64_t stride;		   /* of so many things only one goes wrong */
extern const unsigned int worker_counts[2];

/* Before the first; true: everything goes wrong, as S2DISK_EVERYTHING asks for. */
bool lives_begin(void);

/* Fixtures: what opens the images of the lives between them. */
void make_plain(void);
void make_phrase(void);
void make_pair(void);
void unmake(void);

void live(const struct sim_plan *planned);

/* How often something happens in a life without faults. */
uint64_t count(enum sim_class class, const struct sim_plan *plan);

/* Of a class, from the first to the last, each one in step times stride goes wrong in
 * the plan's way, in a life of its own; judge: the disks too. */
void each(struct sim_plan plan, uint64_t step, bool judge);

/* Every disk that a power cut could have left in the last life is judged; shuffles:
 * so many orders of the writes that are not flushed. */
void judge_disks(const struct sim_plan *plan, unsigned int shuffles);

/* Prints the tally. */
void tell(const char *what);

/* life_maps.c */
TCase *make_lives_over_maps(void);

#endif
