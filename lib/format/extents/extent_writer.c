/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/extents/extent_writer.h"

#include "base/io.h"

#include <string.h>

int extent_writer_begin(struct extent_writer *writer, int fd, size_t page_size,
			const struct page_allocator *allocator, void *page, struct digest *digest,
			const unsigned char image_id[IMAGE_ID_SIZE])
{
	*writer = (struct extent_writer){
		.fd = fd,
		.page_size = page_size,
		.allocator = allocator,
		.page = page,
		.digest = digest,
	};
	memcpy(writer->header.image_id, image_id, IMAGE_ID_SIZE);
	memset(page, 0, page_size);
	return allocator->allocate(allocator->context, &writer->chunk_offset);
}

static int write_chunk(struct extent_writer *writer, uint64_t next)
{
	int r;

	writer->header.next = next;
	r = chunk_seal(&writer->header, writer->page, writer->page_size);
	if (r < 0)
		return r;
	digest_update(writer->digest, writer->page, writer->page_size);
	r = io_pwrite_full(writer->fd, writer->page, writer->page_size, writer->chunk_offset);
	if (r < 0)
		return r;
	if (writer->root.chunks++ == 0)
		writer->root.first_chunk = writer->chunk_offset;
	return 0;
}

/* Moves the extent under construction into the chunk. */
static int store_last(struct extent_writer *writer)
{
	uint64_t next;
	int r;

	if (writer->header.extents == chunk_capacity(writer->page_size)) {
		r = writer->allocator->allocate(writer->allocator->context, &next);
		if (r < 0)
			return r;
		r = write_chunk(writer, next);
		if (r < 0)
			return r;
		memset(writer->page, 0, writer->page_size);
		writer->chunk_offset = next;
		writer->header.index++;
		writer->header.extents = 0;
		writer->header.first_page = writer->root.pages - writer->last.pages;
	}
	chunk_put_extent(writer->page, writer->header.extents++, writer->last);
	return 0;
}

int extent_writer_add(struct extent_writer *writer, uint64_t offset)
{
	struct extent *last = &writer->last;
	int r;

	if (last->pages > 0 && offset == last->offset + last->pages * writer->page_size) {
		last->pages++;
		writer->root.pages++;
		return 0;
	}
	if (last->pages > 0) {
		r = store_last(writer);
		if (r < 0)
			return r;
	}
	*last = (struct extent){ .offset = offset, .pages = 1 };
	writer->root.pages++;
	return 0;
}

int extent_writer_finish(struct extent_writer *writer, struct extent_root *ret)
{
	int r;

	if (writer->last.pages > 0) {
		r = store_last(writer);
		if (r == 0)
			r = write_chunk(writer, 0);
		if (r < 0)
			return r;
	}
	digest_final(writer->digest, writer->root.digest);
	*ret = writer->root;
	return 0;
}
