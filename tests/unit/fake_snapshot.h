/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot stream like the kernel's, made up; and a device in a file to keep
 * it on. For tests without root and without a kernel that takes part.
 */
#ifndef S2DISK_TESTS_FAKE_SNAPSHOT_H
#define S2DISK_TESTS_FAKE_SNAPSHOT_H

#include "image/page_stream.h"
#include "image/signature_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_PAGE 4096u

struct fake_snapshot {
	unsigned char *stream;
	size_t size;
	uint64_t pfns, zero_pfns, ranges;
	size_t read_at;	   /* source */
	size_t written_at; /* sink */
	size_t fail_at;	   /* source or sink: error at this byte; 0: never */
	int fail_error;
	bool differs;	 /* the sink got something else */
	size_t short_at; /* source: ends here; 0: never */
};

/* data_pages of content, a mix of random, text and zeros by seed; page frames
 * with gaps; every 16th and the last ones zero pages without data where
 * zero_pages. */
void fake_snapshot_make(struct fake_snapshot *snapshot, size_t data_pages, unsigned int seed,
			bool zero_pages);
void fake_snapshot_free(struct fake_snapshot *snapshot);
struct page_source fake_snapshot_source(struct fake_snapshot *snapshot);
struct page_sink fake_snapshot_sink(struct fake_snapshot *snapshot);

struct fake_device {
	int fd;
	char path[64];
	uint64_t bytes;
	/* the allocator: every step-th page from the second on, in order, then
	 * the ones between */
	uint64_t next, step, pages_left;
	uint64_t clusters; /* or, not 0: one of each cluster in turn, as Linux 6.15 */
	uint64_t allocated;
};

/* A file of that many pages whose first is a swap header. */
void fake_device_make(struct fake_device *device, uint64_t pages, uint64_t step);
void fake_device_free(struct fake_device *device);
/* Forgets what was allocated. */
void fake_device_rewind(struct fake_device *device);
struct page_allocator fake_device_allocator(struct fake_device *device);
void fake_device_flip(struct fake_device *device, uint64_t offset, unsigned char bits);

#endif
