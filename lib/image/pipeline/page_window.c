/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/pipeline/page_window.h"

#include "base/bytes.h"

#include <stdbool.h>

/* Clusters have 256 or 512 pages, so allocation that rotates through them nearly always jumps
 * farther than this; in a fragmented area it does not. */
#define FAR_PAGES 128u

/* If this share of pages or more is far from the previous one, take more; and the factor of growth
 * each time. */
#define FAR_SHARE 4
#define GROWTH 16

static bool is_far(const struct page_window *window, uint64_t from, uint64_t to)
{
	return to < from || to - from > FAR_PAGES * window->page_size;
}

/* Shellsort works in place: no memory can be allocated while a snapshot exists. */
static void sort(uint64_t *pages, size_t count)
{
	size_t gap = 1;

	while (gap < count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3)
		for (size_t i = gap; i < count; i++) {
			uint64_t page = pages[i];
			size_t at = i;

			for (; at >= gap && pages[at - gap] > page; at -= gap)
				pages[at] = pages[at - gap];
			pages[at] = page;
		}
}

/* How many to take next: all that fit the memory, or a few. */
static void choose_size(struct page_window *window, size_t far)
{
	if (window->count < PAGE_WINDOW_FIRST)
		return; /* too few to judge */
	if (far < window->count / FAR_SHARE)
		window->size = PAGE_WINDOW_FIRST;
	else
		window->size = (size_t)min_u64(GROWTH * window->size, window->max);
}

static int fill(struct page_window *window)
{
	uint64_t wanted = max_u64(window->left, PAGE_WINDOW_FIRST);
	size_t size = (size_t)min_u64(min_u64(window->size, wanted), window->max);
	size_t far = 0;
	bool sorted = true;
	int r = 0;

	window->next = window->count = 0;
	while (window->count < size) {
		uint64_t *page = &window->pages[window->count];

		r = window->source.allocate(window->source.context, page);
		if (r < 0)
			break;
		if (window->count > 0) {
			far += is_far(window, page[-1], page[0]);
			sorted = sorted && page[0] > page[-1];
		}
		window->count++;
	}
	choose_size(window, far);
	if (!sorted)
		sort(window->pages, window->count);
	return window->count > 0 ? 0 : r;
}

static int allocate(void *context, uint64_t *ret)
{
	struct page_window *window = context;
	int r = window->next == window->count ? fill(window) : 0;

	if (r < 0)
		return r;
	*ret = window->pages[window->next++];
	window->left -= window->left > 0;
	return 0;
}

struct page_allocator page_window_begin(struct page_window *window,
					const struct page_allocator *source, size_t page_size,
					uint64_t wanted)
{
	window->source = *source;
	window->page_size = page_size;
	window->size = PAGE_WINDOW_FIRST;
	window->next = window->count = 0;
	window->left = wanted;
	return (struct page_allocator){ .allocate = allocate, .context = window };
}
