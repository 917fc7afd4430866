/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which page frames a running system uses. */
#include "drift_lives.h"

#include "base/bytes.h"

#include <check.h>
#include <stdlib.h>

/* Frames that are offlined together, or not: measured at 67 places, of which 7 refused. The
 * kernel's own pages are together in blocks (page mobility), here one of four. */
#define GROUP 16
#define KERNEL_BLOCKS 4
#define KERNEL_GROUPS 7
#define GROUPS_TRIED 67

/* Frames of a run that is in use, or free. */
#define RUN_MAX 64

/* Elsewhere: how many ranges in use make an area of RAM, and the free pieces within each. */
#define CHUNKS 4
#define HOLES 4
#define HOLE_FRAMES 8

static void append(struct frame_list *list, uint64_t first, uint64_t count)
{
	if (frames_append(list, first, count) < 0)
		ck_abort_msg("out of memory");
}

struct frame_list drift_kernel_frames(const struct drift_machine *machine,
				      const struct drift_boot *session, uint64_t key)
{
	const struct frame_list *detail = &machine->detail;
	struct frame_list frames = { 0 }, ret;

	for (size_t i = 0; i < detail->count; i++) {
		uint64_t end = detail->items[i].first + detail->items[i].count;

		for (uint64_t at = detail->items[i].first; at < end; at += GROUP)
			if (drift_draw(key, 'b', at / DRIFT_BLOCK, 0) % KERNEL_BLOCKS == 0 &&
			    drift_draw(key, 'g', at, 0) % GROUPS_TRIED <
				    KERNEL_BLOCKS * KERNEL_GROUPS)
				append(&frames, at, GROUP);
	}
	ret = drift_select(&frames, &session->ram, true);
	free(frames.items);
	return ret;
}

/* The lower part of it is in use, but for a few small holes. */
static void use_chunk(struct frame_list *list, uint64_t first, uint64_t count, unsigned int share)
{
	uint64_t used = count * share / 100 / HOLES;

	for (unsigned int i = 0; i < HOLES && used > 4 * HOLE_FRAMES; i++)
		append(list, first + i * used, used - HOLE_FRAMES);
}

struct frame_list drift_elsewhere(const struct drift_machine *machine,
				  const struct drift_boot *session, unsigned int share)
{
	struct frame_list rest = drift_select(&session->ram, &machine->detail, false), ret = { 0 };

	for (size_t i = 0; i < rest.count; i++) {
		uint64_t count = rest.items[i].count / CHUNKS;

		for (unsigned int k = 0; k < CHUNKS; k++)
			use_chunk(&ret, rest.items[i].first + k * count, count, share);
	}
	free(rest.items);
	return ret;
}

/* Half of what is free is in whole blocks; the rest is mixed with what is in use. */
static void use_block(struct frame_list *list, uint64_t first, uint64_t seed, unsigned int fill)
{
	unsigned int whole = (1000 - fill * 10) / 2, used = fill * 10 * 1000 / (1000 - whole);
	uint64_t state = drift_draw(seed, 'f', first, 0);

	if (state % 1000 < whole)
		return;
	for (uint64_t at = 0; at < DRIFT_BLOCK;) {
		uint64_t run;

		state = drift_draw(state, 'r', at, 0);
		run = min_u64(1 + state % RUN_MAX, DRIFT_BLOCK - at);
		if ((state >> 32) % 1000 < used)
			append(list, first + at, run);
		at += run;
	}
}

struct frame_list drift_detail(const struct drift_machine *machine, uint64_t seed,
			       unsigned int fill)
{
	const struct frame_list *detail = &machine->detail;
	struct frame_list ret = { 0 };

	for (size_t i = 0; i < detail->count; i++) {
		uint64_t end = detail->items[i].first + detail->items[i].count;

		for (uint64_t at = detail->items[i].first; at < end; at += DRIFT_BLOCK)
			use_block(&ret, at, seed, fill);
	}
	return ret;
}
