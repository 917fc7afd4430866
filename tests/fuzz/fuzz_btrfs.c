/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of file systems about a swap file: btrfs' tree search (first byte even: the
 * answer follows), and an extent of FIEMAP (odd: its numbers).
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "swap/btrfs_tree.h"
#include "swap/file_extents.h"

#include <errno.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <string.h>

#define CHUNKS_MAX 64u

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_result(int r, const struct why *w)
{
	fuzz_assert(r == 0 || r == -EINVAL || r == -EBADMSG);
	fuzz_assert(r == 0 || w->text[0]);
}

static int by_logical(const void *a, const void *b)
{
	const struct chunk_span *x = a, *y = b;

	return (x->logical > y->logical) - (x->logical < y->logical);
}

/* The chunks of an answer, sorted as a search would return them. */
static size_t take_chunks(const unsigned char *answer, size_t size, struct chunk_span *chunks)
{
	struct search_item item;
	size_t count = 0, at = 0;

	while (count < CHUNKS_MAX && search_item_next(answer, size, &at, &item) > 0) {
		struct why w = { "" };
		int r;

		fuzz_assert(at <= size);
		if (item.type != BTRFS_CHUNK_ITEM_KEY)
			continue;
		r = chunk_parse(&item, &chunks[count], &w);
		check_result(r, &w);
		if (r == 0) {
			fuzz_assert(chunks[count].length > 0);
			fuzz_assert(chunks[count].stripes > 0);
			count++;
		}
	}
	qsort(chunks, count, sizeof(*chunks), by_logical);
	return count;
}

static void fuzz_answer(const unsigned char *answer, size_t size)
{
	struct chunk_span chunks[CHUNKS_MAX];
	struct file_walk walk = {
		.chunks = chunks,
		.chunk_count = take_chunks(answer, size, chunks),
		.page_size = 4096,
	};
	struct search_item item;
	size_t at = 0;

	while (search_item_next(answer, size, &at, &item) > 0) {
		struct why w = { "" };
		uint64_t end = walk.end;
		int r;

		if (item.type != BTRFS_EXTENT_DATA_KEY)
			continue;
		r = file_walk_extent(&walk, &item, &w);
		check_result(r, &w);
		if (r < 0)
			return;
		fuzz_assert(walk.end > end);
		fuzz_assert(walk.first % walk.page_size == 0);
	}
}

static void fuzz_extent(const unsigned char *at)
{
	const struct file_extent extent = {
		.logical = get_le64(at),
		.physical = get_le64(at + 8),
		.length = get_le64(at + 16),
		.flags = get_le32(at + 24),
	};
	struct why w = { "" };
	int r = file_extent_check_first(&extent, 4096, &w);

	check_result(r, &w);
	fuzz_assert(r < 0 ||
		    (extent.logical == 0 && extent.physical % 4096 == 0 && extent.length >= 4096));
	fuzz_assert(r < 0 || !(extent.flags &
			       ~(uint32_t)(FIEMAP_EXTENT_LAST | FIEMAP_EXTENT_UNWRITTEN |
					   FIEMAP_EXTENT_MERGED) &
			       (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |
				FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_SHARED)));
	w.text[0] = '\0';
	check_result(file_extent_check_flags(&extent, &w), &w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *copy;

	if (size == 0)
		return 0;
	if (data[0] & 1) {
		if (size >= 1 + 28)
			fuzz_extent(data + 1);
		return 0;
	}
	/* A buffer of the exact size, to catch reads past the end. */
	copy = malloc(size);
	fuzz_assert(copy);
	memcpy(copy, data + 1, size - 1);
	fuzz_answer(copy, size - 1);
	free(copy);
	return 0;
}
