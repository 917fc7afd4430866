/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A write that reached the disk, entirely or some sectors of it. */
struct arrival {
	const struct log_entry *write;
	uint64_t tear; /* 0: all sectors; otherwise a random choice of them */
};

struct crash {
	struct disk_state *state;
	const struct crash_options *options;
	struct crash_report *report;
	struct why *why;
	uint64_t random;

	const struct log_entry **pending; /* writes since the last flush */
	size_t pending_count;
	struct arrival *arrivals; /* a choice of them, in order */
	size_t arrival_count;
	unsigned char *undo; /* the bytes below the arrivals */
	size_t undo_size;
	unsigned char page[STATE_PAGE]; /* the area's first page with them applied */

	uint64_t epoch; /* flushes so far */
	uint64_t *seen; /* states verified in this epoch */
	size_t seen_count;
	bool live; /* the last durable state was an image, this one: */
	struct signature_record record;
};

static uint64_t next_random(struct crash *crash)
{
	crash->random ^= crash->random << 13;
	crash->random ^= crash->random >> 7;
	crash->random ^= crash->random << 17;
	return crash->random;
}

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash;
}

static bool sector_arrived(const struct arrival *arrival, uint64_t sector)
{
	uint64_t x = arrival->tear + sector * 0x9e3779b97f4a7c15u;

	return arrival->tear == 0 || ((x ^ x >> 31) * 0xbf58476d1ce4e5b9u >> 40 & 1);
}

/* Copies what arrived of a write to memory that represents `size` bytes of the disk from
 * `base` on. */
static void arrive(const struct arrival *arrival, unsigned char *memory, uint64_t base, size_t size)
{
	const struct log_entry *write = arrival->write;
	uint64_t at = write->offset, end = write->offset + write->length;

	while (at < end) {
		uint64_t next = min_u64((at / STATE_SECTOR + 1) * STATE_SECTOR, end);
		uint64_t first = max_u64(at, base), last = min_u64(next, base + size);

		if (first < last && sector_arrived(arrival, at / STATE_SECTOR))
			memcpy(memory + (first - base), write->data + (first - write->offset),
			       (size_t)(last - first));
		at = next;
	}
}

/* Does the area's first page depend on it? */
static bool touches_page(const struct crash *crash, const struct log_entry *write)
{
	uint64_t area = crash->state->area;

	return write->offset < area + STATE_PAGE && write->offset + write->length > area;
}

/* Choices that leave the same disk have the same number. */
static uint64_t choice_number(const struct crash *crash)
{
	uint64_t hash = mix(0xcbf29ce484222325u, &crash->epoch, sizeof(crash->epoch));

	hash = mix(hash, crash->page, STATE_PAGE);
	for (size_t i = 0; i < crash->arrival_count; i++)
		if (!touches_page(crash, crash->arrivals[i].write))
			hash = mix(hash, &crash->arrivals[i], sizeof(crash->arrivals[i]));
	return hash;
}

