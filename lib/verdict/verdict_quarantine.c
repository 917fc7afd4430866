/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page frames that the firmware claims and the saved kernel lists as free: does it leave them
 * unused until they are offlined? Between the restore and that point it allocates a few hundred
 * pages for its devices. The order of its free lists says which (mm/page_alloc.c); see
 * doc/platform-verdict.md, "Which free pages a resume
 * takes". */
#include "verdict/verdict_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Upper bound of pages that a resume allocates; up to 370 were measured in virtual machines. */
#define ALLOCATED 1024

/* Page frames of a free block that is not split for a driver (up to order 3) while there are
 * smaller ones. */
#define MIDDLE_BLOCK 16

/* A processor's lists hold four batches of up to 64 pages at least, and all of them
 * together an eighth of the zone at most (zone_highsize()). */
#define LISTS_SHARE 8
#define LISTS_MIN 256

/* A risk of one in a thousand: none of 19 resumes took a page of a large block below the top, so
 * the next one does with a probability of 1 in 20 (rule of succession), and then up to 64
 * consecutive pages anywhere. */
#define CHANCE_SHARE 50
#define CHANCE_PAGES 64

/* The same in a spared zone: one machine in 20 has a driver that allocates up to 16 pages below 4
 * GiB when it resumes (such as ath10k). */
#define SMALL_SHARE 800

#define NO_PAGE "The image has no page there, but "

struct place {
	const struct memory_zone *zone;
	struct frame_range span;
	struct frame_list free; /* free frames of the zone */
	uint64_t claimed;	/* free frames that the firmware claims */
	uint64_t large;		/* free frames in large blocks */
};

/* Page frames of a free block that is hardly ever split: a whole pageblock, as many as one page
 * table has entries (HPAGE_PMD_ORDER in include/linux/pageblock-flags.h). */
static uint64_t large_block(const struct judge *judge)
{
	return judge->page_size / sizeof(uint64_t);
}

static uint64_t within(const struct frame_list *frames, const struct frame_range *range)
{
	return frames_within(frames->items, frames->count, range->first,
			     range->first + range->count - 1);
}

/* The blocks that a run of frames touches. */
static struct frame_range blocks_of(const struct frame_range *range, uint64_t block)
{
	uint64_t first = range->first / block * block;
	uint64_t last = (range->first + range->count - 1) / block;

	return (struct frame_range){ first, (last + 1) * block - first };
}

static uint64_t in_blocks(const struct frame_list *free, uint64_t block)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < free->count; i++) {
		uint64_t first = div_round_up(free->items[i].first, block);
		uint64_t after = (free->items[i].first + free->items[i].count) / block;

		frames += after > first ? (after - first) * block : 0;
	}
	return frames;
}

/* Balloon pages (PageOffline) are neither in the image nor free, and are not counted as managed. */
static uint64_t not_held(const struct judge *judge, const struct place *place)
{
	uint64_t held = frames_within(judge->image->ranges, judge->image->range_count,
				      place->span.first, place->span.first + place->span.count - 1);

	return place->zone->managed > held ? place->zone->managed - held : 0;
}

static void free_place(struct place *place)
{
	free(place->free.items);
}

static int look_at(const struct judge *judge, const struct frame_list *free,
		   const struct memory_zone *zone, struct place *ret)
{
	struct place place = { .zone = zone, .span = { zone->start, zone->spanned } };
	const struct frame_list span = { &place.span, 1 };

	if (frames_select(free, &span, true, &place.free) < 0)
		return -ENOMEM;
	place.claimed = within(&judge->verdict->plan.quarantine, &place.span);
	place.large = min_u64(in_blocks(&place.free, large_block(judge)), not_held(judge, &place));
	*ret = place;
	return 0;
}

/* The kernel allocates from the highest zone of a node that has enough above its
 * watermark, which fragmentation may have raised to 2.5 times (boost_watermark()); the snapshot's
 * own pages are freed only midway. A whole pageblock must be left, too: the kernel uses the zone
 * below rather than split one of another kind (ALLOC_NOFRAGMENT). Only user space allocates from
 * Movable. */
static int feeds(const struct judge *judge, const struct frame_list *free,
		 const struct memory_zone *zone, bool *ret)
{
	const struct verdict_image *image = judge->image;
	uint64_t copies = frames_total(image->ranges, image->range_count), left;
	struct place place;
	int r;

	*ret = false;
	if (strcmp(zone->name, "Normal") != 0 && strcmp(zone->name, "DMA32") != 0)
		return 0;
	r = look_at(judge, free, zone, &place);
	if (r < 0)
		return r;
	left = place.large > place.claimed ? place.large - place.claimed : 0;
	*ret = left >= copies && left - copies >= 4 * ALLOCATED + 3 * zone->high;
	free_place(&place);
	return 0;
}

static int is_spared(const struct judge *judge, const struct frame_list *free,
		     const struct memory_zone *zone, bool *ret)
{
	const struct zones *zones = &judge->then->ram.zones;
	int r = 0;

	*ret = false;
	for (size_t i = 0; r == 0 && !*ret && i < zones->items.count; i++) {
		const struct memory_zone *other = &zones->items.items[i];

		if (other->node == zone->node && other->start > zone->start)
			r = feeds(judge, free, other, ret);
	}
	return r;
}

/* The zone that contains all of a run, if there is exactly one: spans of two nodes may overlap. */
static const struct memory_zone *zone_of(const struct zones *zones, const struct frame_range *run)
{
	const struct memory_zone *found = NULL;
	uint64_t last = run->first + run->count - 1;

	for (size_t i = 0; i < zones->items.count; i++) {
		const struct memory_zone *zone = &zones->items.items[i];

		if (last < zone->start ||
		    (run->first >= zone->start && run->first - zone->start >= zone->spanned))
			continue;
		if (found || run->first < zone->start || last - zone->start >= zone->spanned)
			return NULL;
		found = zone;
	}
	return found;
}

