/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quarantine.h"

#include "base/log.h"
#include "platform/memory/offlined.h"
#include "platform/memory/offlined_own.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A free page is refused if it is on a processor's list of free pages at that moment: the kernel
 * drains these lists first, but they may be refilled meanwhile (__page_handle_poison(),
 * mm/memory-failure.c). */
#define PASSES 3

void quarantine_begin(struct quarantine *quarantine, const struct handover *handover)
{
	quarantine->count = 0;
	for (uint32_t i = 0; i < handover->quarantine_count; i++) {
		const struct handover_range *range = &handover->quarantine[i];

		for (uint64_t n = 0; n < range->count && quarantine->count < HANDOVER_PAGES_MAX;
		     n++)
			quarantine->items[quarantine->count++] = (struct quarantine_frame){
				.frame = range->first + n,
				.error = -EAGAIN,
			};
	}
}

/* The kernel also accepts a page that it poisoned itself, after an error, and keeps using. */
static void take(struct quarantine_frame *item, const struct offlined_access *access,
		 size_t page_size)
{
	bool fresh = offlined_is_poisoned(access, item->frame) == 0;

	if (offlined_is_used(access, item->frame) > 0)
		item->used = true;
	item->error = offlined_ask(access, item->frame, page_size);
	item->own = item->error == 0 && fresh;
}

void quarantine_take(struct quarantine *quarantine, const char *root, size_t page_size)
{
	bool refused = quarantine->count > 0;
	struct offlined_access access;

	if (!refused)
		return;
	offlined_open(root, &access);
	for (int pass = 0; pass < PASSES && refused; pass++) {
		refused = false;
		for (size_t i = 0; i < quarantine->count; i++) {
			if (quarantine->items[i].error == 0)
				continue;
			take(&quarantine->items[i], &access, page_size);
			refused |= quarantine->items[i].error < 0;
		}
	}
	offlined_close(&access);
}

uint64_t quarantine_taken(const struct quarantine *quarantine)
{
	uint64_t taken = 0;

	for (size_t i = 0; i < quarantine->count; i++)
		taken += quarantine->items[i].error == 0;
	return taken;
}

void quarantine_note(const struct quarantine *quarantine, const char *root)
{
	uint64_t frames[HANDOVER_PAGES_MAX];
	struct why w = { 0 };
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < quarantine->count; i++)
		if (quarantine->items[i].own)
			frames[count++] = quarantine->items[i].frame;
	if (count > 0)
		r = offlined_own_add(root, frames, count, &w);
	if (r < 0)
		log_warning("%s; the next image may include page frames that are offlined now",
			    why_text(&w, r));
}

static void report_frame(const struct quarantine_frame *item, size_t page_size)
{
	uint64_t address = item->frame * page_size;

	if (item->error < 0)
		log_error("the page at 0x%" PRIx64 ", which the firmware claims since this boot, "
			  "could not be offlined: %s",
			  address, strerror(-item->error));
	else
		log_error("the page at 0x%" PRIx64 ", which the firmware claims since this boot, "
			  "was offlined only now: the kernel had used it",
			  address);
}

void quarantine_report(const struct quarantine *quarantine, size_t page_size, char *alarm,
		       size_t size)
{
	uint64_t taken = quarantine_taken(quarantine), bad = 0, first = 0;

	for (size_t i = 0; i < quarantine->count; i++) {
		const struct quarantine_frame *item = &quarantine->items[i];

		if (item->error == 0 && !item->used)
			continue;
		if (bad++ == 0)
			first = item->frame * page_size;
		report_frame(item, page_size);
	}
	if (taken > 0)
		log_notice("%" PRIu64
			   " page%s that the firmware claims since this boot %s offlined",
			   taken, taken == 1 ? "" : "s", taken == 1 ? "is" : "are");
	alarm[0] = '\0';
	if (bad > 0)
		snprintf(alarm, size,
			 "The kernel and the firmware may use the same memory (%" PRIu64
			 " page%s, the first at 0x%" PRIx64
			 "), and damage each other's data. Save your work and reboot now.",
			 bad, bad == 1 ? "" : "s", first);
}
