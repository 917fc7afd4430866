/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/frames.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t last_of(const struct frame_range *range)
{
	return range->first + (range->count - 1);
}

void frames_free(struct frame_list *list)
{
	free(list->items);
	*list = (struct frame_list){ 0 };
}

bool frames_valid(const struct frame_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t last;

		if (ranges[i].count == 0 ||
		    !checked_add(ranges[i].first, ranges[i].count - 1, &last))
			return false;
		if (i > 0 && ranges[i].first <= last_of(&ranges[i - 1]))
			return false;
	}
	return true;
}

uint64_t frames_total(const struct frame_range *ranges, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		if (!checked_add(total, ranges[i].count, &total))
			return UINT64_MAX;
	return total;
}

/* Index of the first range that ends at or after frame. */
static size_t find_from(const struct frame_range *ranges, size_t count, uint64_t frame)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (last_of(&ranges[middle]) < frame)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t frames_within(const struct frame_range *ranges, size_t count, uint64_t first,
		       uint64_t last)
{
	uint64_t pages = 0;

	if (first > last)
		return 0;
	for (size_t i = find_from(ranges, count, first); i < count && ranges[i].first <= last;
	     i++) {
		uint64_t from = max_u64(ranges[i].first, first);
		uint64_t to = min_u64(last_of(&ranges[i]), last);

		if (!checked_add(pages, to - from, &pages) || !checked_add(pages, 1, &pages))
			return UINT64_MAX;
	}
	return pages;
}

uint64_t frames_in_bytes(const struct frame_range *ranges, size_t count, uint64_t page_size,
			 uint64_t start, uint64_t end)
{
	return frames_within(ranges, count, start / page_size, end / page_size);
}

int frames_append(struct frame_list *list, uint64_t first, uint64_t count)
{
	struct frame_range *last = list->count ? &list->items[list->count - 1] : NULL;

	if (count == 0)
		return 0;
	if (last && last_of(last) != UINT64_MAX && last_of(last) + 1 == first) {
		last->count += count;
		return 0;
	}
	/* Capacities are powers of two, so the count shows when one is full. */
	if (list->count == 0 || is_power_of_two(list->count)) {
		size_t capacity = list->count ? list->count * 2 : 1;
		struct frame_range *items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
	}
	list->items[list->count++] = (struct frame_range){ first, count };
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	uint64_t x = ((const struct frame_range *)a)->first;
	uint64_t y = ((const struct frame_range *)b)->first;

	return (x > y) - (x < y);
}

void frames_normalize(struct frame_list *list)
{
	size_t used = 0;

	if (list->count < 2)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_ranges);
	for (size_t i = 1; i < list->count; i++) {
		struct frame_range *into = &list->items[used];
		const struct frame_range *from = &list->items[i];

		if (last_of(into) != UINT64_MAX && from->first > last_of(into) + 1)
			list->items[++used] = *from;
		else if (last_of(from) > last_of(into))
			into->count = last_of(from) - into->first + 1;
	}
	list->count = used + 1;
}

/* Splits one range of a along b, from b's index *at onwards. */
static int select_one(struct frame_range range, const struct frame_list *b, size_t *at, bool wanted,
		      struct frame_list *ret)
{
	uint64_t from = range.first, last = last_of(&range);
	int r = 0;

	while (*at < b->count && last_of(&b->items[*at]) < from)
		(*at)++;
	for (size_t i = *at; r == 0 && i < b->count && b->items[i].first <= last; i++) {
		uint64_t hit = max_u64(b->items[i].first, from);
		uint64_t hit_last = min_u64(last_of(&b->items[i]), last);

		r = wanted ? frames_append(ret, hit, hit_last - hit + 1)
			   : frames_append(ret, from, hit - from);
		if (hit_last == last)
			return r;
		from = hit_last + 1;
	}
	if (r == 0 && !wanted)
		r = frames_append(ret, from, last - from + 1);
	return r;
}

int frames_select(const struct frame_list *a, const struct frame_list *b, bool wanted,
		  struct frame_list *ret)
{
	struct frame_list list = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (select_one(a->items[i], b, &at, wanted, &list) < 0) {
			free(list.items);
			return -ENOMEM;
		}
	}
	*ret = list;
	return 0;
}
