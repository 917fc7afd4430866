/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep_free_offline.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A free page may be refused by chance: see quarantine.c. */
#define PASSES 3

/* Before another one, for pages that are read or written: 20 ms. */
#define PAUSE_NSEC 20000000

enum outcome {
	OUTCOME_NOT_TRIED,
	OUTCOME_KEPT,
	OUTCOME_REFUSED,
	OUTCOME_HUGE,
};

struct item {
	uint64_t frame;
	enum outcome outcome;
	bool fresh;    /* not poisoned before */
	bool hopeless; /* refused without a flag: not asked for again while it has none */
};

struct work {
	const struct drift *drift;
	struct frame_list wanted; /* of drift->keep, what the kernel has as RAM */
	struct item *items;
	size_t count;
	struct offlined_access access;
	uint64_t page_size, deadline;
	bool waiting; /* in this pass for a page that is read or written */
};

/* Whole frames for RAM; for offline memory those that are touched (blocks are whole anyway). */
static int frames_of(const struct byte_range *ranges, size_t count, uint64_t page_size,
		     struct frame_list *ret)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t first = div_round_up(ranges[i].start, page_size);
		uint64_t after =
			ranges[i].end / page_size + (ranges[i].end % page_size == page_size - 1);

		if (after > first && frames_append(ret, first, after - first) < 0)
			return -ENOMEM;
	}
	frames_normalize(ret);
	return 0;
}

/* What memmap= took from the kernel, and memory that is offline, is in no image. */
static int select_wanted(struct work *work, const struct ram *ram)
{
	_cleanup_frames_ struct frame_list used = { 0 }, offline = { 0 }, there = { 0 };
	int r = frames_of(ram->used.items, ram->used.count, work->page_size, &used);

	if (r == 0)
		r = frames_of(ram->offline.items, ram->offline.count, work->page_size, &offline);
	if (r == 0)
		r = frames_select(&used, &offline, false, &there);
	return r < 0 ? r : frames_select(&work->drift->keep, &there, true, &work->wanted);
}

static void add_items(struct work *work, const struct frame_list *frames)
{
	for (size_t i = 0; i < frames->count; i++)
		for (uint64_t n = 0; n < frames->items[i].count; n++)
			work->items[work->count++] =
				(struct item){ .frame = frames->items[i].first + n };
}

/* In the order of the places, then what surrounds them. */
static int list_items(struct work *work)
{
	uint64_t total = frames_total(work->wanted.items, work->wanted.count);
	_cleanup_frames_ struct frame_list places = { 0 }, beside = { 0 };

	work->items = reallocarray(NULL, total + 1, sizeof(*work->items));
	if (!work->items)
		return -ENOMEM;
	for (size_t i = 0; i < work->drift->places.count; i++) {
		const struct frame_list place = { &work->drift->places.items[i].frames, 1 };
		_cleanup_frames_ struct frame_list inside = { 0 };

		if (frames_select(&work->wanted, &place, true, &inside) < 0 ||
		    frames_append(&places, place.items->first, place.items->count) < 0)
			return -ENOMEM;
		add_items(work, &inside);
	}
	frames_normalize(&places);
	if (frames_select(&work->wanted, &places, false, &beside) < 0)
		return -ENOMEM;
	add_items(work, &beside);
	return 0;
}

/* Some kernels say yes to a page that they have moved and then could not take. */
static enum outcome ask(struct work *work, struct item *item)
{
	if (offlined_ask(&work->access, item->frame, work->page_size) < 0)
		return OUTCOME_REFUSED;
	return offlined_is_poisoned(&work->access, item->frame) == 0 ? OUTCOME_REFUSED
								     : OUTCOME_KEPT;
}

/* One try. What the kernel offlined before needs no request; where it would wait for a page, or
 * refuse, none is made. A page of its own it tries to release, drains lists for it on all
 * processors, and refuses: once is enough. */
static void take(struct work *work, struct item *item)
{
	switch (offlined_prospect(&work->access, item->frame)) {
	case PROSPECT_POISONED:
		item->outcome = OUTCOME_KEPT;
		return;
	case PROSPECT_HUGE:
		item->outcome = OUTCOME_HUGE;
		return;
	case PROSPECT_WAIT:
		work->waiting = true;
		/* fall through */
	case PROSPECT_KERNELS:
		item->outcome = OUTCOME_REFUSED;
		return;
	case PROSPECT_NO_FLAG:
		if (!item->hopeless)
			item->outcome = ask(work, item);
		item->hopeless = item->outcome == OUTCOME_REFUSED;
		return;
	default:
		item->outcome = ask(work, item);
	}
}

