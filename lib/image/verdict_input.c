/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/verdict_input.h"

#include "format/page_ranges.h"

#include <errno.h>
#include <stdlib.h>

static int list_pages(struct page_ranges *ranges, struct frame_list *ret)
{
	uint64_t first, count;

	/* Bounded by the size of the section, which is in memory. */
	ret->items = calloc(ranges->ranges + 1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	while (page_ranges_next(ranges, &first, &count))
		ret->items[ret->count++] = (struct frame_range){ first, count };
	return 0;
}

int verdict_input_open(const struct sections *sections, struct verdict_input *ret, struct why *w)
{
	struct verdict_input input = { 0 };
	struct page_ranges ranges;
	int r = page_ranges_open(&ranges, sections->page_ranges.data, sections->page_ranges.size,
				 w);

	if (r < 0)
		return r;
	input.image = (struct verdict_image){
		.coarse = ranges.coarse,
		.zero_pages = ranges.zero_pages,
		.header = sections->kernel_header.data,
		.header_length = sections->kernel_header.size,
	};
	r = list_pages(&ranges, &input.pages);
	if (r == 0 && sections->platform.data) {
		input.described = true;
		r = platform_decode(sections->platform.data, sections->platform.size,
				    &input.platform, w);
	}
	if (r < 0) {
		verdict_input_close(&input);
		return r;
	}
	input.image.ranges = input.pages.items;
	input.image.range_count = input.pages.count;
	*ret = input;
	return 0;
}

void verdict_input_close(struct verdict_input *input)
{
	platform_free(&input->platform);
	free(input->pages.items);
	input->pages = (struct frame_list){ 0 };
}
