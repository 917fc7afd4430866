/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File systems without a counter of mounts: what a mount for writing usually changes is
 * hashed into the stamp. doc/platform-verdict.md lists what that misses.
 */
#include "platform/filesystems/filesystem_stamp_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

/* struct bch_sb (fs/bcachefs/bcachefs_format.h), at sector 8: a sequence number counts
 * its writes, and every mount for writing writes it (bch2_fs_mark_dirty()). */
#define BCACHE_AT 4096
#define BCACHE_MAGIC_AT 24
#define BCACHE_UUID 56
#define BCACHE_SEQUENCE 112

/* FNV-1a, 64 bits: it guards against chance, not against an adversary. */
static uint64_t fold(uint64_t sum, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

#define FOLD_BEGIN UINT64_C(0xcbf29ce484222325)

uint64_t stamp_fold(const unsigned char *bytes, size_t length)
{
	return fold(FOLD_BEGIN, bytes, length);
}

/* Hashes the page that contains a byte of the device into the stamp. */
static int fold_page(const struct filesystem_source *source, unsigned char *page, uint64_t at,
		     unsigned char *stamp)
{
	int r = source->read(source->context, at - at % FILESYSTEM_PAGE, page);

	if (r == 0)
		put_le64(stamp, fold(FOLD_BEGIN, page, FILESYSTEM_PAGE));
	return r;
}

int stamp_bcachefs(const struct filesystem_source *source, unsigned char *page,
		   struct filesystem *ret)
{
	static const unsigned char magic[16] = { 0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9,
						 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef };
	int r = source->read(source->context, BCACHE_AT, page);

	if (r < 0)
		return r;
	if (memcmp(page + BCACHE_MAGIC_AT, magic, sizeof(magic)) != 0)
		return -ENODEV;
	strcpy(ret->type, "bcachefs");
	memcpy(ret->uuid, page + BCACHE_UUID, sizeof(ret->uuid));
	memcpy(ret->stamp, page + BCACHE_SEQUENCE, 8);
	return 0;
}

/* Positions on the device, in bytes; 0: there is none. */
struct places {
	uint64_t info, table, root;
};

static bool is_power(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most && (value & (value - 1)) == 0;
}

/* struct fat_boot_sector (include/uapi/linux/msdos_fs.h). */
static bool find_fat(const unsigned char *boot, struct filesystem *ret, struct places *places)
{
	uint64_t sector = get_le16(boot + 0x0b), reserved = get_le16(boot + 0x0e);
	uint64_t length = get_le16(boot + 0x16), copies = boot[0x10];
	bool large = memcmp(boot + 0x52, "FAT32", 5) == 0;

	if ((!large && memcmp(boot + 0x36, "FAT", 3) != 0) || get_le16(boot + 510) != 0xaa55 ||
	    !is_power(sector, 512, 4096) || !is_power(boot[0x0d], 1, 128) || reserved == 0 ||
	    copies == 0 || copies > 2 || (large && get_le32(boot + 0x2c) < 2))
		return false;
	strcpy(ret->type, "fat");
	memcpy(ret->uuid, boot + (large ? 0x43 : 0x27), 4);
	/* Linux' mark that it is mounted for writing. */
	ret->stamp[24] = boot[large ? 0x41 : 0x25];
	if (large)
		length = get_le32(boot + 0x24);
	places->table = reserved * sector;
	places->root = (reserved + copies * length) * sector;
	if (!large)
		return true;
	places->info = get_le16(boot + 0x30) * sector;
	places->root += (get_le32(boot + 0x2c) - UINT64_C(2)) * boot[0x0d] * sector;
	return true;
}

/* struct boot_sector (fs/exfat/exfat_raw.h). */
static bool find_exfat(const unsigned char *boot, struct filesystem *ret, struct places *places)
{
	unsigned int shift = boot[0x6c], cluster = boot[0x6d];

	if (memcmp(boot + 3, "EXFAT   ", 8) != 0 || shift < 9 || shift > 12 || cluster > 16 ||
	    get_le32(boot + 0x60) < 2)
		return false;
	strcpy(ret->type, "exfat");
	memcpy(ret->uuid, boot + 0x64, 4);
	memcpy(ret->stamp + 24, boot + 0x6a, 2); /* in use for writing */
	ret->stamp[26] = boot[0x70];		 /* percent in use */
	places->table = (uint64_t)get_le32(boot + 0x50) << shift;
	places->info = (uint64_t)get_le32(boot + 0x58) << shift; /* mostly the bitmap */
	places->root = places->info + ((get_le32(boot + 0x60) - UINT64_C(2)) << (shift + cluster));
	return true;
}

/* struct msdos_dir_entry (include/uapi/linux/msdos_fs.h). */
#define ENTRY_SIZE 32
#define ENTRY_ATTRIBUTES 11
#define ENTRY_ACCESSED 18
#define ENTRY_MODIFIED 22
#define LONG_NAME 0x0f
#define ARCHIVE 0x20

/* The root directory, without what firmware changes there when it writes to a file below
 * it: at each start systemd-boot rewrites \loader\random-seed in place, and EDK II sets
 * the time and the archive flag of each directory above (FatOFileFlush() in
 * FatPkg/EnhancedFatDxe/Flush.c). That is a normal start, not another system. */
static int fold_root_of_fat(const struct filesystem_source *source, unsigned char *page,
			    uint64_t at, unsigned char *stamp)
{
	size_t first = at % FILESYSTEM_PAGE;
	int r = source->read(source->context, at - first, page);

	for (; r == 0 && first + ENTRY_SIZE <= FILESYSTEM_PAGE; first += ENTRY_SIZE) {
		unsigned char *entry = page + first;

		if ((entry[ENTRY_ATTRIBUTES] & LONG_NAME) == LONG_NAME)
			continue;
		entry[ENTRY_ATTRIBUTES] &= (unsigned char)~ARCHIVE;
		memset(entry + ENTRY_ACCESSED, 0, 2);
		memset(entry + ENTRY_MODIFIED, 0, 4);
	}
	if (r == 0)
		put_le64(stamp, fold(FOLD_BEGIN, page, FILESYSTEM_PAGE));
	return r;
}

/* Sectors of a cluster; values above 128 are a negative power of two. 0: invalid. */
static uint64_t cluster_of_ntfs(unsigned char value)
{
	if (value <= 128)
		return value;
	return value > 192 ? UINT64_C(1) << (256 - value) : 0;
}

/* struct NTFS_BOOT (fs/ntfs3/ntfs.h). The first records of the MFT: itself, its mirror,
 * $LogFile and $Volume, with the in-use flag. */
static bool find_ntfs(const unsigned char *boot, struct filesystem *ret, struct places *places)
{
	uint64_t sector = get_le16(boot + 0x0b), cluster = cluster_of_ntfs(boot[0x0d]);

	if (memcmp(boot + 3, "NTFS    ", 8) != 0 || !is_power(sector, 512, 4096))
		return false;
	if (!is_power(cluster, 1, 4096) || get_le64(boot + 0x30) > UINT64_C(1) << 40)
		return false;
	strcpy(ret->type, "ntfs");
	memcpy(ret->uuid, boot + 0x48, 8);
	places->table = get_le64(boot + 0x30) * cluster * sector;
	return true;
}

/* $LogFile's first run, from its record: its restart page has the log's last number. */
static bool find_ntfs_log(const unsigned char *page, uint64_t *ret_cluster)
{
	const unsigned char *record = page + 2 * 1024;
	size_t at = get_le16(record + 0x14);

	if (memcmp(record, "FILE", 4) != 0)
		return false;
	while (at + 0x48 < 1024 && get_le32(record + at) != UINT32_MAX) {
		size_t length = get_le32(record + at + 4), runs = get_le16(record + at + 0x20);
		const unsigned char *run = record + at + runs;
		uint64_t cluster = 0;

		if (length < 16 || length > 1024 - at)
			return false;
		if (get_le32(record + at) != 0x80 || record[at + 8] == 0) {
			at += length;
			continue;
		}
		if (runs + 17 > length || (run[0] & 0xf) > 8 || run[0] >> 4 > 5 || run[0] >> 4 == 0)
			return false;
		for (unsigned int i = run[0] >> 4; i > 0; i--)
			cluster = cluster << 8 | run[(run[0] & 0xf) + i];
		*ret_cluster = cluster;
		return true;
	}
	return false;
}

static int fold_places(const struct filesystem_source *source, unsigned char *page,
		       const struct places *places, struct filesystem *ret)
{
	int r = fold_page(source, page, places->table, ret->stamp);

	if (r == 0 && places->info)
		r = fold_page(source, page, places->info, ret->stamp + 8);
	if (r == 0 && places->root && strcmp(ret->type, "fat") == 0)
		r = fold_root_of_fat(source, page, places->root, ret->stamp + 16);
	else if (r == 0 && places->root)
		r = fold_page(source, page, places->root, ret->stamp + 16);
	return r;
}

int stamp_boot_sector(const struct filesystem_source *source, unsigned char *page,
		      struct filesystem *ret)
{
	struct places places = { 0 };
	uint64_t cluster, log;
	int r = source->read(source->context, 0, page);

	if (r < 0)
		return r;
	if (find_fat(page, ret, &places) || find_exfat(page, ret, &places))
		return fold_places(source, page, &places, ret);
	cluster = get_le16(page + 0x0b) * cluster_of_ntfs(page[0x0d]);
	if (!find_ntfs(page, ret, &places))
		return -ENODEV;
	r = fold_places(source, page, &places, ret);
	if (r == 0 && places.table % FILESYSTEM_PAGE == 0 && find_ntfs_log(page, &log))
		r = fold_page(source, page, log * cluster, ret->stamp + 8);
	return r;
}
