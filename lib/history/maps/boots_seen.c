/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/maps/boots_seen.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

void boots_seen_free(struct boots_seen *seen)
{
	for (size_t i = 0; i < seen->items.count; i++)
		boot_memory_free(&seen->items.items[i].memory);
	list_free(&seen->items);
}

static bool same_tables(const struct boot_memory *a, const struct boot_memory *b)
{
	return a->tables.known == b->tables.known && a->tables.count == b->tables.count &&
	       boot_tables_equal(a->tables.items, a->tables.count, b->tables.items,
				 b->tables.count);
}

/* In all but the time? */
static bool same_boot(const struct boot_memory *a, const struct boot_memory *b)
{
	return strcmp(a->machine, b->machine) == 0 && strcmp(a->firmware, b->firmware) == 0 &&
	       strcmp(a->boot_files, b->boot_files) == 0 && strcmp(a->loader, b->loader) == 0 &&
	       a->memory == b->memory && a->log_start == b->log_start && a->log_end == b->log_end &&
	       memory_map_equal(&a->map, &b->map) && same_tables(a, b);
}

static int copy_boot(const struct boot_memory *boot, struct boot_memory *ret)
{
	struct boot_memory copy = *boot;
	int r;

	copy.map = (struct memory_map){ 0 };
	copy.tables.items = NULL;
	copy.tables.count = 0;
	r = memory_map_copy(&boot->map, &copy.map);
	for (size_t i = 0; r == 0 && i < boot->tables.count; i++)
		r = list_append(&copy.tables, boot->tables.items[i]);
	if (r < 0) {
		boot_memory_free(&copy);
		return r;
	}
	*ret = copy;
	return 0;
}

static void remove_at(struct boots_seen *seen, size_t at)
{
	memmove(&seen->items.items[at], &seen->items.items[at + 1],
		(--seen->items.count - at) * sizeof(seen->items.items[0]));
}

/* Counts the equal one, and makes it the last. */
static void count_at(struct boots_seen *seen, size_t at, uint64_t time)
{
	struct boot_seen again = seen->items.items[at];

	again.memory.time = time;
	if (again.boots < BOOTS_SEEN_TIMES_MAX)
		again.boots++;
	remove_at(seen, at);
	seen->items.items[seen->items.count++] = again;
}

int boots_seen_add(struct boots_seen *seen, const struct boot_memory *boot,
		   enum boot_outcome outcome)
{
	struct boot_seen new = { .outcome = outcome, .boots = 1 };
	int r;

	if (boot->map.entries.count == 0)
		return 0;
	for (size_t i = 0; i < seen->items.count; i++) {
		if (seen->items.items[i].outcome == outcome &&
		    same_boot(&seen->items.items[i].memory, boot)) {
			count_at(seen, i, boot->time);
			return 0;
		}
	}
	r = copy_boot(boot, &new.memory);
	if (r == 0)
		r = list_append(&seen->items, new);
	if (r < 0) {
		boot_memory_free(&new.memory);
		return r;
	}
	if (seen->items.count > BOOTS_SEEN_MAX) {
		boot_memory_free(&seen->items.items[0].memory);
		remove_at(seen, 0);
	}
	return 0;
}

void boots_seen_refuse_all(struct boots_seen *seen)
{
	for (size_t i = 0; i < seen->items.count; i++)
		seen->items.items[i].outcome = BOOT_REFUSED;
}

int boots_seen_count(const struct boots_seen *seen, struct map_history *history)
{
	uint64_t skip = 0;
	int r = 0;

	for (size_t i = 0; i < seen->items.count; i++)
		skip += seen->items.items[i].boots;
	skip -= min_u64(skip, BOOTS_SEEN_TIMES_MAX);
	for (size_t i = 0; r == 0 && i < seen->items.count; i++) {
		const struct boot_seen *boot = &seen->items.items[i];
		uint64_t skipped = min_u64(skip, boot->boots);

		skip -= skipped;
		for (uint64_t n = skipped; r == 0 && n < boot->boots; n++)
			r = map_history_count(history, &boot->memory, boot->outcome);
	}
	return r;
}
