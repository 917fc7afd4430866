/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offlined page frames are left out of the image, so it still fits if the next boot's firmware
 * claims one of them.
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

/* Before the freeze: finds the frames, puts them into platform, which must outlive left_out, and
 * allocates what is needed to leave them out. If they cannot be found, this is logged and they
 * stay in the image. 0 or -ENOMEM. */
int left_out_prepare(struct left_out *left_out, struct platform *platform, struct why *w);

/* With user space frozen: keeps those that are still offlined, and records them in last. */
void left_out_confirm(struct left_out *left_out, struct last *last);

/* Replaces source and *size of a snapshot with those of the snapshot without the frames. May be
 * called for each attempt. */
int left_out_begin(struct left_out *left_out, struct page_source *source, uint64_t *size,
		   struct why *w);

/* A zeroed struct that was never prepared is fine. */
void left_out_end(struct left_out *left_out);

#endif
