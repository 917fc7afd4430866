/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/filesystem_stamp_private.h"

#include "base/bytes.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/* struct xfs_dsb (fs/xfs/libxfs/xfs_format.h), big-endian. */
#define DISK_LOG_START 48
#define DISK_AG_BLOCKS 84
#define DISK_LOG_BLOCKS 96
#define DISK_BLOCK_SHIFT 120
#define DISK_AG_SHIFT 124

/* fs/xfs/libxfs/xfs_log_format.h: each basic block of the log begins with its cycle,
 * except the first block of a record, which begins with this, followed by the cycle. */
#define BASIC_BLOCK 512
#define RECORD_MAGIC 0xfeedbabeu

static uint32_t get_be32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

struct log {
	const struct filesystem_source *source;
	unsigned char *page;
	uint64_t start; /* bytes */
};

static int read_cycle(const struct log *log, uint64_t block, uint32_t *ret)
{
	uint64_t at = log->start + block * BASIC_BLOCK;
	const unsigned char *found = log->page + at % FILESYSTEM_PAGE;
	int r = log->source->read(log->source->context, at - at % FILESYSTEM_PAGE, log->page);

	if (r < 0)
		return r;
	*ret = get_be32(found);
	if (*ret == RECORD_MAGIC)
		*ret = get_be32(found + 4);
	return 0;
}

/* Finds the first block whose cycle differs from that of block 0, by bisection: the cycle
 * numbers drop once (xlog_find_head(), xlog_find_zeroed() in fs/xfs/xfs_log_recover.c). */
static int find_head(const struct log *log, uint64_t blocks, uint32_t first, uint64_t *ret)
{
	uint64_t low = 0, high = blocks;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		uint32_t cycle;
		int r = read_cycle(log, middle, &cycle);

		if (r < 0)
			return r;
		if (cycle == first)
			low = middle;
		else
			high = middle;
	}
	*ret = high;
	return 0;
}

int stamp_log_of_xfs(const struct filesystem_source *source, unsigned char *page,
		     unsigned char head[16])
{
	uint64_t start = (uint64_t)get_be32(page + DISK_LOG_START) << 32 |
			 get_be32(page + DISK_LOG_START + 4);
	uint64_t ag_blocks = get_be32(page + DISK_AG_BLOCKS);
	uint64_t blocks = get_be32(page + DISK_LOG_BLOCKS), last = 0;
	unsigned int shift = page[DISK_BLOCK_SHIFT], ag_shift = page[DISK_AG_SHIFT];
	struct log log = { .source = source, .page = page };
	uint32_t first;
	int r;

	if (start == 0)
		return 0;
	if (shift < 9 || shift > 16 || ag_shift > 31 || blocks == 0 ||
	    start >> ag_shift > UINT32_MAX)
		return -EUCLEAN;
	log.start = ((start >> ag_shift) * ag_blocks + (start & ((UINT64_C(1) << ag_shift) - 1)))
		    << shift;
	blocks <<= shift - 9;
	r = read_cycle(&log, 0, &first);
	if (r == 0)
		r = find_head(&log, blocks, first, &last);
	if (r < 0)
		return r;
	put_le32(head, first);
	put_le64(head + 8, last);
	head[4] = 1; /* not all zeros: it was read */
	return 0;
}
