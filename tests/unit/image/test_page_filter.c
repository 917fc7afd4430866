/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream made of a list of frames, some of them left out, must be the stream
 * made of the list without them: whatever the list, the choice, and the lengths
 * of the reads.
 */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "image/page_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE ((size_t)512) /* small, so that few frames make many metadata pages */
#define NUMBERS (PAGE / 8)
#define FRAMES_MAX 700u
#define ROUNDS 4000

struct frame {
	uint64_t pfn;
	bool zero;
};

struct stream {
	unsigned char *bytes;
	size_t size, at, fail_at;
	size_t cut; /* ends here; 0: where it should */
};

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* As the kernel makes it of these frames; a page's content is its own. */
static struct stream make_stream(const struct frame *frames, size_t count)
{
	size_t data = 0, metadata = div_round_up(count, NUMBERS);
	struct stream s = { 0 };
	unsigned char *at;

	for (size_t i = 0; i < count; i++)
		data += !frames[i].zero;
	s.size = (1 + metadata + data) * PAGE;
	s.bytes = calloc(1, s.size);
	ck_assert_ptr_nonnull(s.bytes);
	put_le64(s.bytes + 24, 0x23456789ABCDEF02u);
	put_le32(s.bytes + 32, 0x6135c2f7);
	put_le64(s.bytes + 400, 131072);
	put_le64(s.bytes + 416, data);
	put_le64(s.bytes + 424, 1 + metadata + data);
	put_le64(s.bytes + 432, s.size);
	for (size_t i = 0; i < count; i++)
		put_le64(s.bytes + PAGE + 8 * i, frames[i].pfn | (uint64_t)frames[i].zero << 63);
	if (count % NUMBERS)
		put_le64(s.bytes + PAGE + 8 * count, UINT64_MAX);
	at = s.bytes + (1 + metadata) * PAGE;
	for (size_t i = 0; i < count; i++) {
		if (frames[i].zero)
			continue;
		for (size_t byte = 0; byte < PAGE; byte += 8)
			put_le64(at + byte, frames[i].pfn * 1000003 + byte);
		at += PAGE;
	}
	return s;
}

