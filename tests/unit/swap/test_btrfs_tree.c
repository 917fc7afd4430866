/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap/btrfs_tree: valid and invalid answers of the tree search. */
#include "fixtures/check_main.h"
#include "swap/btrfs_tree.h"

#include "base/bytes.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Everything is copied to the heap, in its exact size: sanitizers detect a read past the end. */
static unsigned char *copied(const void *from, size_t size)
{
	unsigned char *to = malloc(size ? size : 1);

	ck_assert_ptr_nonnull(to);
	memcpy(to, from, size);
	return to;
}

static size_t put_head(unsigned char *at, uint64_t objectid, uint32_t type, uint64_t offset,
		       uint32_t length)
{
	const struct btrfs_ioctl_search_header head = {
		.objectid = objectid, .type = type, .offset = offset, .len = length
	};

	memcpy(at, &head, sizeof(head));
	return sizeof(head);
}

START_TEST(splits_an_answer)
{
	unsigned char room[256] = { 0 };
	size_t size = put_head(room, 257, 108, 0, 5), at = 0;
	struct search_item item;
	unsigned char *answer;

	memcpy(room + size, "hello", 5);
	size += 5;
	size += put_head(room + size, UINT64_MAX, 228, 1ULL << 60, 0);
	answer = copied(room, size);
	ck_assert_int_eq(search_item_next(answer, size, &at, &item), 1);
	ck_assert_uint_eq(item.objectid, 257);
	ck_assert_uint_eq(item.type, 108);
	ck_assert_uint_eq(item.length, 5);
	ck_assert_mem_eq(item.data, "hello", 5);
	ck_assert_int_eq(search_item_next(answer, size, &at, &item), 1);
	ck_assert_uint_eq(item.objectid, UINT64_MAX);
	ck_assert_uint_eq(item.offset, 1ULL << 60);
	ck_assert_uint_eq(item.length, 0);
	ck_assert_int_eq(search_item_next(answer, size, &at, &item), 0);
	ck_assert_int_eq(search_item_next(answer, size, &at, &item), 0);
	at = size + 1;
	ck_assert_int_eq(search_item_next(answer, size, &at, &item), -EBADMSG);
	free(answer);
}
END_TEST

/* Truncated at every byte: never more than that is used. */
START_TEST(answers_cut_off)
{
	unsigned char room[128] = { 0 };
	size_t whole = put_head(room, 257, 108, 0, 20) + 20;

	for (size_t size = 1; size < whole; size++) {
		unsigned char *answer = copied(room, size);
		struct search_item item;
		size_t at = 0;

		ck_assert_int_eq(search_item_next(answer, size, &at, &item), -EBADMSG);
		ck_assert_uint_eq(at, 0);
		free(answer);
	}
	put_head(room, 257, 108, 0, UINT32_MAX);
	{
		struct search_item item;
		size_t at = 0;

		ck_assert_int_eq(search_item_next(room, sizeof(room), &at, &item), -EBADMSG);
	}
}
END_TEST

struct made_chunk {
	uint64_t logical, length, type;
	uint16_t stripes;
	uint64_t device, physical;
};

static void make_chunk(const struct made_chunk *from, unsigned char data[80])
{
	memset(data, 0, 80);
	put_le64(data, from->length);
	put_le64(data + 8, 2);
	put_le64(data + 16, 65536);
	put_le64(data + 24, from->type);
	put_le16(data + 44, from->stripes);
	put_le64(data + 48, from->device);
	put_le64(data + 56, from->physical);
}

static int parse_chunk(const struct made_chunk *from, uint32_t length, struct chunk_span *ret,
		       struct why *w)
{
	unsigned char data[80], *exact;
	struct search_item item = { .objectid = 256, .type = 228, .offset = from->logical };
	int r;

	make_chunk(from, data);
	exact = copied(data, length);
	item.data = exact;
	item.length = length;
	r = chunk_parse(&item, ret, w);
	free(exact);
	return r;
}

