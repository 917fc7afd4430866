/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_text.h"

#include "base/text.h"
#include "release/nvidia.h"
#include "release/release_child.h"

#include <inttypes.h>
#include <string.h>

#define WHAT_SIZE 200
#define ITEM_SIZE 420
#define REST_SIZE 24 /* " and 1234 more" */

static bool is_of(const struct release_entry *entry, enum release_which which)
{
	switch (which) {
	case RELEASE_ALL_FREE:
		return !entry->blocked[0];
	case RELEASE_ALL_TAKEN:
		return entry->taken;
	case RELEASE_ALL_LASTING:
		return !entry->blocked[0] && entry->lasting;
	case RELEASE_ALL_PASSING:
		return !entry->blocked[0] && !entry->lasting;
	case RELEASE_ALL_BLOCKED:
		return entry->blocked[0];
	case RELEASE_ALL_REFUSING:
		return entry->blocked[0] && entry->needed;
	case RELEASE_ALL_WAITING:
		return release_child_runs(entry->waiting);
	case RELEASE_ALL_STAYING:
		return entry->blocked[0] && !entry->needed && !release_child_runs(entry->waiting);
	}
	return false;
}

/* How many entries, from this one on, are blocks of one piece. */
static size_t same_piece(const struct release_plan *plan, size_t first, enum release_which which)
{
	const struct release_entry *entries = plan->entries.items;
	size_t n = 1;

	if (entries[first].kind != RELEASE_OFFLINE)
		return 1;
	while (first + n < plan->entries.count && entries[first + n].kind == RELEASE_OFFLINE &&
	       entries[first + n].group == entries[first].group &&
	       is_of(&entries[first + n], which))
		n++;
	return n;
}

static void describe(const struct release_plan *plan, size_t first, size_t count, char *text,
		     size_t size)
{
	const struct release_entry *entry = &plan->entries.items[first];
	uint64_t bytes = 0;

	if (entry->kind != RELEASE_OFFLINE) {
		snprintf(text, size, "%s%s%s%s", entry->what, *entry->note ? " (" : "", entry->note,
			 *entry->note ? ")" : "");
		return;
	}
	for (size_t i = first; i < first + count; i++)
		bytes += plan->entries.items[i].end - plan->entries.items[i].start + 1;
	snprintf(text, size, "%" PRIu64 " MiB of memory at 0x%" PRIx64, bytes >> 20, entry->start);
}

size_t release_text(const struct release_plan *plan, enum release_which which, char *buffer,
		    size_t size)
{
	size_t items = 0, shown = 0, used = 0, count;

	buffer[0] = '\0';
	for (size_t i = 0; i < plan->entries.count; i += count) {
		const struct release_entry *entry = &plan->entries.items[i];
		bool why = entry->blocked[0];
		char what[WHAT_SIZE], text[ITEM_SIZE];

		count = 1;
		if (!is_of(entry, which))
			continue;
		count = same_piece(plan, i, which);
		items++;
		describe(plan, i, count, what, sizeof(what));
		snprintf(text, sizeof(text), "%s%s%s%s", used ? ", " : "", what, why ? ": " : "",
			 why ? entry->blocked : "");
		if (shown + 1 < items || used + strlen(text) + REST_SIZE >= size)
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s", text);
		shown++;
	}
	if (shown < items)
		snprintf(buffer + used, size - used, "%s%zu more", used ? " and " : "",
			 items - shown);
	return items;
}

static const char *step_words(enum release_kind kind)
{
	switch (kind) {
	case RELEASE_UNBIND:
		return "unbind";
	case RELEASE_REMOVE:
		return "remove";
	case RELEASE_OFFLINE:
		return "offline";
	case RELEASE_UNLOAD:
		return "unload";
	}
	return "release";
}

void release_print(const struct release_plan *plan, const char *root, FILE *out)
{
	size_t count;

	for (size_t i = 0; i < plan->entries.count; i += count) {
		const struct release_entry *entry = &plan->entries.items[i];
		bool blocked = entry->blocked[0];
		char what[WHAT_SIZE], line[900];

		count = same_piece(plan, i, blocked ? RELEASE_ALL_BLOCKED : RELEASE_ALL_FREE);
		describe(plan, i, count, what, sizeof(what));
		snprintf(line, sizeof(line), "would %s%s %s%s%s%s: %s (%s)%s%s",
			 blocked ? "not " : "", step_words(entry->kind), what,
			 entry->kind == RELEASE_UNBIND ? " from " : "",
			 entry->kind == RELEASE_UNBIND ? entry->driver : "",
			 !blocked && entry->lasting ? ", until the next boot" : "", entry->reason,
			 entry->source, blocked ? "; " : "", entry->blocked);
		text_make_printable(line);
		fprintf(out, "%s\n", line);
	}
	if (nvidia_preserves(root))
		fprintf(out, "would suspend the driver nvidia: it preserves video memory (%s)\n",
			RELEASE_BUILT_IN);
}
