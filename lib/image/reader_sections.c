/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the sections of an image, and opens the pieces of those that are sealed. */
#include "image/image_reader_private.h"

#include "base/bytes.h"
#include "base/io.h"
#include "format/page_ranges.h"
#include "kernel/image_info.h"

#include <errno.h>
#include <inttypes.h>

/* Reads a whole mapped stream into memory. */
static int read_stream(struct image_reader *reader, struct extent_reader *extents,
		       unsigned char *to, struct why *w)
{
	size_t page = reader->config.page_size;
	struct extent extent;
	int r;

	while ((r = extent_reader_next(extents, UINT64_MAX, &extent, w)) == 0) {
		r = io_pread_full(reader->config.fd, to, extent.pages * page, extent.offset);
		if (r < 0)
			return why(w, r, "the %s at byte %" PRIu64 " cannot be read: %s",
				   extents->name, extent.offset, strerror(-r));
		to += extent.pages * page;
	}
	return r == -ENODATA ? 0 : r;
}

/* Opens the pieces of the sections and closes the gaps that their tags leave. */
static int unseal_sections(struct image_reader *reader, uint64_t *length, struct why *w)
{
	unsigned char *from = reader->sections_memory.base, *to = from;
	size_t end = (size_t)round_up(*length, reader->config.page_size);
	uint64_t left = *length;

	if (!bytes_all_zero(from + left, end - left))
		return why_damaged(w, "the image's sections are damaged");
	for (uint64_t i = 0; left > 0; i++) {
		size_t piece = (size_t)min_u64(left, reader->header.block_size), plain;
		int r;

		if (piece <= AEAD_TAG_SIZE)
			return why_damaged(w, "the image's sections end in the middle of a tag");
		plain = piece - AEAD_TAG_SIZE;
		r = unseal_section(&reader->seal, i, from, plain, from + plain);
		if (r == -EBADMSG)
			return why_damaged(
				w, "piece %" PRIu64 " of the image's sections was changed", i);
		if (r < 0)
			return why(w, r, "the image's sections cannot be decrypted: %s",
				   strerror(-r));
		memmove(to, from, plain);
		from += piece;
		to += plain;
		left -= piece;
	}
	*length = (uint64_t)(to - reader->sections_memory.base);
	return 0;
}

/* The sections must be consistent with each other and with the header. */
static int check_sections(struct image_reader *reader, struct why *w)
{
	const struct image_header *h = &reader->header;
	const struct sections *s = &reader->sections;
	struct page_ranges ranges;
	struct image_info info;
	int r;

	if (s->kernel_header.size != h->page_size)
		return why_damaged(w, "the kernel header has %zu bytes", s->kernel_header.size);
	r = image_info_parse(s->kernel_header.data, h->page_size, &info, w);
	if (r < 0)
		return r;
	if (info.size != h->stream_size || info.image_pages != h->image_pages)
		return why_damaged(w, "the kernel header is that of another snapshot");
	r = page_ranges_open(&ranges, s->page_ranges.data, s->page_ranges.size, w);
	if (r < 0)
		return r;
	/* Ranges with too few page frames would hide some from the verdict. */
	if (ranges.pages - ranges.zero_pages < h->image_pages ||
	    (!ranges.coarse && ranges.pages - ranges.zero_pages != h->image_pages))
		return why_damaged(w,
				   "the page ranges hold %" PRIu64 " page frames, %" PRIu64
				   " of them zero, the snapshot has %" PRIu64 " data pages",
				   ranges.pages, ranges.zero_pages, h->image_pages);
	return block_table_check(s->block_table.data, s->block_table.size, h, w);
}

int reader_read_sections(struct image_reader *reader, struct why *w)
{
	const struct image_reader_config *c = &reader->config;
	const struct image_header *h = &reader->header;
	unsigned char digest[SHA256_SIZE];
	struct extent_reader extents;
	uint64_t length;
	int r;

	extent_reader_begin(&extents, c->fd, c->page_size, c->device_bytes, "sections",
			    &h->sections, h->image_id, reader->page, &reader->digest);
	r = extent_reader_check(&extents, w);
	if (r < 0)
		return r;
	arena_destroy(&reader->sections_memory); /* of the first time */
	r = arena_create(&reader->sections_memory, h->sections.pages * c->page_size);
	if (r < 0)
		return why(w, r, "%" PRIu64 " bytes for the image's sections: %s", h->sections_size,
			   strerror(-r));
	r = read_stream(reader, &extents, reader->sections_memory.base, w);
	if (r < 0)
		return r;
	r = crypto_sha256(reader->sections_memory.base, h->sections_size, digest);
	if (r < 0)
		return r;
	if (memcmp(digest, h->sections_digest, SHA256_SIZE) != 0)
		return why_damaged(w, "the image's sections are damaged");
	length = h->sections_size;
	if (header_sealed(h)) {
		r = unseal_sections(reader, &length, w);
		if (r < 0)
			return r;
	}
	r = sections_parse(reader->sections_memory.base, length, &reader->sections, w);
	return r < 0 ? r : check_sections(reader, w);
}
