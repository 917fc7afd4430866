/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86: the check that Linux makes of the memory map, repeated in user space.
 *
 * The kernel's image header contains a checksum of its table of the firmware's map. Computed from
 * /sys/firmware/memmap it is nearly always the same; every hibernation verifies that (calibration),
 * and only a checksum that was reproduced is ever replaced.
 */
#ifndef S2DISK_PLATFORM_E820_H
#define S2DISK_PLATFORM_E820_H

#include "platform/memory/memory_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define E820_CHECKSUM_MAX 16

/* The check of a generation of kernels, identified by the magic. */
enum e820_check {
	E820_CHECK_UNKNOWN, /* do not change anything */
	E820_CHECK_MD5,	    /* up to 5.13; all zeros: not checked */
	E820_CHECK_CRC32,   /* 5.14 and later */
};

enum e820_check e820_check_of_magic(uint64_t magic);

/* Bytes of the checksum in the header page: 16, or 8 (an unsigned long that
 * holds 32 bits); 0 for E820_CHECK_UNKNOWN. */
size_t e820_checksum_size(enum e820_check check);
const char *e820_check_name(enum e820_check check);

/* The checksum of the first table_count entries, as the header page has it.
 * 0, -EINVAL for E820_CHECK_UNKNOWN, -EOPNOTSUPP (MD5 under FIPS), -ENOMEM. */
int e820_checksum(enum e820_check check, const struct memory_map *map,
		  unsigned char result[E820_CHECKSUM_MAX]);

/* Marks hot-plugged entries and assigns numbers to types that sysfs could not name, from
 * what the boot loader passed on (the content of /sys/kernel/boot_params/data). Such a
 * type is known from then on: the kernel built its table from these numbers
 * (e820__memory_setup_default()). Pure. */
void e820_apply_boot_params(struct memory_map *map, const void *data, size_t length);

/* The same, reading ROOT/sys/kernel/boot_params/data if it exists. 0 or -ENOMEM. */
int e820_capture_boot_params(const char *root, struct memory_map *map);

enum calibration_state {
	CALIBRATION_NOT_TRIED = 0,
	CALIBRATION_MATCHED = 1,   /* reproduced */
	CALIBRATION_FAILED = 2,	   /* no candidate gave the kernel's value */
	CALIBRATION_UNCHECKED = 3, /* this kernel stores none: nothing is compared */
	CALIBRATION_UNKNOWN = 4,   /* an unknown generation */
};

const char *calibration_name(uint32_t state);

/* Pure: finds the table_count and the numbers of unknown types with which the map gives
 * the checksum of a header page (IMAGE_INFO_MAGIC and the bytes of IMAGE_INFO_CHECKSUM), and stores
 * them in map. A map that does not match is left unchanged. The result is in *ret_state; the return
 * value is 0 or -ENOMEM. */
int e820_calibrate(struct memory_map *map, uint64_t magic,
		   const unsigned char checksum[E820_CHECKSUM_MAX], uint32_t *ret_state);

#endif
