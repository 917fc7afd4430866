/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offlined page frames are left out of the image: what the next boot's firmware
 * claims at such a place then stands in nobody's way.
 */
#ifndef S2DISK_LEFT_OUT_H
#define S2DISK_LEFT_OUT_H

#include "base/memory.h"
#include "base/why.h"
#include "image/page_filter.h"
#include "format/page_stream.h"
#include "platform/platform.h"

struct last;

struct left_out {
	struct platform *platform; /* its ram.poisoned are the frames */
	int flags;		   /* for offlined_confirm, -1 */
	struct arena memory;
	struct page_filter filter;
};

/* Before the freeze: finds the frames, puts them into platform, which must outlive
 * left_out, and allocates what leaving them out takes. Where they cannot be
 * known this is logged, and they stay in the image. 0 or -ENOMEM. */
int left_out_prepare(struct left_out *left_out, struct platform *platform, struct why *w);

/* With user space frozen: what still is so, and into the record. */
void left_out_confirm(struct left_out *left_out, struct last *last);

/* A snapshot of *size bytes can be read from source: both become those of the
 * snapshot without the frames. May be called for every attempt. */
int left_out_begin(struct left_out *left_out, struct page_source *source, uint64_t *size,
		   struct why *w);

/* Harmless on what was never prepared, if it is zeroed. */
void left_out_end(struct left_out *left_out);

#endif
