/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lives.h"

#include "../replay/crash.h"
#include "crypto/crypto.h"
#include "fixtures/quick.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Trying every one takes minutes of processor time, so this needs S2DISK_EVERYTHING (as
 * ./run-tests --all sets it); otherwise every third fails, and under sanitizers, where a
 * life takes ten times as long, every 20th. With sealed images there are fewer, since
 * most lives are the same. S2DISK_QUICK has the same numbers as sanitizers. */
#define SEALED_STRIDE 4u
#define QUICK_STRIDE 20u
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE QUICK_STRIDE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRIDE QUICK_STRIDE
#endif
#endif
#ifndef STRIDE
#define STRIDE 3u
#endif

uint64_t stride;
static uint64_t plain_stride = STRIDE, sealed_stride = STRIDE * SEALED_STRIDE;

/* Lives are the same with plain images and with sealed ones. */
static unsigned int ways;

static struct sim *machine;
struct sim_outcome outcome;
struct tally tally;
const unsigned int worker_counts[2] = { 0, 2 };

bool lives_begin(void)
{
	bool everything = getenv("S2DISK_EVERYTHING");

	if (quick()) {
		plain_stride = QUICK_STRIDE;
		sealed_stride = QUICK_STRIDE * SEALED_STRIDE;
	}
	if (everything) {
		plain_stride = 1;
		sealed_stride = 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	return everything;
}

static void make_for(unsigned int wanted)
{
	machine = sim_create();
	memset(&tally, 0, sizeof(tally));
	ways = wanted;
	stride = plain_stride;
	if (wanted)
		stride = sealed_stride == 1
				 ? 1
				 : sealed_stride + wanted; /* different faults for each way */
}

void make_plain(void)
{
	make_for(SIM_PLAIN);
}

void make_phrase(void)
{
	make_for(SIM_PASSPHRASE);
}

void make_pair(void)
{
	make_for(SIM_KEY_PAIR);
}

void unmake(void)
{
	sim_destroy(machine);
}

void live(const struct sim_plan *planned)
{
	struct sim_plan with_ways = *planned, *plan = &with_ways;

	plan->ways = ways;
	sim_live(machine, plan, &outcome);
	ck_assert_msg(!outcome.broken[0],
		      "ways %u, class %d, number %" PRIu64 " (%" PRIu64
		      "), fault %d, full after %" PRIu64 ", seed %" PRIu64 ": %s\n%.3000s",
		      ways, plan->class, plan->at, plan->second_at, plan->fault, plan->full_after,
		      plan->seed, outcome.broken, outcome.said);
	tally.lives++;
	tally.resumed += outcome.fate == SIM_RESUMED;
	tally.runs_on += outcome.fate == SIM_RUNS_ON;
	tally.fresh += outcome.fate == SIM_FRESH;
	tally.woke += outcome.fate == SIM_WOKE;
}

void examine_disks(const struct sim_plan *plan, unsigned int shuffles)
{
	const struct crash_options options = { .shuffles = shuffles, .seed = 1 + plan->at };
	struct crash_report report;
	struct disk_state state;
	struct write_log log;
	struct why w = { "" };
	int r;

	ck_assert_int_eq(crypto_init(NULL), 0);
	ck_assert_int_eq(sim_fresh_disk(&state), 0);
	sim_log(machine, &log);
	r = crash_examine(&state, &log, &options, &report, &w);
	ck_assert_msg(r == 0, "class %d, number %" PRIu64 ", fault %d: %s", plan->class, plan->at,
		      plan->fault, why_text(&w, r));
	tally.states += report.swap + report.image;
	tally.images += report.verified;
	free(log.entries);
	disk_state_free(&state);
}

void print_tally(const char *what)
{
	static const char *const kinds[] = { "", "passphrase, ", "key pair, " };

	printf("tried %s%-34s %5" PRIu64 " lives: %" PRIu64 " resumed, %" PRIu64 " ran on, %" PRIu64
	       " woke, %" PRIu64 " lost the session legitimately",
	       kinds[ways], what, tally.lives, tally.resumed, tally.runs_on, tally.woke,
	       tally.fresh);
	if (tally.states)
		printf("; %" PRIu64 " disks judged, %" PRIu64 " images verified", tally.states,
		       tally.images);
	printf("\n");
}

uint64_t count(enum sim_class class, const struct sim_plan *plan)
{
	struct sim_plan good = *plan;

	good.at = 0;
	live(&good);
	return outcome.counts[class];
}

void each(struct sim_plan plan, uint64_t step, bool judge)
{
	uint64_t last = count(plan.class, &plan);

	ck_assert_uint_gt(last, 10);
	for (plan.at = 1; plan.at <= last; plan.at += step * stride) {
		plan.seed = plan.at * 2654435761u + 1;
		live(&plan);
		if (judge)
			examine_disks(&plan, 40);
	}
}
