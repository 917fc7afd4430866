/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lives for tests: whatever the simulator finds broken fails the test, and all lives are
 * counted. One machine at a time, created and destroyed by a fixture. */
#ifndef S2DISK_TESTS_LIVES_H
#define S2DISK_TESTS_LIVES_H

#include "sim.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/* How many lives ended in which way, for the summary line. */
struct tally {
	uint64_t lives, resumed, runs_on, fresh, woke, states, images;
};

extern struct sim_outcome outcome; /* of the last life */
extern struct tally tally;	   /* since the fixture */
extern uint64_t stride;		   /* only one of this many faults is tried */
extern const unsigned int worker_counts[2];

/* Call before the first life; true: every fault is tried, as S2DISK_EVERYTHING demands. */
bool lives_begin(void);

/* Fixtures: the ways to open the images of the lives between them. */
void make_plain(void);
void make_phrase(void);
void make_pair(void);
void unmake(void);

void live(const struct sim_plan *planned);

/* How often something happens in a life without faults. */
uint64_t count(enum sim_class class, const struct sim_plan *plan);

/* Runs a life for each fault of a class, from the first to the last in steps of step
 * times stride, with the plan's kind of failure; judge: also judges the disks. */
void each(struct sim_plan plan, uint64_t step, bool judge);

/* Judges every disk that a power cut could have left in the last life; shuffles: this
 * many orders of the unflushed writes. */
void examine_disks(const struct sim_plan *plan, unsigned int shuffles);

/* Prints the tally. */
void print_tally(const char *what);

/* life_maps.c */
void add_lives_over_maps(Suite *suite);

#endif
