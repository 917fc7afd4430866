/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How hard to compress, chosen while an image is written. Where the processors
 * are what all wait for, less hard; where the device is, harder, in the time
 * that would be lost waiting for it and in no other. Pure.
 */
#ifndef S2DISK_IMAGE_EFFORT_H
#define S2DISK_IMAGE_EFFORT_H

#include "format/codec.h"

#include <stdbool.h>
#include <stdint.h>

/* Of so much time the owner waited so much for the device. */
struct waiting {
	uint64_t waited_usec, elapsed_usec;
};

struct pace {
	int fixed;	      /* effort for all blocks; 0: chosen */
	unsigned int workers; /* that pack */
	unsigned int step;    /* index of the usual effort; more is faster */

	unsigned int blocks; /* placed since the step was chosen */
	bool packing_behind; /* since then */
	uint64_t hold_until; /* not faster before then */

	struct waiting lately, now; /* of the last moments, and of fewer */
	uint64_t last_usec;

	int64_t spare_usec; /* processor time lost by waiting and not spent yet */
	int64_t hard_usec;  /* that a block takes when compressed hard */
};

/* effort: as codec_compress takes it, for all blocks; 0: to be chosen. */
void pace_begin(struct pace *pace, int effort, unsigned int workers, uint64_t now);

/* The effort for the next block. fits: all that is left of the stream would fit
 * into the area as it is; where it may not, no block is compressed less hard
 * than LZ4 usually does. busy: the device has enough to do while a block is
 * compressed harder; otherwise it would wait, and that time is lost for good. */
int pace_effort(struct pace *pace, bool fits, bool busy);

/* Blocks wait for a processor to pack them. */
void pace_packing_behind(struct pace *pace);

/* The owner waited so long for the device. */
void pace_waited(struct pace *pace, uint64_t usec);

/* A block was placed that was packed with this effort in so much time; now is
 * a clock's microseconds. */
void pace_block_placed(struct pace *pace, int effort, uint64_t usec, uint64_t now);

#endif