static int remember(struct crash *crash, uint64_t number, bool *ret_new)
{
	uint64_t *more;

	for (size_t i = 0; i < crash->seen_count; i++)
		if (crash->seen[i] == number) {
			*ret_new = false;
			return 0;
		}
	more = realloc(crash->seen, (crash->seen_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	crash->seen = more;
	crash->seen[crash->seen_count++] = number;
	*ret_new = true;
	return 0;
}

/* The live image of this choice: applies all of it to the disk, reads it, and removes it again. */
static int verify_choice(struct crash *crash, const struct signature_record *record)
{
	struct disk_state *state = crash->state;
	size_t needed = 0, at = 0;
	bool new = false;
	int r = remember(crash, choice_number(crash), &new);

	if (r < 0 || !new)
		return r;
	for (size_t i = 0; i < crash->arrival_count; i++)
		needed += crash->arrivals[i].write->length;
	if (needed > crash->undo_size) {
		unsigned char *more = realloc(crash->undo, needed);

		if (!more)
			return -ENOMEM;
		crash->undo = more;
		crash->undo_size = needed;
	}
	for (size_t i = 0; i < crash->arrival_count; i++) {
		const struct log_entry *write = crash->arrivals[i].write;

		memcpy(crash->undo + at, state->bytes + write->offset, write->length);
		at += write->length;
		arrive(&crash->arrivals[i], state->bytes, 0, state->size);
	}
	r = disk_verify_image(state, record, crash->why);
	for (size_t i = crash->arrival_count; i-- > 0;) {
		const struct log_entry *write = crash->arrivals[i].write;

		at -= write->length;
		memcpy(state->bytes + write->offset, crash->undo + at, write->length);
	}
	return r;
}

/* Judges the durable state with the arrivals on top. */
static int examine_choice(struct crash *crash)
{
	struct signature_record record;
	enum disk_kind kind;
	int r;

	memcpy(crash->page, crash->state->bytes + crash->state->area, STATE_PAGE);
	for (size_t i = 0; i < crash->arrival_count; i++)
		if (touches_page(crash, crash->arrivals[i].write))
			arrive(&crash->arrivals[i], crash->page, crash->state->area, STATE_PAGE);
	r = disk_examine_page(crash->state, crash->page, &kind, &record, crash->why);
	if (r == 0 && kind == DISK_IMAGE)
		r = verify_choice(crash, &record);
	if (r < 0)
		return r;
	if (kind == DISK_IMAGE)
		crash->report->image++;
	else
		crash->report->swap++;
	return 0;
}

static void choose(struct crash *crash, const struct log_entry *write, uint64_t tear)
{
	crash->arrivals[crash->arrival_count++] = (struct arrival){ write, tear };
}

/* All of the log up to here, then a power cut. */
static int examine_prefix(struct crash *crash)
{
	crash->arrival_count = 0;
	for (size_t i = 0; i < crash->pending_count; i++)
		choose(crash, crash->pending[i], 0);
	crash->report->prefixes++;
	return examine_choice(crash);
}

/* Each write since the last flush alone, and all except it. */
static int examine_singles(struct crash *crash)
{
	int r = 0;

	for (size_t i = 0; i < 2 * crash->pending_count && r == 0; i++) {
		crash->arrival_count = 0;
		for (size_t n = 0; n < crash->pending_count; n++)
			if ((n == i / 2) == (i % 2 == 0))
				choose(crash, crash->pending[n], 0);
		crash->report->single++;
		r = examine_choice(crash);
	}
	return r;
}

/* Some of them, in random order, some of them torn. */
static int examine_shuffle(struct crash *crash)
{
	uint64_t mode = next_random(crash);
	size_t first = (size_t)(next_random(crash) % (crash->pending_count + 1));
	/* Up to here, or all: writes long after a lost one may reach the disk too. */
	size_t end = mode & 1 ? first : crash->pending_count;

	crash->arrival_count = 0;
	for (size_t i = 0; i < end; i++) {
		uint64_t dice = next_random(crash);

		if ((dice >> 20 & 3) == 0)
			continue;
		choose(crash, crash->pending[i], (dice >> 24 & 3) == 0 ? dice | 1 : 0);
	}
	for (size_t i = crash->arrival_count; mode & 2 && i > 1; i--) {
		size_t other = (size_t)(next_random(crash) % i);
		struct arrival swapped = crash->arrivals[other];

		crash->arrivals[other] = crash->arrivals[i - 1];
		crash->arrivals[i - 1] = swapped;
	}
	crash->report->shuffled++;
	return examine_choice(crash);
}

/* What a power cut may leave of the writes since the last flush. */
static int examine_epoch(struct crash *crash)
{
	int r = crash->pending_count ? examine_singles(crash) : 0;

	for (unsigned int i = 0; i < crash->options->shuffles && r == 0 && crash->pending_count;
	     i++)
		r = examine_shuffle(crash);
	return r;
}

static void note_state(struct crash *crash, enum disk_kind kind,
		       const struct signature_record *record)
{
	char *story = crash->report->story, text[64];
	size_t used = strlen(story);
	const char *last = strrchr(story, ',');

	if (kind == DISK_SWAP)
		snprintf(text, sizeof(text), "swap");
	else
		snprintf(text, sizeof(text), "image %u/%" PRIu64, record->attempts,
			 signature_record_refusals(record));
	last = last ? last + 2 : story;
	if (strcmp(last, text) != 0)
		snprintf(story + used, CRASH_STORY_MAX - used, "%s%s", used ? ", " : "", text);
}

/* The durable content of the disk now. */
static int examine_durable(struct crash *crash)
{
	struct signature_record record;
	enum disk_kind kind;
	int r;

	crash->arrival_count = 0;
	r = examine_choice(crash);
	if (r < 0)
		return r;
	disk_examine_page(crash->state, crash->page, &kind, &record, NULL);
	note_state(crash, kind, &record);
	if (crash->live && kind == DISK_SWAP &&
	    disk_verify_handover(crash->state, &crash->record, NULL) == 0)
		crash->report->handed_over++;
	crash->live = kind == DISK_IMAGE;
	if (crash->live)
		crash->record = record;
	return 0;
}

static int flush(struct crash *crash)
{
	int r = examine_epoch(crash);

	if (r < 0)
		return r;
	for (size_t i = 0; i < crash->pending_count; i++) {
		const struct arrival all = { crash->pending[i], 0 };

		arrive(&all, crash->state->bytes, 0, crash->state->size);
	}
	crash->pending_count = 0;
	crash->epoch++;
	crash->seen_count = 0;
	return examine_durable(crash);
}

static int go_through(struct crash *crash, const struct write_log *log)
{
	int r = examine_durable(crash);

	for (size_t i = 0; i < log->count && r == 0; i++) {
		const struct log_entry *entry = &log->entries[i];

		if (entry->kind == LOG_WRITE) {
			crash->pending[crash->pending_count++] = entry;
			crash->report->writes++;
			r = examine_prefix(crash);
		} else {
			crash->report->flushes++;
			if (!crash->options->ignore_flushes)
				r = flush(crash);
		}
		if (r < 0)
			return why_prefix(crash->why, r, "entry %zu of %zu, seed %" PRIu64, i,
					  log->count, crash->options->seed);
	}
	/* What came after the last flush: eventually all of it arrives. */
	if (r == 0)
		r = flush(crash);
	return r < 0 ? why_prefix(crash->why, r, "after the last entry") : 0;
}

int crash_examine(struct disk_state *state, const struct write_log *log,
		  const struct crash_options *options, struct crash_report *ret, struct why *w)
{
	struct why own = { "" };
	struct crash crash = {
		.state = state,
		.options = options,
		.report = ret,
		.why = w ? w : &own,
		.random = options->seed ? options->seed : 1,
	};
	int r = -ENOMEM;

	*ret = (struct crash_report){ 0 };
	for (size_t i = 0; i < log->count; i++)
		if (log->entries[i].length > state->size ||
		    log->entries[i].offset > state->size - log->entries[i].length)
			return why(w, -EINVAL, "entry %zu is beyond the disk", i);
	crash.pending = calloc(log->count + 1, sizeof(struct log_entry *));
	crash.arrivals = calloc(log->count + 1, sizeof(*crash.arrivals));
	state->verified = 0;
	if (crash.pending && crash.arrivals)
		r = go_through(&crash, log);
	ret->verified = state->verified;
	free(crash.pending);
	free(crash.arrivals);
	free(crash.undo);
	free(crash.seen);
	return r;
}
