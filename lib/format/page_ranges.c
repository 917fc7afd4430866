/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_ranges.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

enum {
	AT_PAGES = 0,
	AT_RANGES = 8,
	AT_ZERO_PAGES = 16,
	AT_FLAGS = 24,
	FLAG_COARSE = 1,
	LEB128_MAX = 10,
};

static size_t put_leb128(unsigned char *at, uint64_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		at[n++] = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	at[n++] = (unsigned char)value;
	return n;
}

/* Moves *at past the number; -EBADMSG if it does not end or overflows. */
static int get_leb128(const unsigned char **at, const unsigned char *end, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		unsigned char byte;

		if (*at == end)
			return -EBADMSG;
		byte = *(*at)++;
		if (shift == 63 && byte > 1)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

void range_collector_init(struct range_collector *collector, void *buffer, size_t size)
{
	*collector = (struct range_collector){
		.buffer = buffer,
		.size = size,
		.used = PAGE_RANGES_HEADER,
	};
}

static void encode_range(struct range_collector *c)
{
	if (c->first == c->end)
		return;
	c->used += put_leb128(c->buffer + c->used, c->first - c->previous_end);
	c->used += put_leb128(c->buffer + c->used, c->end - c->first - 1);
	c->pages += c->end - c->first;
	c->ranges++;
	c->previous_end = c->end;
}

void range_collector_add(struct range_collector *c, uint64_t pfn, bool zero)
{
	c->zero_pages += zero;
	if (c->first == c->end) {
		c->first = pfn;
		c->end = pfn + 1;
		return;
	}
	if (pfn == c->end) {
		c->end++;
		return;
	}
	if (pfn < c->end) {
		/* Not ascending, which no kernel does. If it is below the current range,
		 * one range from 0 covers it and everything before. */
		c->coarse = true;
		if (pfn >= c->first)
			return;
		c->used = PAGE_RANGES_HEADER;
		c->ranges = 0;
		c->pages = 0;
		c->previous_end = 0;
		c->first = 0;
		return;
	}
	/* There must be room for this range and one more. */
	if (c->used + 4 * LEB128_MAX > c->size) {
		c->coarse = true;
		c->end = pfn + 1;
		return;
	}
	encode_range(c);
	c->first = pfn;
	c->end = pfn + 1;
}

size_t range_collector_finish(struct range_collector *c)
{
	encode_range(c);
	c->first = c->end;
	memset(c->buffer, 0, PAGE_RANGES_HEADER);
	put_le64(c->buffer + AT_PAGES, c->pages);
	put_le64(c->buffer + AT_RANGES, c->ranges);
	put_le64(c->buffer + AT_ZERO_PAGES, c->zero_pages);
	put_le32(c->buffer + AT_FLAGS, c->coarse ? FLAG_COARSE : 0);
	return c->used;
}

/* One step, bounds checked. */
static int step(struct page_ranges *ranges, uint64_t *ret_first, uint64_t *ret_count)
{
	uint64_t gap, more, first, count, end;

	if (get_leb128(&ranges->at, ranges->end, &gap) < 0 ||
	    get_leb128(&ranges->at, ranges->end, &more) < 0)
		return -EBADMSG;
	if ((gap == 0 && ranges->left != ranges->ranges) ||
	    !checked_add(ranges->next_pfn, gap, &first) || !checked_add(more, 1, &count) ||
	    !checked_add(first, count, &end))
		return -EBADMSG;
	ranges->next_pfn = end;
	ranges->left--;
	*ret_first = first;
	*ret_count = count;
	return 0;
}

int page_ranges_open(struct page_ranges *ret, const unsigned char *section, size_t size,
		     struct why *w)
{
	struct page_ranges ranges, walk;
	uint64_t sum = 0, first, count;

	if (size < PAGE_RANGES_HEADER)
		return why_damaged(w, "the page ranges have only %zu bytes", size);
	ranges = (struct page_ranges){
		.at = section + PAGE_RANGES_HEADER,
		.end = section + size,
		.ranges = get_le64(section + AT_RANGES),
		.pages = get_le64(section + AT_PAGES),
		.zero_pages = get_le64(section + AT_ZERO_PAGES),
		.coarse = get_le32(section + AT_FLAGS) & FLAG_COARSE,
	};
	ranges.left = ranges.ranges;

	walk = ranges;
	while (walk.left > 0) {
		if (step(&walk, &first, &count) < 0)
			return why_damaged(w, "page range %" PRIu64 " of %" PRIu64 " is not valid",
					   ranges.ranges - walk.left, ranges.ranges);
		sum += count; /* cannot overflow: ranges do not overlap */
	}
	if (ranges.zero_pages > ranges.pages)
		return why_damaged(w,
				   "the page ranges hold %" PRIu64 " page frames, %" PRIu64
				   " of them zero",
				   ranges.pages, ranges.zero_pages);
	if (sum != ranges.pages || walk.at != walk.end)
		return why_damaged(w,
				   "the page ranges hold %" PRIu64
				   " page frames instead of %" PRIu64,
				   sum, ranges.pages);
	*ret = ranges;
	return 0;
}

bool page_ranges_next(struct page_ranges *ranges, uint64_t *ret_first, uint64_t *ret_count)
{
	return ranges->left > 0 && step(ranges, ret_first, ret_count) == 0;
}