/* Returns whether there was time for all. */
static bool take_all(struct work *work)
{
	for (int pass = 0; pass < PASSES; pass++) {
		if (work->waiting)
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NSEC }, NULL);
		work->waiting = false;
		for (size_t i = 0; i < work->count; i++) {
			struct item *item = &work->items[i];

			if (item->outcome != OUTCOME_NOT_TRIED && item->outcome != OUTCOME_REFUSED)
				continue;
			if (now_usec() >= work->deadline)
				return pass > 0;
			take(work, item);
		}
	}
	return true;
}

/* Noted before they are asked for: if this program ends halfway, what is offlined is known as its
 * own. */
static void note_own(const char *root, struct work *work)
{
	_cleanup_free_ uint64_t *frames = reallocarray(NULL, work->count + 1, sizeof(*frames));
	struct why w = { 0 };
	size_t count = 0;
	int r = frames ? 0 : -ENOMEM;

	for (size_t i = 0; i < work->count; i++)
		work->items[i].fresh =
			offlined_is_poisoned(&work->access, work->items[i].frame) == 0;
	for (size_t i = 0; r == 0 && i < work->count; i++)
		if (work->items[i].fresh)
			frames[count++] = work->items[i].frame;
	if (r == 0 && count > 0)
		r = offlined_own_add(root, frames, count, &w);
	if (r < 0)
		log_warning("%s; the next image may include page frames that are offlined now",
			    why_text(&w, r));
}

/* What the kernel did not release is no frame of this program: the kernel may poison it after an
 * error, and go on using it. */
static void disown_refused(const char *root, const struct work *work)
{
	_cleanup_frames_ struct frame_list refused = { 0 };
	struct why w = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < work->count; i++)
		if (work->items[i].fresh && work->items[i].outcome != OUTCOME_KEPT)
			r = frames_append(&refused, work->items[i].frame, 1);
	frames_normalize(&refused);
	if (r == 0 && refused.count > 0)
		r = offlined_own_remove(root, &refused, &w);
	if (r < 0)
		log_warning("%s; it has page frames that the kernel did not release",
			    why_text(&w, r));
}

static int collect(const struct work *work, enum outcome outcome, struct frame_list *ret)
{
	for (size_t i = 0; i < work->count; i++)
		if (work->items[i].outcome == outcome &&
		    frames_append(ret, work->items[i].frame, 1) < 0)
			return -ENOMEM;
	frames_normalize(ret);
	return 0;
}

/* A margin that the kernel holds is no loss that is known. */
static int only_in_places(const struct drift *drift, struct frame_list *frames)
{
	_cleanup_frames_ struct frame_list places = { 0 };
	struct frame_list inside = { 0 };

	for (size_t i = 0; i < drift->places.count; i++)
		if (frames_append(&places, drift->places.items[i].frames.first,
				  drift->places.items[i].frames.count) < 0)
			return -ENOMEM;
	frames_normalize(&places);
	if (frames_select(frames, &places, true, &inside) < 0)
		return -ENOMEM;
	frames_free(frames);
	*frames = inside;
	return 0;
}

/* The places that have one of these frames. */
static int add_places(const struct drift *drift, const struct frame_list *frames,
		      struct frame_list *ret)
{
	for (size_t i = 0; i < drift->places.count; i++) {
		const struct frame_range *place = &drift->places.items[i].frames;

		if (frames_within(frames->items, frames->count, place->first,
				  place->first + place->count - 1) > 0 &&
		    frames_append(ret, place->first, place->count) < 0)
			return -ENOMEM;
	}
	frames_normalize(ret);
	return 0;
}

static int describe(const struct work *work, struct kept_free *note)
{
	int r = collect(work, OUTCOME_KEPT, &note->kept);

	if (r == 0)
		r = collect(work, OUTCOME_REFUSED, &note->held);
	if (r == 0)
		r = collect(work, OUTCOME_HUGE, &note->huge);
	if (r == 0)
		r = only_in_places(work->drift, &note->held);
	if (r == 0)
		r = only_in_places(work->drift, &note->huge);
	if (r == 0)
		r = add_places(work->drift, &note->held, &note->places);
	if (r == 0)
		r = add_places(work->drift, &note->huge, &note->places);
	return r;
}

int keep_free_offline(const char *root, const struct drift *drift, const struct ram *ram,
		      uint64_t usec, struct kept_free *ret)
{
	struct work work = { .drift = drift,
			     .page_size = ram->pages.page_size,
			     .deadline = now_usec() + usec };
	struct kept_free note = { 0 };
	int r = select_wanted(&work, ram);

	if (r == 0)
		r = list_items(&work);
	if (r == 0 && work.count > 0) {
		offlined_open(root, &work.access);
		note_own(root, &work);
		note.late = !take_all(&work);
		offlined_close(&work.access);
		disown_refused(root, &work);
		r = describe(&work, &note);
	}
	free(work.items);
	frames_free(&work.wanted);
	if (r < 0) {
		kept_free_free(&note);
		return r;
	}
	*ret = note;
	return 0;
}
