/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems/filesystem_stamp_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Offsets within the superblocks are those of the kernel's structures. */

/* struct ext4_super_block (fs/ext4/ext4.h), at byte 1024. Other fields change on the disk
 * while it is mounted; these change when it is mounted for writing, when its journal is
 * replayed, or when e2fsck runs. */
#define DISK_EXT_AT 1024
#define DISK_EXT_MAGIC 0xef53
#define DISK_EXT_MTIME 0x2c
#define DISK_EXT_MOUNT_COUNT 0x34
#define DISK_EXT_MAGIC_AT 0x38
#define DISK_EXT_LASTCHECK 0x40
#define DISK_EXT_INCOMPAT 0x60
#define DISK_EXT_UUID 0x68
#define DISK_EXT_MTIME_HIGH 0x275
#define DISK_EXT_LASTCHECK_HIGH 0x277
#define DISK_EXT_NEEDS_RECOVERY 4

/* The stamp of ext. */
#define STAMP_MTIME 0
#define STAMP_MOUNT_COUNT 8
#define STAMP_LASTCHECK 12
#define STAMP_RECOVERY 20

static bool take_ext(const unsigned char *page, struct filesystem *ret)
{
	const unsigned char *super = page + DISK_EXT_AT;

	if (get_le16(super + DISK_EXT_MAGIC_AT) != DISK_EXT_MAGIC)
		return false;
	strcpy(ret->type, "ext");
	memcpy(ret->uuid, super + DISK_EXT_UUID, sizeof(ret->uuid));
	memcpy(ret->stamp + STAMP_MTIME, super + DISK_EXT_MTIME, 4);
	ret->stamp[STAMP_MTIME + 4] = super[DISK_EXT_MTIME_HIGH];
	memcpy(ret->stamp + STAMP_MOUNT_COUNT, super + DISK_EXT_MOUNT_COUNT, 2);
	memcpy(ret->stamp + STAMP_LASTCHECK, super + DISK_EXT_LASTCHECK, 4);
	ret->stamp[STAMP_LASTCHECK + 4] = super[DISK_EXT_LASTCHECK_HIGH];
	ret->stamp[STAMP_RECOVERY] = super[DISK_EXT_INCOMPAT] & DISK_EXT_NEEDS_RECOVERY;
	return true;
}

/* struct xfs_dsb (fs/xfs/libxfs/xfs_format.h), big-endian: the counters, which are
 * written at unmount, and the log's position at that time. */
#define DISK_XFS_UUID 32
#define DISK_XFS_VERSION 100
#define DISK_XFS_COUNTERS 128
#define DISK_XFS_LSN 240

#define STAMP_LSN 24

static bool take_xfs(const unsigned char *page, struct filesystem *ret)
{
	if (memcmp(page, "XFSB", 4) != 0)
		return false;
	strcpy(ret->type, "xfs");
	memcpy(ret->uuid, page + DISK_XFS_UUID, sizeof(ret->uuid));
	memcpy(ret->stamp, page + DISK_XFS_COUNTERS, STAMP_LSN);
	if ((page[DISK_XFS_VERSION + 1] & 0xf) >= 5)
		memcpy(ret->stamp + STAMP_LSN, page + DISK_XFS_LSN, 8);
	return true;
}

/* struct btrfs_super_block (fs/btrfs/accessors.h), at byte 65536: generation,
 * root and log root change with every commit. */
#define DISK_BTRFS_AT 65536
#define DISK_BTRFS_UUID 0x20
#define DISK_BTRFS_MAGIC_AT 0x40
#define DISK_BTRFS_GENERATION 0x48
#define DISK_BTRFS_STAMP 32
/* Of its struct btrfs_dev_item: the device's own UUID. */
#define DISK_BTRFS_MEMBER (0xc9 + 66)

static bool take_btrfs(const unsigned char *page, struct filesystem *ret)
{
	if (memcmp(page + DISK_BTRFS_MAGIC_AT, "_BHRfS_M", 8) != 0)
		return false;
	strcpy(ret->type, "btrfs");
	memcpy(ret->uuid, page + DISK_BTRFS_UUID, sizeof(ret->uuid));
	memcpy(ret->stamp, page + DISK_BTRFS_GENERATION, DISK_BTRFS_STAMP);
	memcpy(ret->member, page + DISK_BTRFS_MEMBER, sizeof(ret->member));
	return true;
}

/* struct f2fs_super_block (include/linux/f2fs_fs.h), at byte 1024: it points to two
 * checkpoints; each write replaces the older one and increments the number. */
#define DISK_F2FS_AT 1024
#define DISK_F2FS_MAGIC 0xf2f52010u
#define DISK_F2FS_LOG_BLOCKS_PER_SEGMENT 20
#define DISK_F2FS_CHECKPOINT 76
#define DISK_F2FS_UUID 108

static int take_f2fs(const struct filesystem_source *source, unsigned char *page,
		     struct filesystem *ret)
{
	const unsigned char *super = page + DISK_F2FS_AT;
	uint64_t first = get_le32(super + DISK_F2FS_CHECKPOINT);
	uint32_t shift = get_le32(super + DISK_F2FS_LOG_BLOCKS_PER_SEGMENT);
	int r;

	if (get_le32(super) != DISK_F2FS_MAGIC || shift > 20)
		return -ENODEV;
	strcpy(ret->type, "f2fs");
	memcpy(ret->uuid, super + DISK_F2FS_UUID, sizeof(ret->uuid));
	for (unsigned int i = 0; i < 2; i++) {
		r = source->read(source->context, (first + ((uint64_t)i << shift)) * 4096, page);
		if (r < 0)
			return r;
		memcpy(ret->stamp + 8 * i, page, 8);
	}
	return 0;
}

