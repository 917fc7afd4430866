/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image_machine.h"

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

int image_machine_open(const struct sections *sections, struct image_machine *ret, struct why *w)
{
	struct image_machine machine = { 0 };
	struct page_ranges ranges;
	int r = page_ranges_open(&ranges, sections->page_ranges.data, sections->page_ranges.size,
				 w);

	if (r < 0)
		return r;
	machine.image = (struct verdict_image){
		.coarse = ranges.coarse,
		.zero_pages = ranges.zero_pages,
		.header = sections->kernel_header.data,
		.header_length = sections->kernel_header.size,
	};
	r = list_pages(&ranges, &machine.pages);
	if (r == 0 && sections->platform.data) {
		machine.described = true;
		r = platform_decode(sections->platform.data, sections->platform.size,
				    &machine.platform, w);
	}
	if (r < 0) {
		image_machine_close(&machine);
		return r;
	}
	machine.image.ranges = machine.pages.items;
	machine.image.range_count = machine.pages.count;
	*ret = machine;
	return 0;
}

void image_machine_close(struct image_machine *machine)
{
	platform_free(&machine->platform);
	free(machine->pages.items);
	machine->pages = (struct frame_list){ 0 };
}
