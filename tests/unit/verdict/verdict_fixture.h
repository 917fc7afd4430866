/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two machines and an image, for the tests of verdicts, which run in processes
 * of their own. */
#ifndef S2DISK_TESTS_VERDICT_FIXTURE_H
#define S2DISK_TESTS_VERDICT_FIXTURE_H

#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "platform/memory/memory_map.h"
#include "fixtures/made_data.h"
#include "kernel/image_info.h"
#include "verdict/verdict.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_CRC32 0x23456789abcdef02

/* Two machines that are the same until a test changes one, and an image. Each is
 * there once in a program, in however many files it is. */
#define ONCE __attribute__((weak))
ONCE struct platform then, now;
ONCE unsigned char header[IMAGE_INFO_END];
ONCE struct frame_range ranges[16];
ONCE struct verdict_image image;
ONCE struct verdict verdict;

/* The kernel's header as it makes one of the machine, calibrated. */
static inline void make_header(void)
{
	memset(header, 0, sizeof(header));
	put_le64(header + IMAGE_INFO_MAGIC, MAGIC_CRC32);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &then.map, header + IMAGE_INFO_CHECKSUM),
			 0);
	put_le64(header + 400, then.ram.pages.present);
	ck_assert_int_eq(platform_calibrate(&then, header, sizeof(header)), 0);
}

/* As if the machine had hibernated: the header, and an image without pages. */
static inline void hibernate(void)
{
	make_header();
	image = (struct verdict_image){ .ranges = ranges,
					.header = header,
					.header_length = sizeof(header) };
}

static inline void set_map(struct platform *platform, const char *text)
{
	memory_map_free(&platform->map);
	ck_assert_int_eq(memory_map_parse(text, &platform->map), 0);
}

static inline void add_zone(struct platform *platform, const char *name, uint64_t start,
			    uint64_t end)
{
	struct memory_zone zone = { .start = start,
				    .spanned = end - start,
				    .present = end - start,
				    .managed = end - start };

	snprintf(zone.name, sizeof(zone.name), "%s", name);
	platform->ram.zones.items.known = true;
	ck_assert_int_eq(list_append(&platform->ram.zones.items, zone), 0);
}

/* As x86 has them, up to the end of RAM. */
static inline void add_zones(struct platform *platform)
{
	static const struct {
		const char *name;
		uint64_t start, end;
	} zones[] = {
		{ "DMA", 1, 0x1000 },
		{ "DMA32", 0x1000, 0x100000 },
		{ "Normal", 0x100000, UINT64_MAX },
	};
	uint64_t top = 0;

	for (size_t i = 0; i < platform->map.entries.count; i++)
		if (platform->map.entries.items[i].type == MEMORY_RAM)
			top = platform->map.entries.items[i].end / 4096 + 1;
	list_free(&platform->ram.zones.items);
	for (size_t i = 0; i < ARRAY_SIZE(zones) && zones[i].start < top; i++)
		add_zone(platform, zones[i].name, zones[i].start, min_u64(zones[i].end, top));
}

static inline void start_with(const char *then_map, const char *now_map)
{
	then.ram.pages = (struct memory_pages){ .page_size = 4096,
						.present = 100000,
						.offlining = OFFLINING_POSSIBLE };
	now.ram.pages = then.ram.pages;
	set_map(&then, then_map);
	set_map(&now, now_map);
	add_zones(&then);
	hibernate();
}

static inline void start_with_files(const char *then_file, const char *now_file)
{
	_cleanup_free_ char *a = NULL, *b = NULL;
	char path[200];

	snprintf(path, sizeof(path), "/memory-maps/%s", then_file);
	ck_assert_int_eq(io_read_file(test_data(), path, 1 << 20, &a, NULL), 0);
	snprintf(path, sizeof(path), "/memory-maps/%s", now_file);
	ck_assert_int_eq(io_read_file(test_data(), path, 1 << 20, &b, NULL), 0);
	start_with(a, b);
}

static inline void start_with_tree(const char *tree)
{
	char root[300];

	snprintf(root, sizeof(root), "%s/platform/%s", test_data(), tree);
	ck_assert_int_eq(platform_capture(root, NULL, &then, NULL), 0);
	ck_assert_int_eq(platform_capture(root, NULL, &now, NULL), 0);
	hibernate();
}

/* Pages of the image: pairs of first frame and count, ended by a count of 0. */
static inline void hold(uint64_t first, uint64_t count)
{
	ck_assert_uint_lt(image.range_count, sizeof(ranges) / sizeof(ranges[0]));
	ranges[image.range_count++] = (struct frame_range){ first, count };
}

/* Some small pieces of free memory, as every system that ran for a while has: 90 frames
 * that are in no block of 16. */
static inline void have_pieces(uint64_t at)
{
	for (unsigned int i = 1; i <= 6; i++)
		hold(at + i * 16 - 1, 1);
}

static inline void judge(void)
{
	struct why w = { "" };

	ck_assert_msg(verdict_judge(&then, &now, &image, &verdict, &w) == 0, "%s", w.text);
}

static inline void clean_up(void)
{
	verdict_free(&verdict);
	platform_free(&then);
	platform_free(&now);
}

/* The only finding about something; fails when there are others. */
static inline const struct finding *only(enum verdict_about about)
{
	const struct finding *found = NULL;

	for (size_t i = 0; i < verdict.count; i++) {
		if (verdict.findings[i].about != about)
			continue;
		ck_assert_msg(!found, "two: %s / %s", found ? found->text : "",
			      verdict.findings[i].text);
		found = &verdict.findings[i];
	}
	ck_assert_msg(found != NULL, "none about %s", verdict_about_name(about));
	return found;
}

static inline size_t differences(void)
{
	size_t count = 0;

	for (size_t i = 0; i < verdict.count; i++)
		count += verdict.findings[i].class != VERDICT_SAME;
	return count;
}

#endif
