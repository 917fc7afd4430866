/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/section_stream.h"

#include "base/bytes.h"
#include "base/io.h"

int section_stream_begin(struct section_stream *stream, int fd, size_t page_size,
			 const struct page_allocator *allocator, void *buffer, size_t size,
			 void *chunk_page, struct digest *extent_digest, struct digest *digest,
			 const unsigned char image_id[IMAGE_ID_SIZE], struct seal *seal)
{
	*stream = (struct section_stream){
		.fd = fd,
		.page_size = page_size,
		.allocator = allocator,
		.buffer = buffer,
		.size = size,
		.room = seal ? size - AEAD_TAG_SIZE : size,
		.digest = digest,
		.seal = seal,
	};
	return extent_writer_begin(&stream->extents, fd, page_size, allocator, chunk_page,
				   extent_digest, image_id);
}

static int seal_piece(struct section_stream *stream)
{
	unsigned char *tag = stream->buffer + stream->used;
	int r = seal_section(stream->seal, stream->pieces, stream->buffer, stream->used, tag);

	stream->used += AEAD_TAG_SIZE;
	stream->length += AEAD_TAG_SIZE;
	return r;
}

/* Writes the buffer, padded to whole pages. Sections are small compared with the blocks, so these
 * writes are not batched. */
static int flush(struct section_stream *stream)
{
	size_t end;

	if (stream->used == 0)
		return 0;
	if (stream->seal) {
		int r = seal_piece(stream);

		if (r < 0)
			return r;
	}
	stream->pieces++;
	end = (size_t)round_up(stream->used, stream->page_size);
	memset(stream->buffer + stream->used, 0, end - stream->used);
	digest_update(stream->digest, stream->buffer, stream->used);
	for (size_t at = 0; at < end; at += stream->page_size) {
		uint64_t offset;
		int r = stream->allocator->allocate(stream->allocator->context, &offset);

		if (r == 0)
			r = extent_writer_add(&stream->extents, offset);
		if (r == 0)
			r = io_pwrite_full(stream->fd, stream->buffer + at, stream->page_size,
					   offset);
		if (r < 0)
			return r;
	}
	stream->used = 0;
	return 0;
}

static int append(struct section_stream *stream, const void *data, size_t length)
{
	const unsigned char *from = data;

	stream->length += length;
	while (length > 0) {
		size_t part = (size_t)min_u64(length, stream->room - stream->used);

		memcpy(stream->buffer + stream->used, from, part);
		stream->used += part;
		from += part;
		length -= part;
		if (stream->used == stream->room) {
			int r = flush(stream);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int section_stream_add(struct section_stream *stream, enum section_type type, uint32_t flags,
		       const void *data, size_t length)
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

int section_stream_finish(struct section_stream *stream, struct extent_root *ret_root,
			  uint64_t *ret_length, unsigned char ret_digest[SHA256_SIZE])
{
	int r = flush(stream);

	if (r == 0)
		r = extent_writer_finish(&stream->extents, ret_root);
	if (r < 0)
		return r;
	digest_final(stream->digest, ret_digest);
	*ret_length = stream->length;
	return 0;
}