START_TEST(chunks)
{
	const struct made_chunk made = {
		13631488, 8 * MIB, BTRFS_BLOCK_GROUP_DATA, 1, 3, 1ULL << 62
	};
	const struct made_chunk odd[] = {
		{ 0, 0, 1, 1, 1, 0 },
		{ 0, PAGE, 1, 0, 1, 0 },
		{ UINT64_MAX - 1, PAGE, 1, 1, 1, 0 },
		{ 0, PAGE, 1, 1, 1, UINT64_MAX - 1 },
	};
	struct chunk_span span;
	struct why w = { "" };

	ck_assert_int_eq(parse_chunk(&made, 80, &span, &w), 0);
	ck_assert_uint_eq(span.logical, 13631488);
	ck_assert_uint_eq(span.length, 8 * MIB);
	ck_assert_uint_eq(span.type, BTRFS_BLOCK_GROUP_DATA);
	ck_assert_uint_eq(span.stripes, 1);
	ck_assert_uint_eq(span.device, 3);
	ck_assert_uint_eq(span.physical, 1ULL << 62);
	for (uint32_t length = 0; length < 80; length++)
		ck_assert_int_eq(parse_chunk(&made, length, &span, &w), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		ck_assert_int_eq(parse_chunk(&odd[i], 80, &span, &w), -EBADMSG);
	ck_assert_uint_eq(span.device, 3);
}
END_TEST

/* A device of 40 TiB, so that nothing fits into 32 bits; the second chunk lies before the
 * first on the device. */
static const struct chunk_span spans[] = {
	{ 1 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA, 1, 1, 40000 * GIB },
	{ 2 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA, 1, 1, 20 * GIB },
	{ 4 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA, 1, 2, 1 * GIB },
	{ 5 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA | BTRFS_BLOCK_GROUP_RAID1, 2, 1, 30 * GIB },
	{ 6 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA | BTRFS_BLOCK_GROUP_RAID0, 1, 1, 31 * GIB },
	{ 7 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA, 2, 1, 32 * GIB },
	{ 8 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA, 1, 1, 33 * GIB + 512 },
	{ 9 * GIB, GIB, BTRFS_BLOCK_GROUP_DATA, 1, 1, 0 },
};

START_TEST(finds_chunks)
{
	ck_assert_ptr_null(chunk_find(spans, 0, 0));
	ck_assert_ptr_null(chunk_find(spans, 3, 0));
	ck_assert_ptr_null(chunk_find(spans, 3, GIB - 1));
	ck_assert_ptr_eq(chunk_find(spans, 3, GIB), &spans[0]);
	ck_assert_ptr_eq(chunk_find(spans, 3, 2 * GIB - 1), &spans[0]);
	ck_assert_ptr_eq(chunk_find(spans, 3, 2 * GIB), &spans[1]);
	ck_assert_ptr_null(chunk_find(spans, 3, 3 * GIB));
	ck_assert_ptr_eq(chunk_find(spans, 3, 5 * GIB - 1), &spans[2]);
	ck_assert_ptr_null(chunk_find(spans, 3, UINT64_MAX));
}
END_TEST

struct made_extent {
	uint64_t logical, disk, disk_length, offset, length;
	unsigned char type, compression, encryption, other;
	uint32_t size; /* of the item; 0: the right one */
};

#define REG BTRFS_FILE_EXTENT_REG
#define PREALLOC BTRFS_FILE_EXTENT_PREALLOC
#define INLINE BTRFS_FILE_EXTENT_INLINE

#define EXTENT(at, from, from_length, skipped, bytes, kind, ...)                      \
	{                                                                             \
		.logical = (at), .disk = (from), .disk_length = (from_length),        \
		.offset = (skipped), .length = (bytes), .type = (kind), ##__VA_ARGS__ \
	}

static int feed(struct file_walk *walk, const struct made_extent *from, struct why *w)
{
	unsigned char data[53] = { 0 }, *exact;
	struct search_item item = { .objectid = 257, .type = 108, .offset = from->logical };
	int r;

	data[16] = from->compression;
	data[17] = from->encryption;
	data[18] = from->other;
	data[20] = from->type;
	put_le64(data + 21, from->disk);
	put_le64(data + 29, from->disk_length);
	put_le64(data + 37, from->offset);
	put_le64(data + 45, from->length);
	item.length = from->size ? from->size : 53;
	exact = copied(data, item.length);
	item.data = exact;
	r = file_walk_extent(walk, &item, w);
	free(exact);
	return r;
}

static const struct {
	struct made_extent extents[3];
	int error;
	const char *says;
	uint64_t device, first; /* if error is 0 */
} walks[] = {
	{ { EXTENT(0, GIB, MIB, 0, MIB, PREALLOC) }, .device = 1, .first = 40000 * GIB },
	/* The offset in the extent counts: part of it was overwritten elsewhere. */
	{ { EXTENT(0, GIB + MIB, 2 * MIB, MIB, MIB, REG) },
	  .device = 1,
	  .first = 40000 * GIB + 2 * MIB },
	{ { EXTENT(0, GIB, MIB, 0, MIB, PREALLOC), EXTENT(MIB, 2 * GIB, MIB, 0, MIB, REG) },
	  .device = 1,
	  .first = 40000 * GIB },
	{ { EXTENT(0, 4 * GIB + PAGE, MIB, 0, MIB, PREALLOC) }, .device = 2, .first = GIB + PAGE },
	{ { EXTENT(0, GIB, MIB, 0, MIB, PREALLOC), EXTENT(MIB, 4 * GIB, MIB, 0, MIB, REG) },
	  .error = -EINVAL,
	  .says = "more than one device (1 and 2" },
	{ { EXTENT(PAGE, GIB, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "hole at byte 0" },
	{ { EXTENT(0, 0, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "hole at byte 0" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG), EXTENT(2 * MIB, GIB, MIB, 0, MIB, REG) },
	  .error = -EINVAL,
	  .says = "hole at byte 1048576" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG), EXTENT(MIB, 0, MIB, 0, MIB, REG) },
	  .error = -EINVAL,
	  .says = "hole at byte 1048576" },
	{ { EXTENT(0, 5 * GIB, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "profile SINGLE" },
	{ { EXTENT(0, 6 * GIB, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "profile SINGLE" },
	{ { EXTENT(0, 7 * GIB, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "profile SINGLE" },
	{ { EXTENT(0, 8 * GIB, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "whole pages" },
	{ { EXTENT(0, 9 * GIB, MIB, 0, MIB, REG) }, .error = -EINVAL, .says = "whole pages" },
	{ { EXTENT(0, GIB, MIB, 0, 512, REG) }, .error = -EINVAL, .says = "whole pages" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG, .compression = 3) },
	  .error = -EINVAL,
	  .says = "compressed" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG, .encryption = 1) },
	  .error = -EINVAL,
	  .says = "encrypted" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG, .other = 1) }, .error = -EINVAL, .says = "encoded" },
	{ { EXTENT(0, 0, 0, 0, 0, INLINE, .size = 21) },
	  .error = -EINVAL,
	  .says = "inside metadata" },
	{ { EXTENT(0, 0, 0, 0, 0, INLINE) }, .error = -EINVAL, .says = "inside metadata" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, 7) }, .error = -EBADMSG, .says = "unknown type 7" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG, .size = 20) },
	  .error = -EBADMSG,
	  .says = "too short" },
	{ { EXTENT(0, GIB, MIB, 0, MIB, REG, .size = 52) },
	  .error = -EBADMSG,
	  .says = "too short" },
	{ { EXTENT(0, GIB, MIB, 0, 0, REG) }, .error = -EBADMSG, .says = "is invalid" },
	{ { EXTENT(0, GIB, MIB, 1, MIB, REG) }, .error = -EBADMSG, .says = "is invalid" },
	{ { EXTENT(0, GIB, MIB, 2 * MIB, 1, REG) }, .error = -EBADMSG, .says = "is invalid" },
	{ { EXTENT(0, UINT64_MAX, UINT64_MAX, PAGE, PAGE, REG) },
	  .error = -EBADMSG,
	  .says = "is invalid" },
	{ { EXTENT(0, 3 * GIB, MIB, 0, MIB, REG) }, .error = -EBADMSG, .says = "no chunk" },
	{ { EXTENT(0, 3 * GIB - PAGE, MIB, 0, MIB, REG) }, .error = -EBADMSG, .says = "no chunk" },
	{ { EXTENT(0, PAGE, MIB, 0, MIB, REG) }, .error = -EBADMSG, .says = "no chunk" },
};

START_TEST(walks_extents)
{
	struct file_walk walk = { .chunks = spans,
				  .chunk_count = ARRAY_SIZE(spans),
				  .page_size = PAGE };
	struct why w = { "" };
	int r = 0;

	for (size_t i = 0; i < 3 && r == 0; i++)
		if (i == 0 || walks[_i].extents[i].length)
			r = feed(&walk, &walks[_i].extents[i], &w);
	ck_assert_msg(r == walks[_i].error, "%d: %s", r, w.text);
	if (r < 0) {
		ck_assert_msg(strstr(w.text, walks[_i].says) != NULL, "%s", w.text);
		return;
	}
	ck_assert_uint_eq(walk.device, walks[_i].device);
	ck_assert_uint_eq(walk.first, walks[_i].first);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "btrfs_tree");

	tcase_add_test(tcase, splits_an_answer);
	tcase_add_test(tcase, answers_cut_off);
	tcase_add_test(tcase, chunks);
	tcase_add_test(tcase, finds_chunks);
	tcase_add_loop_test(tcase, walks_extents, 0, (int)ARRAY_SIZE(walks));
}
