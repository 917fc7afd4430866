/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image_commit.h"

#include "base/io.h"
#include "format/header_page.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_TRIES 3

int signature_page_open(struct signature_page *sp, int fd, uint64_t offset, size_t page_size,
			struct why *w)
{
	int r;

	*sp = (struct signature_page){ .fd = fd, .offset = offset, .size = page_size };
	r = arena_create(&sp->memory, 3 * page_size);
	if (r < 0)
		return r;
	sp->page = arena_take(&sp->memory, page_size);
	sp->scratch = arena_take(&sp->memory, page_size);
	sp->again = arena_take(&sp->memory, page_size);
	r = signature_page_read(sp, w);
	if (r < 0)
		signature_page_close(sp);
	return r;
}

void signature_page_close(struct signature_page *sp)
{
	arena_destroy(&sp->memory);
}

int signature_page_read(struct signature_page *sp, struct why *w)
{
	int r = 0;

	for (int i = 0; i < READ_TRIES; i++) {
		r = io_pread_full(sp->fd, sp->scratch, sp->size, sp->offset);
		io_drop_cache(sp->fd);
		if (r == 0)
			r = io_pread_full(sp->fd, sp->again, sp->size, sp->offset);
		if (r < 0)
			break;
		if (memcmp(sp->scratch, sp->again, sp->size) == 0) {
			memcpy(sp->page, sp->scratch, sp->size);
			return 0;
		}
	}
	if (r == 0)
		return why(w, -EIO, "the swap area's first page differs each time it is read");
	return r == -ENODATA
		       ? why(w, r, "the device ends before the swap area's first page")
		       : why(w, r, "the swap area's first page cannot be read: %s", strerror(-r));
}

/* Writes, flushes, and reads back. */
static int write_page(struct signature_page *sp, struct why *w)
{
	int r = io_pwrite_full(sp->fd, sp->page, sp->size, sp->offset);

	if (r < 0)
		return why(w, r, "the swap area's first page cannot be written: %s", strerror(-r));
	if (fdatasync(sp->fd) < 0) {
		r = -errno;
		return why(w, r, "the disk's cache cannot be flushed: %s", strerror(-r));
	}
	r = io_pread_full(sp->fd, sp->scratch, sp->size, sp->offset);
	if (r < 0)
		return why(w, r, "the swap area's first page cannot be read back: %s",
			   strerror(-r));
	if (memcmp(sp->page, sp->scratch, sp->size) != 0)
		return why(w, -EIO, "the disk did not keep the swap area's first page");
	return 0;
}

int image_commit(struct signature_page *sp, const struct signature_record *record, struct why *w)
{
	int r = signature_page_read(sp, w);

	if (r == 0)
		r = signature_record_encode(record, sp->page, sp->size, w);
	return r < 0 ? r : write_page(sp, w);
}

/* Restores the swap signature in sp->page, in memory. */
static int make_swap(struct signature_page *sp, struct why *w)
{
	enum swap_signature_kind kind = swap_signature_kind(sp->page, sp->size);
	int r;

	if (kind == SWAP_IS_KERNEL_IMAGE)
		return why(w, -EEXIST, "the swap area holds an image of the kernel's own");
	if (kind == SWAP_IS_SWAP && !signature_record_present(sp->page, sp->size))
		return 0;
	r = swap_signature_restore(sp->page, sp->size, SIGNATURE_RECORD_SIZE);
	return r < 0 ? why(w, r, "the first page does not look like a swap area's") : 0;
}

int image_clear(struct signature_page *sp, struct why *w)
{
	/* If it cannot be read, use what was read last: a valid image of a system that continues is
	 * the worst outcome. */
	int read_error = signature_page_read(sp, w);
	int r = make_swap(sp, w);

	if (r < 0)
		return read_error < 0 ? read_error : r;
	/* Write even if it reads as swap already: a failed write may still be in the disk's cache,
	 * and this one must follow it. */
	return write_page(sp, w);
}

int image_clear_kernels(struct signature_page *sp, struct why *w)
{
	int r = signature_page_read(sp, w);

	if (r < 0 || swap_signature_kind(sp->page, sp->size) != SWAP_IS_KERNEL_IMAGE)
		return r;
	/* As the kernel does it: only the signature changes. */
	r = swap_signature_restore(sp->page, sp->size, 2 * (size_t)SWAP_SIGNATURE_SIZE);
	if (r < 0)
		return why(w, r, "the first page does not look like a swap area's");
	return write_page(sp, w);
}

int image_update_record(struct signature_page *sp, const struct signature_record *record,
			struct why *w)
{
	int r = make_swap(sp, w);

	if (r == 0)
		r = signature_record_encode(record, sp->page, sp->size, w);
	return r < 0 ? r : write_page(sp, w);
}

static int write_header(int fd, const unsigned char *page, size_t page_size, uint64_t offset,
			struct why *w)
{
	int r = io_pwrite_full(fd, page, page_size, offset);

	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r < 0 ? why(w, r, "the image's header cannot be written: %s", strerror(-r)) : 0;
}

static bool is_sealed_header(const unsigned char *page, size_t page_size,
			     const struct signature_record *record)
{
	struct header_front front;

	return header_page_front(page, page_size, &front, NULL) == 0 && front.sealed &&
	       memcmp(front.image_id, record->image_id, IMAGE_ID_SIZE) == 0;
}

int sealed_header_prepare(struct sealed_header *header, int fd, size_t page_size,
			  const struct signature_record *record, struct why *w)
{
	unsigned char *page;
	int r;

	if (header->page)
		return 0;
	r = arena_create(&header->memory, 2 * page_size);
	if (r < 0)
		return why(w, r, "memory for the image's header: %s", strerror(-r));
	page = arena_take(&header->memory, page_size);
	header->zeros = arena_take(&header->memory, page_size);
	header->offset = record->header_offset;
	r = io_pread_full(fd, page, page_size, header->offset);
	if (r == 0 && is_sealed_header(page, page_size, record)) {
		header->page = page;
		return 0;
	}
	sealed_header_free(header);
	/* Nothing is there beyond the end of the device. */
	return r == 0 || r == -ENODATA
		       ? 0
		       : why(w, r, "the image's header cannot be read: %s", strerror(-r));
}

int sealed_header_wipe(struct sealed_header *header, int fd, size_t page_size,
		       const struct signature_record *record, struct why *w)
{
	int r = sealed_header_prepare(header, fd, page_size, record, w);

	if (r < 0 || !header->page)
		return r;
	header->wiped = true;
	return write_header(fd, header->zeros, page_size, header->offset, w);
}

int sealed_header_put_back(const struct sealed_header *header, int fd, size_t page_size,
			   struct why *w)
{
	return header->wiped ? write_header(fd, header->page, page_size, header->offset, w) : 0;
}

void sealed_header_free(struct sealed_header *header)
{
	arena_destroy(&header->memory);
	*header = (struct sealed_header){ 0 };
}
