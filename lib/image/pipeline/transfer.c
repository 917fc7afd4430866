/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/pipeline/transfer.h"

#include "base/bytes.h"
#include "base/io.h"

#include <errno.h>
#include <limits.h>

#define PIECES_A_CALL 64
_Static_assert(PIECES_A_CALL <= IOV_MAX, "one call takes them all");

void transfer_reset(struct transfer *transfer)
{
	transfer->piece_count = 0;
	transfer->extent_count = 0;
	transfer->bytes = 0;
	transfer->error = 0;
	transfer->error_offset = 0;
}

bool transfer_add_memory(struct transfer *transfer, void *memory, size_t bytes)
{
	if (transfer->piece_count == transfer->piece_max)
		return false;
	transfer->pieces[transfer->piece_count++] =
		(struct iovec){ .iov_base = memory, .iov_len = bytes };
	transfer->bytes += bytes;
	return true;
}

bool transfer_add_extent(struct transfer *transfer, struct extent extent)
{
	if (transfer->extent_count > 0) {
		struct extent *last = &transfer->extents[transfer->extent_count - 1];

		if (last->offset + last->pages * transfer->page_size == extent.offset) {
			last->pages += extent.pages;
			return true;
		}
	}
	if (transfer->extent_count == transfer->extent_max)
		return false;
	transfer->extents[transfer->extent_count++] = extent;
	return true;
}

/* The current position in the pieces. */
struct cursor {
	unsigned int piece;
	size_t offset;
};

/* At most length bytes from the cursor on; returns the pieces filled. */
static int gather(const struct transfer *transfer, struct cursor cursor, size_t length,
		  struct iovec *pieces)
{
	int count = 0;

	while (length > 0 && count < PIECES_A_CALL && cursor.piece < transfer->piece_count) {
		const struct iovec *piece = &transfer->pieces[cursor.piece];
		size_t part = min_u64(piece->iov_len - cursor.offset, length);

		pieces[count].iov_base = (char *)piece->iov_base + cursor.offset;
		pieces[count++].iov_len = part;
		length -= part;
		cursor = (struct cursor){ .piece = cursor.piece + 1 };
	}
	return count;
}

static void advance(const struct transfer *transfer, struct cursor *cursor, size_t bytes)
{
	while (bytes > 0) {
		size_t left = transfer->pieces[cursor->piece].iov_len - cursor->offset;

		if (bytes < left) {
			cursor->offset += bytes;
			return;
		}
		bytes -= left;
		cursor->piece++;
		cursor->offset = 0;
	}
}

static int run_extent(const struct transfer *transfer, struct extent extent, struct cursor *cursor)
{
	size_t left = extent.pages * transfer->page_size;
	off_t offset = (off_t)extent.offset;

	while (left > 0) {
		struct iovec pieces[PIECES_A_CALL];
		int count = gather(transfer, *cursor, left, pieces);
		ssize_t n = transfer->write ? pwritev(transfer->fd, pieces, count, offset)
					    : preadv(transfer->fd, pieces, count, offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return transfer->write ? -EIO : -ENODATA;
		advance(transfer, cursor, (size_t)n);
		offset += n;
		left -= (size_t)n;
	}
	return 0;
}

void transfer_run(void *worker_context, void *job)
{
	struct transfer *transfer = job;
	struct cursor cursor = { 0 };

	(void)worker_context;
	for (size_t i = 0; i < transfer->extent_count && transfer->error == 0; i++) {
		if (transfer->cancel && atomic_load(transfer->cancel))
			transfer->error = -ECANCELED;
		else
			transfer->error = run_extent(transfer, transfer->extents[i], &cursor);
		if (transfer->error < 0)
			transfer->error_offset = transfer->extents[i].offset;
	}
}

int transfer_read_again(const struct transfer *transfer, size_t at, void *memory, size_t length)
{
	unsigned char *to = memory;

	io_drop_cache(transfer->fd);
	for (size_t i = 0; i < transfer->extent_count && length > 0; i++) {
		const struct extent *extent = &transfer->extents[i];
		size_t bytes = (size_t)extent->pages * transfer->page_size, part;
		int r;

		if (at >= bytes) {
			at -= bytes;
			continue;
		}
		part = min_u64(bytes - at, length);
		r = io_pread_full(transfer->fd, to, part, extent->offset + at);
		if (r < 0)
			return r;
		to += part;
		length -= part;
		at = 0;
	}
	return 0;
}
