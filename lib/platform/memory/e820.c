/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memory/e820.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "kernel/image_info.h"

#include <errno.h>
#include <string.h>

#define ENTRY_SIZE 20

/* Documentation/arch/x86/zero-page.rst */
#define BOOT_PARAMS_COUNT 0x1e8
#define BOOT_PARAMS_ENTRIES 0x2d0
#define BOOT_PARAMS_MAX 128

enum e820_check e820_check_of_magic(uint64_t magic)
{
	switch (magic) {
	case IMAGE_X86_MAGIC_MD5:
		return E820_CHECK_MD5;
	case IMAGE_X86_MAGIC_CRC32:
		return E820_CHECK_CRC32;
	default:
		return E820_CHECK_UNKNOWN;
	}
}

size_t e820_checksum_size(enum e820_check check)
{
	switch (check) {
	case E820_CHECK_MD5:
		return MD5_SIZE;
	case E820_CHECK_CRC32:
		return sizeof(uint64_t);
	default:
		return 0;
	}
}

const char *e820_check_name(enum e820_check check)
{
	switch (check) {
	case E820_CHECK_MD5:
		return "MD5 of the memory map";
	case E820_CHECK_CRC32:
		return "CRC-32 of the memory map";
	default:
		return "unknown";
	}
}

/* The kernel's struct e820_table, up to its last used entry. */
static size_t put_table(const struct memory_map *map, unsigned char *table)
{
	put_le32(table, map->table_count);
	for (size_t i = 0; i < map->table_count; i++) {
		const struct memory_entry *entry = &map->entries.items[i];
		unsigned char *at = table + 4 + i * ENTRY_SIZE;

		put_le64(at, entry->start);
		put_le64(at + 8, entry->end - entry->start + 1);
		put_le32(at + 16, entry->type);
	}
	return 4 + (size_t)map->table_count * ENTRY_SIZE;
}

/* scratch has room for the whole table. */
static int checksum_with(enum e820_check check, const struct memory_map *map,
			 unsigned char *scratch, unsigned char result[E820_CHECKSUM_MAX])
{
	unsigned char sum[E820_CHECKSUM_MAX] = { 0 };
	size_t length = put_table(map, scratch);
	uint32_t crc;
	int r;

	if (check == E820_CHECK_MD5) {
		r = crypto_md5(scratch, length, sum);
	} else {
		r = crypto_crc32(scratch, length, &crc);
		if (r == 0)
			put_le64(sum, crc);
	}
	if (r == 0)
		memcpy(result, sum, sizeof(sum));
	return r;
}

static unsigned char *scratch_for(const struct memory_map *map)
{
	return malloc(4 + map->entries.count * ENTRY_SIZE);
}

int e820_checksum(enum e820_check check, const struct memory_map *map,
		  unsigned char result[E820_CHECKSUM_MAX])
{
	_cleanup_free_ unsigned char *scratch = NULL;

	if (check == E820_CHECK_UNKNOWN || !memory_map_valid(map))
		return -EINVAL;
	scratch = scratch_for(map);
	if (!scratch)
		return -ENOMEM;
	return checksum_with(check, map, scratch, result);
}

/* What the boot loader reported for an address; MEMORY_NONE: nothing. */
static uint32_t boot_type_at(const unsigned char *entries, size_t count, uint64_t address)
{
	uint32_t type = MEMORY_NONE;

	for (size_t i = 0; i < count; i++) {
		const unsigned char *at = entries + i * ENTRY_SIZE;
		uint64_t start = get_le64(at), size = get_le64(at + 8);

		/* Where entries overlap, the kernel uses the highest type. */
		if (address >= start && address - start < size && get_le32(at + 16) > type)
			type = get_le32(at + 16);
	}
	return type;
}

/*
 * Moves memory that the boot loader did not know to the end of the list and out of the
 * table. A module plugged while the machine boots comes first in /sys/firmware/memmap,
 * one plugged later comes last.
 */
static int leave_out_added(struct memory_map *map, const unsigned char *entries, size_t count)
{
	struct memory_entry *items = map->entries.items;
	_cleanup_free_ struct memory_entry *added = calloc(map->entries.count + 1, sizeof(*added));
	size_t kept = 0, left = 0;

	if (!added)
		return -ENOMEM;
	for (size_t i = 0; i < map->entries.count; i++) {
		if (items[i].type == MEMORY_RAM &&
		    boot_type_at(entries, count, items[i].start) == MEMORY_NONE)
			added[left++] = items[i];
		else
			items[kept++] = items[i];
	}
	for (size_t i = 0; i < left; i++)
		items[kept + i] = added[i];
	map->table_count = (uint32_t)kept;
	return 0;
}

