/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of page frames: the pages in an image, the frames that are RAM. */
#ifndef S2DISK_PLATFORM_FRAMES_H
#define S2DISK_PLATFORM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_range {
	uint64_t first; /* page frame number */
	uint64_t count; /* never 0 in a list */
};

/* A list is sorted, and its ranges neither overlap nor wrap around. */
struct frame_list {
	struct frame_range *items;
	size_t count;
};

/* Frees the items; harmless on an empty list, and leaves one. */
void frames_free(struct frame_list *list);

#define _cleanup_frames_ __attribute__((cleanup(frames_free)))

/* Is it such a list? Ranges that touch are allowed. */
bool frames_valid(const struct frame_range *ranges, size_t count);

/* Number of page frames in all ranges, saturating. */
uint64_t frames_total(const struct frame_range *ranges, size_t count);

/* Number of page frames of the list within first … last (inclusive); O(log n + hits). */
uint64_t frames_within(const struct frame_range *ranges, size_t count, uint64_t first,
		       uint64_t last);

/* The same for bytes start … end (inclusive): every frame that they touch. */
uint64_t frames_in_bytes(const struct frame_range *ranges, size_t count, uint64_t page_size,
			 uint64_t start, uint64_t end);

/* Appends a run (not before the last one; touching runs are merged). 0 or -ENOMEM. The
 * list is freed with free(list->items). */
int frames_append(struct frame_list *list, uint64_t first, uint64_t count);

/* Sorts the list and merges what overlaps or touches. */
void frames_normalize(struct frame_list *list);

/* Frames that are in a and, for wanted, in b; or, for !wanted, not in b. */
int frames_select(const struct frame_list *a, const struct frame_list *b, bool wanted,
		  struct frame_list *ret);

#endif
