/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's memory map as shown by /sys/firmware/memmap. */
#ifndef S2DISK_PLATFORM_MEMORY_MAP_H
#define S2DISK_PLATFORM_MEMORY_MAP_H

#include "platform/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of the map. The numbers are those of ACPI and Linux. */
enum memory_type {
	MEMORY_NONE = 0, /* in no entry: a hole */
	MEMORY_RAM = 1,
	MEMORY_RESERVED = 2,
	MEMORY_ACPI = 3,
	MEMORY_NVS = 4,
	MEMORY_UNUSABLE = 5,
	MEMORY_PMEM = 7,
	MEMORY_PRAM = 12,
	MEMORY_VENDOR_20 = 20, /* what most firmware means if sysfs says "unknown" */
	MEMORY_SOFT_RESERVED = 0xefffffff,
};

struct memory_entry {
	uint64_t start;
	uint64_t end; /* inclusive */
	uint32_t type;
	uint32_t unknown; /* neither sysfs nor the boot loader gave the type: a guess until
			     calibrated */
};

/* No memory map has more entries. */
#define MEMORY_MAP_MAX 4096

/* Entries in table order. Those from table_count on were hot-plugged: the kernel appended
 * them, and its own table and checksum do not include them. */
struct memory_map {
	LIST_OF(struct memory_entry) entries;
	uint32_t table_count;
	uint32_t table_known; /* table_count is from the boot loader's list, not a guess */
};

void memory_map_free(struct memory_map *map);
int memory_map_copy(const struct memory_map *map, struct memory_map *ret);

/* Reads ROOT/sys/firmware/memmap. If there is none (other architectures), the map stays
 * unknown and 0 is returned. */
int memory_map_capture(const char *root, struct memory_map *ret);

/* Pure: from lines "0xSTART 0xEND TYPE", as in a boot record; # begins a comment. 0, -EINVAL (*ret
 * is untouched) or -ENOMEM. */
int memory_map_parse(const char *text, struct memory_map *ret);

/* The number of a type by its name in sysfs; MEMORY_NONE if unknown. */
uint32_t memory_type_parse(const char *text);

/* "System RAM", "Reserved", …; "type 20" (in buffer) for others. */
const char *memory_type_name(uint32_t type, char *buffer, size_t size);

/* Index of the entry that contains address; of several that overlap (only a damaged map
 * has such) one that is not RAM. -1: a hole. */
ssize_t memory_map_find(const struct memory_map *map, uint64_t address);
uint32_t memory_map_type_at(const struct memory_map *map, uint64_t address);

/* The same entries, in the same order and with the same types? */
bool memory_map_equal(const struct memory_map *a, const struct memory_map *b);

/* Every entry ends after it starts, and the counts are within bounds. */
bool memory_map_valid(const struct memory_map *map);

#endif