static ssize_t read_stream(void *context, void *buffer, size_t length)
{
	struct stream *s = context;
	size_t end = s->cut ? s->cut : s->size;
	size_t n = min_u64(length, end - min_u64(end, s->at));

	if (s->fail_at && s->at + n > s->fail_at)
		return -EIO;
	memcpy(buffer, s->bytes + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static struct page_source source_of(struct stream *s)
{
	s->at = 0;
	return (struct page_source){ .read = read_stream, .context = s };
}

static size_t draw_frames(struct frame *frames)
{
	size_t count = 1 + draw(draw(4) ? FRAMES_MAX : 3);
	unsigned int zeros = (unsigned int)draw(3) * 40; /* of 100 */
	uint64_t pfn = draw(50);

	for (size_t i = 0; i < count; i++) {
		frames[i] = (struct frame){ .pfn = pfn, .zero = draw(100) < zeros };
		pfn += draw(5) ? 1 : 1 + draw(40);
	}
	frames[draw(count)].zero = false;
	return count;
}

/* Ranges anywhere, few or many, long or short, beyond the frames too. */
static size_t draw_ranges(struct frame_range *ranges, uint64_t end)
{
	uint64_t step = 1 + draw(draw(2) ? 8 : 400), at = draw(step);
	size_t count = 0;

	while (at < end + 5 && count < FRAMES_MAX) {
		uint64_t length = 1 + draw(draw(2) ? 2 : 60);

		ranges[count++] = (struct frame_range){ .first = at, .count = length };
		at += length + draw(step);
	}
	return count;
}

static bool within(const struct frame_range *ranges, size_t count, uint64_t pfn)
{
	for (size_t i = 0; i < count; i++)
		if (pfn >= ranges[i].first && pfn - ranges[i].first < ranges[i].count)
			return true;
	return false;
}

static void need_stream(struct page_filter *filter, const struct stream *wanted)
{
	struct page_source source = page_filter_source(filter);
	unsigned char *got = malloc(wanted->size + 40 * PAGE);
	size_t done = 0;
	ssize_t n;

	ck_assert_ptr_nonnull(got);
	memset(got, 0xee, wanted->size + 40 * PAGE);
	ck_assert_uint_eq(filter->info.size, wanted->size);
	while (done < wanted->size) {
		n = source.read(source.context, got + done, (size_t)(1 + draw(40)) * PAGE);
		ck_assert_int_gt(n, 0);
		done += (size_t)n;
		ck_assert_uint_eq(got[done], 0xee); /* nothing is written beyond it */
	}
	ck_assert_uint_eq(done, wanted->size);
	ck_assert_mem_eq(got, wanted->bytes, wanted->size);
	ck_assert_int_eq(source.read(source.context, got, PAGE), 0);
	free(got);
}

START_TEST(test_any)
{
	static struct frame all[FRAMES_MAX], kept[FRAMES_MAX];
	static struct frame_range ranges[FRAMES_MAX];
	static unsigned char memory[64 * PAGE];
	unsigned int emptied = 0, untouched = 0;

	for (int round = 0; round < ROUNDS; round++) {
		size_t count, kept_count = 0, kept_data = 0, zeros = 0;
		struct frame_list frames = { .items = ranges };
		struct page_filter filter;
		struct page_source source;
		struct stream before, after;
		struct why w = { "" };
		int r;

		seed = 88172645463325252u + (uint64_t)round;
		for (int i = 0; i < 8; i++)
			draw(2);
		count = draw_frames(all);
		frames.count = draw_ranges(ranges, all[count - 1].pfn);
		for (size_t i = 0; i < count; i++) {
			bool out = within(ranges, frames.count, all[i].pfn);

			zeros += out && all[i].zero;
			kept_data += !out && !all[i].zero;
			if (!out)
				kept[kept_count++] = all[i];
		}
		before = make_stream(all, count);
		after = make_stream(kept, kept_count);
		source = source_of(&before);
		r = page_filter_begin(&filter, &source, before.size, PAGE, &frames, memory,
				      sizeof(memory), &w);
		if (kept_data == 0) {
			ck_assert_int_eq(r, -ENODATA);
			emptied++;
		} else {
			ck_assert_msg(r == 0, "round %d: %s", round, why_text(&w, r));
			ck_assert_uint_eq(filter.left_out, count - kept_count);
			ck_assert_uint_eq(filter.left_out_zero, zeros);
			need_stream(&filter, &after);
			untouched += kept_count == count;
		}
		free(before.bytes);
		free(after.bytes);
	}
	/* All kinds came. */
	ck_assert_uint_gt(emptied, 10);
	ck_assert_uint_gt(untouched, 10);
	ck_assert_uint_lt(emptied + untouched, ROUNDS / 2);
}
END_TEST

static const struct frame few[] = { { 10, false }, { 11, true }, { 12, false }, { 20, false } };
static struct frame_range middle[] = { { 11, 2 } };
static const struct frame_list left_out = { middle, 1 };

static int begin(struct stream *s, size_t memory_size, struct page_filter *ret)
{
	static unsigned char memory[16 * PAGE];
	const struct page_source source = source_of(s);
	struct why w = { "" };

	return page_filter_begin(ret, &source, s->size, PAGE, &left_out, memory, memory_size, &w);
}

/* Each read of the source fails, or it ends early: never a stream that is
 * shorter and looks whole. */
START_TEST(test_source_fails)
{
	struct stream s = make_stream(few, ARRAY_SIZE(few));
	unsigned char buffer[8 * PAGE];
	struct page_filter filter;

	for (size_t at = 1; at < s.size; at += PAGE / 2) {
		struct page_source source;
		int r;

		s.fail_at = at;
		s.cut = 0;
		r = begin(&s, 16 * PAGE, &filter);
		source = page_filter_source(&filter);
		ck_assert(r == -EIO || source.read(source.context, buffer, 4 * PAGE) == -EIO);
		s.fail_at = 0;
		s.cut = at;
		r = begin(&s, 16 * PAGE, &filter);
		source = page_filter_source(&filter);
		ck_assert(r == -EBADMSG ||
			  source.read(source.context, buffer, 4 * PAGE) < 4 * (ssize_t)PAGE);
	}
	s.cut = s.fail_at = 0;
	ck_assert_int_eq(begin(&s, 16 * PAGE, &filter), 0);
	ck_assert_uint_eq(filter.info.size, 4 * PAGE);
	ck_assert_int_eq(page_filter_source(&filter).read(&filter, buffer, PAGE + 1), -EINVAL);
	free(s.bytes);
}
END_TEST

START_TEST(test_refused)
{
	struct stream s = make_stream(few, ARRAY_SIZE(few));
	struct page_filter filter;

	ck_assert_int_eq(begin(&s, 3 * PAGE, &filter), 0);
	ck_assert_int_eq(begin(&s, 3 * PAGE - 1, &filter), -EFBIG);
	ck_assert_int_eq(begin(&s, PAGE, &filter), -EINVAL);
	s.size -= PAGE; /* not what the header says */
	ck_assert_int_eq(begin(&s, 16 * PAGE, &filter), -EBADMSG);
	s.size += PAGE;
	put_le64(s.bytes + PAGE + 8, 11); /* one more data page than there are */
	ck_assert_int_eq(begin(&s, 16 * PAGE, &filter), -EBADMSG);
	free(s.bytes);
	/* What a snapshot of this many frames takes. */
	ck_assert_uint_eq(page_filter_memory(1, PAGE), 3 * PAGE);
	ck_assert_uint_eq(page_filter_memory(NUMBERS, PAGE), 3 * PAGE);
	ck_assert_uint_eq(page_filter_memory(NUMBERS + 1, PAGE), 4 * PAGE);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_any);
	tcase_add_test(tcase, test_source_fails);
	tcase_add_test(tcase, test_refused);
}