/* How many free frames must be above a run: the per-CPU lists hold the pages of the snapshot that
 * were freed last, which are the highest (swsusp_free()). */
static uint64_t needed_above(const struct judge *judge, const struct memory_zone *zone)
{
	return zone->managed / LISTS_SHARE + (uint64_t)judge->then->cpu.info.online * LISTS_MIN +
	       ALLOCATED;
}

static uint64_t free_above(const struct judge *judge, const struct place *place,
			   const struct frame_range *run)
{
	const struct frame_list *claimed = &judge->verdict->plan.quarantine;
	uint64_t first = run->first + run->count, last = place->zone->start + place->zone->spanned;

	return frames_within(place->free.items, place->free.count, first, last - 1) -
	       frames_within(claimed->items, claimed->count, first, last - 1);
}

/* Free frames in small pieces, without claimed ones. */
static uint64_t small_pieces(const struct place *place)
{
	uint64_t small = frames_total(place->free.items, place->free.count) -
			 in_blocks(&place->free, MIDDLE_BLOCK);

	return small > place->claimed ? small - place->claimed : 0;
}

/* One run of claimed frames; reason stays empty if there is no doubt. */
static void judge_run(const struct judge *judge, const struct place *place, bool spared,
		      const struct frame_range *run, struct quarantine_doubt *ret)
{
	struct frame_range blocks = blocks_of(run, spared ? MIDDLE_BLOCK : large_block(judge));
	unsigned long long pages = run->count, above, needed;
	const struct memory_zone *zone = place->zone;
	const char *plural = pages == 1 ? "" : "s";

	if (within(&place->free, &blocks) != blocks.count &&
	    !(spared && small_pieces(place) / SMALL_SHARE >= place->claimed)) {
		SAY(ret->reason,
		    NO_PAGE
		    "%llu page%s of it lie%s in a small piece of free memory (zone %s of node %u), "
		    "which the kernel uses first, maybe before it can be offlined",
		    pages, plural, pages == 1 ? "s" : "", zone->name, zone->node);
		return;
	}
	if (spared)
		return;
	above = free_above(judge, place, run);
	needed = needed_above(judge, zone);
	if (above < needed)
		SAY(ret->reason,
		    NO_PAGE
		    "%llu page%s of it lie%s near the top of zone %s of node %u (%llu free "
		    "above, of %llu needed), where the kernel allocates before it can be offlined",
		    pages, plural, pages == 1 ? "s" : "", zone->name, zone->node, above, needed);
	else if (place->large / CHANCE_SHARE < CHANCE_PAGES ||
		 place->claimed > place->large / CHANCE_SHARE - CHANCE_PAGES)
		SAY(ret->reason,
		    NO_PAGE "%llu of %llu free pages of zone %s of node %u are gone, so one may be "
			    "used before it can be offlined",
		    (unsigned long long)place->claimed, (unsigned long long)place->large,
		    zone->name, zone->node);
}

static int judge_claimed(const struct judge *judge, const struct frame_list *free,
			 const struct frame_list *claimed, struct quarantine_doubt *ret)
{
	const struct frame_range *last = &claimed->items[claimed->count - 1];
	const struct frame_range all = { claimed->items[0].first,
					 last->first + last->count - claimed->items[0].first };
	const struct memory_zone *zone = zone_of(&judge->then->ram.zones, &all);
	struct place place;
	bool spared;
	int r;

	if (!zone) {
		SAY(ret->reason, "%s",
		    NO_PAGE "it is not within one zone of the saved kernel's memory, and some may "
			    "be used before it can be offlined");
		return 0;
	}
	r = is_spared(judge, free, zone, &spared);
	if (r == 0)
		r = look_at(judge, free, zone, &place);
	if (r < 0)
		return r;
	/* Larger blocks are split when smaller ones run out; these must suffice for one refill of a
	 * list. */
	spared = spared && small_pieces(&place) >= CHANCE_PAGES;
	for (size_t i = 0; i < claimed->count && !ret->reason[0]; i++)
		judge_run(judge, &place, spared, &claimed->items[i], ret);
	free_place(&place);
	return 0;
}

int judge_free_frames(const struct judge *judge, struct frame_list *ret)
{
	const struct frame_list held = {
		.items = (struct frame_range *)judge->image->ranges, /* only read */
		.count = judge->image->range_count,
	};
	const struct frame_list poisoned = {
		.items = judge->then->ram.poisoned.items,
		.count = judge->then->ram.poisoned.count,
	};
	struct frame_list rest = { 0 };
	int r = frames_select(&judge->then_ram, &held, false, &rest);

	if (r == 0)
		r = frames_select(&rest, &poisoned, false, ret);
	free(rest.items);
	return r;
}

int judge_quarantine(const struct judge *judge, const struct frame_list *free_frames,
		     const struct frame_range *run, struct quarantine_doubt *ret)
{
	const struct frame_list within_run = { (struct frame_range *)run, 1 };
	struct frame_list claimed = { 0 };
	int r;

	ret->reason[0] = '\0';
	if (!judge->then->ram.zones.items.known) {
		SAY(ret->reason, "%s",
		    NO_PAGE "it does not record the zones of the saved kernel, which may use some "
			    "of it before it can be offlined");
		return 0;
	}
	r = frames_select(&judge->verdict->plan.quarantine, &within_run, true, &claimed);
	if (r == 0 && claimed.count > 0)
		r = judge_claimed(judge, free_frames, &claimed, ret);
	free(claimed.items);
	return r;
}
