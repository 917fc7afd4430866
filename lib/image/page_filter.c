/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/page_filter.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ENTRY sizeof(uint64_t)

size_t page_filter_memory(uint64_t frames, size_t page_size)
{
	return (size_t)(2 + div_round_up(frames * ENTRY, page_size)) * page_size;
}

static uint64_t entry_at(const struct page_filter *f, uint64_t index)
{
	return get_le64(f->entries + index * ENTRY);
}

static bool is_left_out(const struct page_filter *f, uint64_t entry)
{
	uint64_t pfn = entry & ~IMAGE_PFN_ZERO;

	return frames_within(f->frames, f->frame_count, pfn, pfn) > 0;
}

static int read_exactly(const struct page_source *source, void *buffer, size_t length,
			const char *what, struct why *w)
{
	ssize_t n = source->read(source->context, buffer, length);

	if (n < 0)
		return why(w, (int)n, "the %s of the snapshot cannot be read: %s", what,
			   strerror((int)-n));
	if ((size_t)n != length)
		return why(w, -EBADMSG, "the snapshot ended in its %s", what);
	return 0;
}

/* Entries of all pages one after the other, without end marks. */
static void close_gaps(struct page_filter *f, size_t length)
{
	for (size_t at = 0; at < length; at += f->page_size) {
		unsigned char *page = f->entries + at;
		size_t count = image_metadata_walk(page, f->page_size, NULL, NULL);

		memmove(f->entries + f->entry_count * ENTRY, page, count * ENTRY);
		f->entry_count += count;
	}
}

/* Counts what is left, and puts that into the header. */
static int count_pages(struct page_filter *f, struct why *w)
{
	uint64_t data = 0, left_out_data, entries;

	for (uint64_t i = 0; i < f->entry_count; i++) {
		uint64_t entry = entry_at(f, i);
		bool zero = entry & IMAGE_PFN_ZERO;

		data += !zero;
		if (!is_left_out(f, entry))
			continue;
		f->left_out++;
		f->left_out_zero += zero;
	}
	if (data != f->info.image_pages)
		return why(w, -EBADMSG,
			   "the snapshot lists %" PRIu64 " data pages, its header %" PRIu64, data,
			   f->info.image_pages);
	left_out_data = f->left_out - f->left_out_zero;
	if (data == left_out_data)
		return why(w, -ENODATA, "no page of the snapshot would be left");
	entries = f->entry_count - f->left_out;
	image_info_set_pages(f->header, f->page_size, div_round_up(entries * ENTRY, f->page_size),
			     data - left_out_data);
	return image_info_parse(f->header, f->page_size, &f->info, w);
}

int page_filter_begin(struct page_filter *f, const struct page_source *source, uint64_t size,
		      size_t page_size, const struct frame_list *frames, void *memory,
		      size_t memory_size, struct why *w)
{
	unsigned char *at = memory;
	uint64_t room = memory_size / page_size;
	size_t length;
	int r;

	if (room < 2)
		return -EINVAL;
	*f = (struct page_filter){
		.source = *source,
		.page_size = page_size,
		.frames = frames->items,
		.frame_count = frames->count,
		.header = at,
		.skipped = at + page_size,
		.entries = at + 2 * page_size,
	};
	r = read_exactly(source, f->header, page_size, "header page", w);
	if (r == 0)
		r = image_info_parse(f->header, page_size, &f->info, w);
	if (r < 0)
		return r;
	if (f->info.size != size)
		return why(w, -EBADMSG,
			   "the kernel's header page says %" PRIu64 " bytes, the snapshot has "
			   "%" PRIu64,
			   f->info.size, size);
	if (f->info.metadata_pages > room - 2)
		return why(w, -EFBIG,
			   "the snapshot has %" PRIu64 " metadata pages, at most %" PRIu64
			   " were expected",
			   f->info.metadata_pages, room - 2);
	length = (size_t)f->info.metadata_pages * page_size;
	r = read_exactly(source, f->entries, length, "metadata", w);
	if (r < 0)
		return r;
	close_gaps(f, length);
	return count_pages(f, w);
}

/* A metadata page of what is left. As in the kernel, only a page that is not full has an end mark,
 * followed by zeros. */
static void pack_metadata(struct page_filter *f, unsigned char *page)
{
	size_t used = 0;

	memset(page, 0, f->page_size);
	for (; used < f->page_size && f->packed < f->entry_count; f->packed++) {
		uint64_t entry = entry_at(f, f->packed);

		if (is_left_out(f, entry))
			continue;
		put_le64(page + used, entry);
		used += ENTRY;
	}
	if (used < f->page_size)
		put_le64(page + used, IMAGE_PFN_END);
}

/* Skips entries without a data page, and data pages that are left out. */
static int skip_data(struct page_filter *f)
{
	for (; f->placed < f->entry_count; f->placed++) {
		uint64_t entry = entry_at(f, f->placed);
		ssize_t n;

		if (entry & IMAGE_PFN_ZERO)
			continue;
		if (!is_left_out(f, entry))
			return 0;
		n = f->source.read(f->source.context, f->skipped, f->page_size);
		if (n < 0)
			return (int)n;
		if ((size_t)n != f->page_size)
			return -EIO;
	}
	return 0;
}

/* The number of consecutive data pages to hand out, up to max. */
static uint64_t run_of_data(struct page_filter *f, uint64_t max)
{
	uint64_t pages = 0;

	for (; f->placed < f->entry_count && pages < max; f->placed++) {
		uint64_t entry = entry_at(f, f->placed);

		if (entry & IMAGE_PFN_ZERO)
			continue;
		if (is_left_out(f, entry))
			break;
		pages++;
	}
	return pages;
}

/* Hands out up to this many data pages; returns bytes or a negative errno. */
static ssize_t give_data(struct page_filter *f, unsigned char *to, uint64_t max)
{
	int r = skip_data(f);
	uint64_t pages;

	if (r < 0)
		return r;
	pages = run_of_data(f, max);
	return f->source.read(f->source.context, to, (size_t)pages * f->page_size);
}

static ssize_t give(struct page_filter *f, unsigned char *to, uint64_t max)
{
	if (f->given == 0)
		memcpy(to, f->header, f->page_size);
	else if (f->given <= f->info.metadata_pages)
		pack_metadata(f, to);
	else
		return give_data(f, to, min_u64(max, f->info.pages - f->given));
	return (ssize_t)f->page_size;
}

static ssize_t read_filtered(void *context, void *buffer, size_t length)
{
	struct page_filter *f = context;
	size_t done = 0;

	if (length % f->page_size)
		return -EINVAL;
	while (done < length && f->given < f->info.pages) {
		ssize_t n = give(f, (unsigned char *)buffer + done, (length - done) / f->page_size);

		if (n < 0)
			return n;
		done += (size_t)n;
		f->given += (size_t)n / f->page_size;
		if (n == 0 || (size_t)n % f->page_size)
			break; /* the source ended early */
	}
	return (ssize_t)done;
}

struct page_source page_filter_source(struct page_filter *filter)
{
	return (struct page_source){ .read = read_filtered, .context = filter };
}
