/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How hard to compress, chosen while an image is written: less hard while the processors are the
 * bottleneck, harder while the device is, but only in time that would be spent waiting for it.
 *
 * Pure. */
#ifndef S2DISK_IMAGE_EFFORT_H
#define S2DISK_IMAGE_EFFORT_H

#include "format/codec.h"

#include <stdbool.h>
#include <stdint.h>

/* How long the owner waited for the device, out of the elapsed time. */
struct waiting {
	uint64_t waited_usec, elapsed_usec;
};

struct effort {
	int fixed;	      /* effort for all blocks; 0: chosen */
	unsigned int workers; /* that pack */
	unsigned int step;    /* index of the usual effort; more is faster */

	unsigned int blocks; /* placed since the step was chosen */
	bool packing_behind; /* since then */
	uint64_t hold_until; /* not faster before then */

	struct waiting lately, now; /* over the last moments, and over fewer */
	uint64_t last_usec;

	int64_t spare_usec; /* processor time lost by waiting, not used yet */
	int64_t hard_usec;  /* for a block that is compressed hard */
};

/* effort: as codec_compress takes it, for all blocks; 0: to be chosen. */
void effort_begin(struct effort *effort, int fixed, unsigned int workers, uint64_t now);

/* The effort for the next block. fits: the rest of the stream would fit into the area uncompressed;
 * otherwise no block is compressed less hard than LZ4's default. busy: the device has enough queued
 * while a block is compressed harder; otherwise it would become idle. */
int effort_next(struct effort *effort, bool fits, bool busy);

/* Blocks are waiting to be packed. */
void effort_packing_behind(struct effort *effort);

/* The owner waited this long for the device. */
void effort_waited(struct effort *effort, uint64_t usec);

/* A block was placed; it was packed with this effort in usec microseconds. now is a clock's time,
 * in microseconds. */
void effort_block_placed(struct effort *effort, int used, uint64_t usec, uint64_t now);

#endif
