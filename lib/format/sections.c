/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/sections.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>

void section_header_encode(unsigned char *at, enum section_type type, uint32_t flags,
			   uint64_t length)
{
	put_le32(at, type);
	put_le32(at + 4, flags);
	put_le64(at + 8, length);
}

static struct section *slot_of(struct sections *sections, uint32_t type)
{
	switch (type) {
	case SECTION_KERNEL_HEADER:
		return &sections->kernel_header;
	case SECTION_PAGE_RANGES:
		return &sections->page_ranges;
	case SECTION_BLOCK_TABLE:
		return &sections->block_table;
	case SECTION_PLATFORM:
		return &sections->platform;
	case SECTION_WRITER:
		return &sections->writer;
	default:
		return NULL;
	}
}

/* One section at *at; moves *at past it. */
static int parse_one(const unsigned char *stream, size_t size, size_t *at,
		     struct sections *sections, struct why *w)
{
	uint32_t type, flags;
	uint64_t length;
	struct section *slot;

	if (size - *at < SECTION_HEADER_SIZE)
		return why_damaged(w, "the sections end in the middle of a section's header");
	type = get_le32(stream + *at);
	flags = get_le32(stream + *at + 4);
	length = get_le64(stream + *at + 8);
	*at += SECTION_HEADER_SIZE;
	if (length > size - *at || section_footprint(length) - SECTION_HEADER_SIZE > size - *at)
		return why_damaged(w, "section type %u says %" PRIu64 " bytes, only %zu are left",
				   type, length, size - *at);
	slot = slot_of(sections, type);
	if (!slot && flags & SECTION_CRITICAL)
		return why_too_new(
			w,
			"the image has a section of type %u that this version does not know; it "
			"needs a newer s2disk",
			type);
	if (slot && slot->data)
		return why_damaged(w, "section type %u occurs twice", type);
	if (slot)
		*slot = (struct section){ .data = stream + *at, .size = (size_t)length };
	*at += (size_t)section_footprint(length) - SECTION_HEADER_SIZE;
	return 0;
}

int sections_parse(const unsigned char *stream, size_t size, struct sections *ret, struct why *w)
{
	struct sections sections = { 0 };
	size_t at = 0;

	while (at < size) {
		int r = parse_one(stream, size, &at, &sections, w);

		if (r < 0)
			return r;
	}
	if (!sections.kernel_header.data || !sections.page_ranges.data ||
	    !sections.block_table.data)
		return why_damaged(w, "the image lacks its %s",
				   !sections.kernel_header.data ? "kernel header"
				   : !sections.page_ranges.data ? "page ranges"
								: "block table");
	*ret = sections;
	return 0;
}