void e820_apply_boot_params(struct memory_map *map, const void *data, size_t length)
{
	const unsigned char *page = data, *entries = page + BOOT_PARAMS_ENTRIES;
	size_t count;

	if (length < BOOT_PARAMS_ENTRIES)
		return;
	count = page[BOOT_PARAMS_COUNT];
	if (count == 0 || count > BOOT_PARAMS_MAX ||
	    length - BOOT_PARAMS_ENTRIES < count * ENTRY_SIZE)
		return;
	for (size_t i = 0; i < map->entries.count; i++) {
		struct memory_entry *entry = &map->entries.items[i];
		uint32_t type = boot_type_at(entries, count, entry->start);

		if (entry->unknown && type != MEMORY_NONE) {
			entry->type = type;
			entry->unknown = 0;
		}
	}
	/* A full list continues elsewhere, so what is missing from it proves nothing. */
	if (count == BOOT_PARAMS_MAX)
		return;
	if (leave_out_added(map, entries, count) < 0)
		return;
	map->table_known = 1;
}

int e820_capture_boot_params(const char *root, struct memory_map *map)
{
	_cleanup_free_ char *data = NULL;
	size_t length;
	int r = io_read_file(root, "/sys/kernel/boot_params/data", 65536, &data, &length);

	if (r == 0)
		e820_apply_boot_params(map, data, length);
	return r == -ENOMEM ? r : 0;
}

const char *calibration_name(uint32_t state)
{
	switch (state) {
	case CALIBRATION_MATCHED:
		return "reproduced";
	case CALIBRATION_FAILED:
		return "not reproduced";
	case CALIBRATION_UNCHECKED:
		return "the kernel stores none";
	case CALIBRATION_UNKNOWN:
		return "unknown kind";
	default:
		return "not tried";
	}
}

struct search {
	enum e820_check check;
	const unsigned char *wanted;
	size_t size;
	unsigned char *scratch;
	int error;
};

static bool matches(struct search *search, const struct memory_map *map)
{
	unsigned char sum[E820_CHECKSUM_MAX];
	int r = checksum_with(search->check, map, search->scratch, sum);

	if (r < 0)
		search->error = r;
	return r == 0 && memcmp(sum, search->wanted, search->size) == 0;
}

/* Every table length that only omits System RAM from the end. */
static bool try_lengths(struct search *search, struct memory_map *map)
{
	uint32_t guess = map->table_count;

	if (matches(search, map))
		return true;
	map->table_count = (uint32_t)map->entries.count;
	for (;;) {
		if (map->table_count != guess && matches(search, map))
			return true;
		if (map->table_count == 0 ||
		    map->entries.items[map->table_count - 1].type != MEMORY_RAM)
			break;
		map->table_count--;
	}
	map->table_count = guess;
	return false;
}

static void set_unknown(struct memory_map *map, uint32_t type)
{
	for (size_t i = 0; i < map->entries.count; i++)
		if (map->entries.items[i].unknown)
			map->entries.items[i].type = type;
}

/* All types seen in the wild are below 256, and one map has one. */
static bool try_types(struct search *search, struct memory_map *map)
{
	if (try_lengths(search, map))
		return true;
	for (uint32_t type = 6; type < 256; type++) {
		set_unknown(map, type);
		if (try_lengths(search, map))
			return true;
	}
	return false;
}

static bool has_unknown(const struct memory_map *map)
{
	for (size_t i = 0; i < map->entries.count; i++)
		if (map->entries.items[i].unknown)
			return true;
	return false;
}

int e820_calibrate(struct memory_map *map, uint64_t magic,
		   const unsigned char checksum[E820_CHECKSUM_MAX], uint32_t *ret_state)
{
	struct search search = { .check = e820_check_of_magic(magic), .wanted = checksum };
	_cleanup_free_ unsigned char *scratch = NULL;
	struct memory_map trial = { 0 };
	bool found;

	search.size = e820_checksum_size(search.check);
	if (search.check == E820_CHECK_UNKNOWN) {
		*ret_state = CALIBRATION_UNKNOWN;
		return 0;
	}
	if (search.check == E820_CHECK_MD5 && bytes_all_zero(checksum, search.size)) {
		*ret_state = CALIBRATION_UNCHECKED;
		return 0;
	}
	if (!map->entries.known || !memory_map_valid(map)) {
		*ret_state = CALIBRATION_FAILED;
		return 0;
	}
	search.scratch = scratch = scratch_for(map);
	if (!scratch || memory_map_copy(map, &trial) < 0)
		return -ENOMEM;
	found = has_unknown(map) ? try_types(&search, &trial) : try_lengths(&search, &trial);
	if (found) {
		memory_map_free(map);
		*map = trial;
	} else {
		memory_map_free(&trial);
	}
	if (!found && search.error == -ENOMEM)
		return -ENOMEM;
	*ret_state = found ? CALIBRATION_MATCHED : CALIBRATION_FAILED;
	return 0;
}
