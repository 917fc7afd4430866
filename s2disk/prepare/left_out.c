/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "left_out.h"

#include "base/log.h"
#include "s2disk/aftermath/last.h"
#include "platform/memory/offlined.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct frame_list frames_of(const struct left_out *left_out)
{
	return (struct frame_list){
		.items = left_out->platform->ram.poisoned.items,
		.count = left_out->platform->ram.poisoned.count,
	};
}

/* The most page frames that a snapshot can have. It is copied within the same memory, and
 * enough_free_mem() (kernel/power/snapshot.c) requires a free frame for each that is saved. */
static uint64_t most_frames(const struct platform *platform)
{
	uint64_t present = platform->ram.pages.present;

	return (present ? present : (uint64_t)sysconf(_SC_PHYS_PAGES)) / 2;
}

int left_out_prepare(struct left_out *left_out, struct platform *platform, struct why *w)
{
	struct frame_list frames = { 0 };
	struct why reason = { 0 };
	int r;

	*left_out = (struct left_out){ .platform = platform, .flags = -1 };
	r = offlined_find("", &platform->ram, &frames, &left_out->flags, &reason);
	if (r < 0 && r != -ENOMEM) {
		log_warning("offlined page frames stay in the image: %s", why_text(&reason, r));
		return 0;
	}
	if (r == 0) {
		list_free(&platform->ram.poisoned);
		platform->ram.poisoned.items = frames.items;
		platform->ram.poisoned.count = frames.count;
		platform->ram.poisoned.known = true;
	}
	if (r == 0 && frames.count > 0)
		r = arena_create(&left_out->memory,
				 page_filter_memory(most_frames(platform), page_size()));
	return r < 0 ? why(w, r, "no memory to leave offlined page frames out: %s", strerror(-r))
		     : 0;
}

static void list_places(const struct frame_list *frames, char *text, size_t size)
{
	uint64_t page = page_size();
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < frames->count; i++) {
		const struct frame_range *range = &frames->items[i];
		uint64_t first = range->first * page, end = first + range->count * page - 1;

		if (used + 48 > size) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s0x%" PRIx64, i ? ", " : "",
					 first);
		if (range->count > 1)
			used += (size_t)snprintf(text + used, size - used, "-0x%" PRIx64, end);
	}
}

void left_out_confirm(struct left_out *left_out, struct last *last)
{
	struct frame_list frames = frames_of(left_out);

	offlined_confirm("", left_out->flags, &frames);
	left_out->platform->ram.poisoned.count = frames.count;
	last->left_out_pages = frames_total(frames.items, frames.count);
	list_places(&frames, last->left_out, sizeof(last->left_out));
	if (last->left_out_pages > 0)
		log_info("%" PRIu64 " offlined page frame%s left out of the image: %s",
			 last->left_out_pages, last->left_out_pages == 1 ? " is" : "s are",
			 last->left_out);
}

int left_out_begin(struct left_out *left_out, struct page_source *source, uint64_t *size,
		   struct why *w)
{
	struct frame_list frames = frames_of(left_out);
	int r;

	if (frames.count == 0)
		return 0;
	r = page_filter_begin(&left_out->filter, source, *size, page_size(), &frames,
			      left_out->memory.base, left_out->memory.size, w);
	if (r < 0)
		return r;
	*source = page_filter_source(&left_out->filter);
	*size = left_out->filter.info.size;
	return 0;
}

void left_out_end(struct left_out *left_out)
{
	if (left_out->platform && left_out->flags >= 0)
		close(left_out->flags);
	left_out->platform = NULL;
	arena_destroy(&left_out->memory);
}
