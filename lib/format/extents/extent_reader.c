/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/extents/extent_reader.h"

#include "base/bytes.h"
#include "base/io.h"

#include <errno.h>
#include <inttypes.h>

static void rewind_reader(struct extent_reader *reader)
{
	reader->next_chunk = reader->root.first_chunk;
	reader->chunks_read = 0;
	reader->pages_told = 0;
	reader->next_extent = 0;
	reader->header = (struct chunk_header){ 0 };
	reader->rest = (struct extent){ 0 };
}

void extent_reader_begin(struct extent_reader *reader, int fd, size_t page_size,
			 uint64_t device_bytes, const char *name, const struct extent_root *root,
			 const unsigned char image_id[IMAGE_ID_SIZE], void *page,
			 struct digest *digest)
{
	*reader = (struct extent_reader){
		.fd = fd,
		.page_size = page_size,
		.device_bytes = device_bytes,
		.name = name,
		.root = *root,
		.page = page,
		.digest = digest,
	};
	memcpy(reader->image_id, image_id, IMAGE_ID_SIZE);
	rewind_reader(reader);
}

/* Reads and decodes the next chunk. */
static int load_chunk(struct extent_reader *reader, uint64_t *ret_pages, struct why *w)
{
	struct chunk_header expected = {
		.index = reader->chunks_read,
		.first_page = reader->pages_told,
	};
	int r = io_pread_full(reader->fd, reader->page, reader->page_size, reader->next_chunk);

	if (r < 0)
		return why(w, r,
			   "extent chunk %" PRIu64 " of the %s map cannot be read at byte %" PRIu64
			   ": %s",
			   expected.index, reader->name, reader->next_chunk, strerror(-r));
	memcpy(expected.image_id, reader->image_id, IMAGE_ID_SIZE);
	return chunk_decode(reader->page, reader->page_size, reader->device_bytes, &expected,
			    reader->name, &reader->header, ret_pages, w);
}

static int read_chunk(struct extent_reader *reader, struct why *w)
{
	struct why reason = { 0 };
	uint64_t pages;
	int r;

	if (reader->next_chunk == 0)
		return why_damaged(w, "extent chunk %" PRIu64 " of the %s map is at byte 0",
				   reader->chunks_read, reader->name);
	if (reader->next_chunk > reader->device_bytes - reader->page_size)
		return why_class(w, WHY_FOREIGN, -ENXIO,
				 "extent chunk %" PRIu64 " of the %s map is at byte %" PRIu64
				 ", the device has only %" PRIu64 " bytes now",
				 reader->chunks_read, reader->name, reader->next_chunk,
				 reader->device_bytes);
	r = load_chunk(reader, &pages, &reason);
	if (r < 0 && reason.class == WHY_DAMAGED) {
		/* Read it again: the error may have been in transit. */
		io_drop_cache(reader->fd);
		reason = (struct why){ 0 };
		r = load_chunk(reader, &pages, &reason);
	}
	if (r < 0) {
		if (w)
			*w = reason;
		return r;
	}
	if (pages > reader->root.pages - reader->pages_told)
		return why_damaged(w, "extent chunk %" PRIu64 " of the %s map has too many pages",
				   reader->chunks_read, reader->name);
	digest_update(reader->digest, reader->page, reader->page_size);
	reader->pages_told += pages;
	reader->chunks_read++;
	reader->next_chunk = reader->header.next;
	reader->next_extent = 0;
	return 0;
}

int extent_reader_next(struct extent_reader *reader, uint64_t max_pages, struct extent *ret,
		       struct why *w)
{
	struct extent *rest = &reader->rest;
	int r;

	if (rest->pages == 0) {
		if (reader->next_extent == reader->header.extents) {
			if (reader->chunks_read == reader->root.chunks)
				return -ENODATA;
			r = read_chunk(reader, w);
			if (r < 0)
				return r;
		}
		*rest = chunk_get_extent(reader->page, reader->next_extent++);
	}
	ret->offset = rest->offset;
	ret->pages = min_u64(rest->pages, max_pages);
	rest->offset += ret->pages * reader->page_size;
	rest->pages -= ret->pages;
	return 0;
}

int extent_reader_check(struct extent_reader *reader, struct why *w)
{
	unsigned char digest[SHA256_SIZE];
	int r = 0;

	digest_final(reader->digest, digest); /* empties it */
	rewind_reader(reader);
	while (r == 0 && reader->chunks_read < reader->root.chunks)
		r = read_chunk(reader, w);
	digest_final(reader->digest, digest);
	if (r < 0)
		return r;
	if (reader->next_chunk != 0 || reader->pages_told != reader->root.pages)
		return why_damaged(w,
				   "the %s map has %" PRIu64
				   " pages in its extents instead of %" PRIu64,
				   reader->name, reader->pages_told, reader->root.pages);
	if (memcmp(digest, reader->root.digest, SHA256_SIZE) != 0)
		return why_damaged(w, "the extents of the %s map are not those of this image",
				   reader->name);
	rewind_reader(reader);
	return 0;
}
