/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the sections of an image, one after the other, onto pages of swap. In a sealed image each
 * bufferful is sealed and followed by its tag. */
#include "image/image_writer_private.h"

#include "base/bytes.h"
#include "base/io.h"
#include "format/sections.h"

struct stream {
	struct run *run;
	struct image_writer *writer;
	unsigned char *buffer; /* of a block's size; whole pages are written from here */
	size_t used;
	size_t room;	 /* of the buffer, without that of a tag */
	uint64_t length; /* so far, bytes, tags included */
	uint64_t pieces; /* bufferfuls written */
};

static int seal_piece(struct stream *stream)
{
	unsigned char *tag = stream->buffer + stream->used;
	int r = seal_section(&stream->writer->seal, stream->pieces, stream->buffer, stream->used,
			     tag);

	stream->used += AEAD_TAG_SIZE;
	stream->length += AEAD_TAG_SIZE;
	return r;
}

/* Writes the buffer, padded to whole pages. Sections are small compared with the blocks, so these
 * writes are not batched. */
static int flush(struct stream *stream)
{
	const struct page_allocator *allocator = &stream->run->allocator;
	struct image_writer *writer = stream->writer;
	size_t page = writer->config.page_size, end;
	int r = 0;

	if (stream->used == 0)
		return 0;
	if (writer->config.keys)
		r = seal_piece(stream);
	stream->pieces++;
	end = (size_t)round_up(stream->used, page);
	memset(stream->buffer + stream->used, 0, end - stream->used);
	digest_update(&writer->sections_digest, stream->buffer, stream->used);
	for (size_t at = 0; r == 0 && at < end; at += page) {
		uint64_t offset;

		r = allocator->allocate(allocator->context, &offset);
		if (r == 0)
			r = extent_writer_add(&stream->run->extents, offset);
		if (r == 0)
			r = io_pwrite_full(writer->config.fd, stream->buffer + at, page, offset);
	}
	stream->used = 0;
	return r;
}

static int append(struct stream *stream, const void *data, size_t length)
{
	const unsigned char *from = data;
	int r = 0;

	stream->length += length;
	while (r == 0 && length > 0) {
		size_t part = (size_t)min_u64(length, stream->room - stream->used);

		memcpy(stream->buffer + stream->used, from, part);
		stream->used += part;
		from += part;
		length -= part;
		if (stream->used == stream->room)
			r = flush(stream);
	}
	return r;
}

static int add(struct stream *stream, enum section_type type, uint32_t flags, const void *data,
	       size_t length)
{
	static const unsigned char zeros[8];
	unsigned char header[SECTION_HEADER_SIZE];
	size_t padding = (size_t)section_footprint(length) - SECTION_HEADER_SIZE - length;
	int r;

	section_header_encode(header, type, flags, length);
	r = append(stream, header, sizeof(header));
	if (r == 0)
		r = append(stream, data, length);
	if (r == 0)
		r = append(stream, zeros, padding);
	return r;
}

static int add_all(struct stream *stream, const void *platform, size_t platform_size)
{
	struct image_writer *writer = stream->writer;
	const char *text = writer->config.writer;
	int r = add(stream, SECTION_KERNEL_HEADER, SECTION_CRITICAL, writer->kernel_header,
		    writer->config.page_size);

	if (r == 0)
		r = add(stream, SECTION_PAGE_RANGES, SECTION_CRITICAL, writer->ranges,
			range_collector_finish(&stream->run->ranges));
	if (r == 0 && platform_size)
		r = add(stream, SECTION_PLATFORM, 0, platform, platform_size);
	if (r == 0 && text)
		r = add(stream, SECTION_WRITER, 0, text, strlen(text));
	if (r == 0)
		r = add(stream, SECTION_BLOCK_TABLE, SECTION_CRITICAL, writer->table,
			(size_t)stream->run->header.blocks * BLOCK_ENTRY_SIZE);
	return r < 0 ? r : flush(stream);
}

int writer_write_sections(struct run *run)
{
	struct image_writer *writer = run->writer;
	const struct image_writer_config *c = &writer->config;
	const struct platform_maker *maker = &run->asked->platform;
	const void *platform = NULL;
	size_t platform_size = 0;
	struct stream stream = {
		.run = run,
		.writer = writer,
		.buffer = writer->buffers,
		.room = c->keys ? c->block_size - AEAD_TAG_SIZE : c->block_size,
	};
	int r = maker->make ? maker->make(maker->context, writer->kernel_header, c->page_size,
					  &platform, &platform_size)
			    : 0;

	if (r < 0)
		return why(run->why, r, "cannot describe this machine: %s", strerror(-r));
	r = extent_writer_begin(&run->extents, c->fd, c->page_size, &run->allocator,
				writer->chunk_page, &writer->extent_digest, run->asked->image_id);
	if (r == 0)
		r = add_all(&stream, platform, platform_size);
	if (r == 0)
		r = extent_writer_finish(&run->extents, &run->header.sections);
	if (r < 0)
		return why(run->why, r, "writing the image's sections failed: %s", strerror(-r));
	run->header.sections_size = stream.length;
	digest_final(&writer->sections_digest, run->header.sections_digest);
	return 0;
}
