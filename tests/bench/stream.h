/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark's stand-ins for the kernel: a snapshot to read, one to write, pages of
 * swap, and a clock of processor time. As with /dev/snapshot each page is looked up and
 * copied separately, with as many per system call as snapshot_read and snapshot_write
 * take.
 */
#ifndef S2DISK_TESTS_BENCH_STREAM_H
#define S2DISK_TESTS_BENCH_STREAM_H

#include "base/why.h"
#include "format/page_stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_PAGE 4096u

/* A snapshot: a recorded one, or one generated as it is read. */
struct stream {
	int fd; /* the recorded one, or the pages that a made one repeats */
	uint64_t size;
	uint64_t at;
	unsigned int pages_a_call; /* stream_open: as many as there can be */

	bool made;
	uint64_t metadata_pages;
	uint64_t ring_pages;
	unsigned char header[STREAM_PAGE];
};

/* name: a file (on tmpfs, so that reading it is copying memory), or "made:KIND:MIB" with
 * KIND random (does not compress), mixed (like memory: a third random, a third text, the
 * rest repetitive) or plain (compresses very well). 0 or a negative errno with w. */
int stream_open(struct stream *stream, const char *name, struct why *w);
void stream_close(struct stream *stream);

/* Rewinds it. */
struct page_source stream_source(struct stream *stream);

/* Takes pages and drops them: memory of a fixed size, overwritten again and again. If
 * compare is not NULL, each page is compared with that stream. */
struct sink {
	int fd;
	uint64_t at;
	unsigned int pages_a_call; /* sink_open: as many as there can be */
	struct stream *compare;
	unsigned char *page; /* of the stream to compare with */
};

int sink_open(struct sink *sink, struct stream *compare);
void sink_close(struct sink *sink);
struct page_sink sink_sink(struct sink *sink);

/* Pages of an area from the second on: contiguous, or in runs of this many with as many
 * left out in between, or one of each of this many clusters in turn. One system call per
 * page, too. */
struct allocator {
	uint64_t next, end; /* pages */
	uint64_t run;	    /* 0: all contiguous */
	uint64_t in_run;
	uint64_t clusters; /* 0: not in turn */
	uint64_t given;
	int fd;
};

struct page_allocator allocator_begin(struct allocator *allocator, int fd, uint64_t bytes,
				      uint64_t run, uint64_t clusters);

/* Seconds of processor time of this process and, as far as the kernel counts it
 * separately, of the kernel workers that do the work of loop devices. */
struct cpu_time {
	double own, workers;
};

struct cpu_time cpu_time_now(void);

#endif