static int identify(const struct filesystem_source *source, unsigned char *page,
		    struct filesystem *ret)
{
	int r = source->read(source->context, 0, page);

	memset(ret->type, 0, sizeof(ret->type));
	memset(ret->uuid, 0, sizeof(ret->uuid));
	memset(ret->stamp, 0, sizeof(ret->stamp));
	memset(ret->member, 0, sizeof(ret->member));
	memset(ret->log, 0, sizeof(ret->log));
	ret->unstamped = FILESYSTEM_STAMPED;
	if (r < 0)
		return r;
	if (take_ext(page, ret))
		return 0;
	if (take_xfs(page, ret))
		return stamp_log_of_xfs(source, page, ret->log);
	r = take_f2fs(source, page, ret);
	if (r != -ENODEV)
		return r;
	r = source->read(source->context, DISK_BTRFS_AT, page);
	if (r < 0)
		return r;
	if (take_btrfs(page, ret))
		return 0;
	r = stamp_bcachefs(source, page, ret);
	if (r != -ENODEV)
		return r;
	r = stamp_zfs(source, page, ret);
	return r != -ENODEV ? r : stamp_boot_sector(source, page, ret);
}

/* A disk that is offline or gone also returns -ENODEV (BLK_STS_OFFLINE,
 * block/blk-core.c), which says nothing about what is on it. */
static int read_or_fail(void *context, uint64_t offset, unsigned char *page)
{
	const struct filesystem_source *source = context;
	int r = source->read(source->context, offset, page);

	return r == -ENODEV ? -EIO : r;
}

int filesystem_identify(const struct filesystem_source *source, unsigned char *page,
			struct filesystem *ret)
{
	struct filesystem_source inner = *source;
	const struct filesystem_source checked = { .read = read_or_fail, .context = &inner };

	return identify(&checked, page, ret);
}

/* Older images do not record which of several devices it was. */
static bool same_member(const struct filesystem *a, const struct filesystem *b)
{
	return bytes_all_zero(a->member, sizeof(a->member)) ||
	       bytes_all_zero(b->member, sizeof(b->member)) ||
	       memcmp(a->member, b->member, sizeof(a->member)) == 0;
}

bool filesystem_same(const struct filesystem *a, const struct filesystem *b)
{
	return a->unstamped == b->unstamped && strcmp(a->type, b->type) == 0 &&
	       memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0 && same_member(a, b);
}

bool filesystem_unchanged(const struct filesystem *then, const struct filesystem *now)
{
	return memcmp(then->stamp, now->stamp, sizeof(then->stamp)) == 0 &&
	       (bytes_all_zero(then->log, sizeof(then->log)) ||
		memcmp(then->log, now->log, sizeof(then->log)) == 0);
}

static void ext_words(const unsigned char *stamp, char *text, size_t size)
{
	time_t when =
		(time_t)(get_le32(stamp + STAMP_MTIME) | (uint64_t)stamp[STAMP_MTIME + 4] << 32);
	unsigned int count = get_le16(stamp + STAMP_MOUNT_COUNT);
	char time_text[40] = "?";
	struct tm tm;

	if (gmtime_r(&when, &tm))
		strftime(time_text, sizeof(time_text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	snprintf(text, size, "mounted %u time%s, last at %s, %s", count, count == 1 ? "" : "s",
		 time_text, stamp[STAMP_RECOVERY] ? "in use" : "at rest");
}

void filesystem_words(const struct filesystem *filesystem, char *text, size_t size)
{
	const unsigned char *stamp = filesystem->stamp;
	uint64_t lsn;

	if (strcmp(filesystem->type, "ext") == 0) {
		ext_words(stamp, text, size);
	} else if (strcmp(filesystem->type, "xfs") == 0) {
		memcpy(&lsn, stamp + STAMP_LSN, sizeof(lsn));
		lsn = be64toh(lsn);
		snprintf(text, size, "log at %" PRIu64 ":%" PRIu64 ", written to %u:%" PRIu64,
			 lsn >> 32, lsn & UINT32_MAX, get_le32(filesystem->log),
			 get_le64(filesystem->log + 8));
	} else if (strcmp(filesystem->type, "btrfs") == 0) {
		snprintf(text, size, "generation %" PRIu64, get_le64(stamp));
	} else if (strcmp(filesystem->type, "f2fs") == 0) {
		snprintf(text, size, "checkpoint %" PRIu64,
			 max_u64(get_le64(stamp), get_le64(stamp + 8)));
	} else if (strcmp(filesystem->type, "bcachefs") == 0) {
		snprintf(text, size, "superblock %" PRIu64, get_le64(stamp));
	} else if (strcmp(filesystem->type, "zfs") == 0) {
		snprintf(text, size, "transaction group %" PRIu64, get_le64(stamp));
	} else if (strcmp(filesystem->type, "fat") == 0 || strcmp(filesystem->type, "exfat") == 0 ||
		   strcmp(filesystem->type, "ntfs") == 0) {
		snprintf(text, size, "content %08" PRIx64,
			 (get_le64(stamp) ^ get_le64(stamp + 8) ^ get_le64(stamp + 16) ^
			  get_le64(stamp + 24)) &
				 UINT32_MAX);
	} else {
		text_copy(text, size, "?");
	}
}
