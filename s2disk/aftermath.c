/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "aftermath.h"

#include "base/io.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "platform/offlined.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SOFT_OFFLINE "/sys/devices/system/memory/soft_offline_page"

/* A free page is refused when it gets to one processor's list of free pages in
 * that moment: the kernel empties the lists before it takes the page, and they
 * may be filled again meanwhile (__page_handle_poison(), mm/memory-failure.c). */
#define PASSES 3

/* Pages that are still to be taken, and why the last try failed. */
struct wanted {
	uint64_t address[HANDOVER_PAGES_MAX];
	int error[HANDOVER_PAGES_MAX];
	size_t count;
};

static void collect(const struct handover *handover, size_t page_size, struct wanted *wanted)
{
	for (uint32_t i = 0; i < handover->quarantine_count; i++) {
		const struct handover_range *range = &handover->quarantine[i];

		for (uint64_t n = 0; n < range->count && wanted->count < HANDOVER_PAGES_MAX; n++)
			wanted->address[wanted->count++] = (range->first + n) * page_size;
	}
}

/* Asks for each once; those that were not given stay, in their order. The kernel
 * says yes also to one that it poisoned itself, for an error, and goes on using. */
static void take_pages(struct wanted *wanted, const char *root, size_t page_size,
		       struct offlined_pages *offlined)
{
	size_t left = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		uint64_t frame = wanted->address[i] / page_size;
		bool fresh = offlined_is_poisoned(root, frame) == 0;
		char text[32];
		int r;

		snprintf(text, sizeof(text), "0x%" PRIx64 "\n", wanted->address[i]);
		r = io_write_text(root, SOFT_OFFLINE, text);
		if (r == 0 && fresh && offlined->count < HANDOVER_PAGES_MAX)
			offlined->frames[offlined->count++] = frame;
		if (r == 0)
			continue;
		wanted->address[left] = wanted->address[i];
		wanted->error[left++] = r;
	}
	wanted->count = left;
}

uint64_t aftermath_quarantine(const struct handover *handover, const char *root, size_t page_size,
			      struct offlined_pages *ret)
{
	struct wanted wanted = { .count = 0 };
	uint64_t all, taken;

	collect(handover, page_size, &wanted);
	all = wanted.count;
	for (int pass = 0; pass < PASSES && wanted.count > 0; pass++)
		take_pages(&wanted, root, page_size, ret);
	for (size_t i = 0; i < wanted.count; i++)
		log_warning("the page at 0x%" PRIx64 ", which the firmware claims since this boot, "
			    "could not be taken out of use: %s; reboot when you can",
			    wanted.address[i], strerror(-wanted.error[i]));
	taken = all - wanted.count;
	if (taken > 0)
		log_notice("%" PRIu64 " page%s that the firmware claims since this boot %s out "
			   "of use",
			   taken, taken == 1 ? "" : "s", taken == 1 ? "is" : "are");
	return taken;
}

void aftermath_describe(char *buffer, size_t size, uint64_t stream, uint64_t stored, uint64_t usec)
{
	char a[24], b[24];

	snprintf(buffer, size, "%s of memory as %s (%.2f:1), written in %.1f s (%.0f MiB/s)",
		 text_size(stream, a, sizeof(a)), text_size(stored, b, sizeof(b)),
		 stored ? (double)stream / (double)stored : 0, (double)usec / 1e6,
		 mib_per_second(stream, usec));
}

void aftermath_report(struct handover *handover)
{
	char text[200];

	for (char *line = strtok(handover->text, "\n"); line; line = strtok(NULL, "\n"))
		log_notice("resume: %s", line);
	aftermath_describe(text, sizeof(text), handover->stream_bytes, handover->stored_bytes,
			   handover->write_usec);
	log_notice("resumed: %s, loaded in %.1f s (%.0f MiB/s)%s", text,
		   (double)handover->load_usec / 1e6,
		   mib_per_second(handover->stream_bytes, handover->load_usec),
		   handover->attempts > 1 ? ", not at the first attempt" : "");
}
