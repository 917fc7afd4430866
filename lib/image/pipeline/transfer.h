/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transfer: memory to extents of the device, or back, in as few requests as
 * the extents allow. It is a job of a work pool, so that several are in flight.
 */
#ifndef S2DISK_IMAGE_TRANSFER_H
#define S2DISK_IMAGE_TRANSFER_H

#include "format/extents/extents.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* In each direction: the size up to which a request collects blocks, how many of them are used in
 * turn, and how many threads run them. */
#define BATCH_BYTES (2u << 20)
#define BATCHES 4
#define TRANSFER_THREADS 2

struct transfer {
	int fd;
	bool write;
	size_t page_size;
	const atomic_bool *cancel; /* set by the owner: start no more requests */

	/* Pieces of memory, in order; each of whole pages, page-aligned. */
	struct iovec *pieces;
	unsigned int piece_count, piece_max;
	/* Where they go, in order; the sums of pages agree. */
	struct extent *extents;
	size_t extent_count, extent_max;
	uint64_t bytes;

	int error;	       /* result: 0 or a negative errno */
	uint64_t error_offset; /* byte on the device of the request that failed */
};

/* Resets it for the next use. */
void transfer_reset(struct transfer *transfer);

/* Both return false if there is no more room. A page that follows the last extent on the device
 * extends it. */
bool transfer_add_memory(struct transfer *transfer, void *memory, size_t bytes);
bool transfer_add_extent(struct transfer *transfer, struct extent extent);

/* Runs it. The work function of a pool; worker_context is not used. */
void transfer_run(void *worker_context, void *transfer);

/* Reads a part of a request that was run once more, past the kernel's cache:
 * length bytes from byte number at of the request on. memory as for the request
 * itself (aligned for O_DIRECT). 0 or a negative errno. */
int transfer_read_again(const struct transfer *transfer, size_t at, void *memory, size_t length);

#endif
