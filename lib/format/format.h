/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Constants of the image format that several files need; see doc/image-format.md.
 */
#ifndef S2DISK_FORMAT_FORMAT_H
#define S2DISK_FORMAT_FORMAT_H

#include <stdint.h>

#define IMAGE_ID_SIZE 16

#define BLOCK_SIZE_MIN (64u << 10)
#define BLOCK_SIZE_MAX (4u << 20)
#define BLOCK_SIZE_DEFAULT (512u << 10)

#define PAGE_SIZE_MIN 4096u
#define PAGE_SIZE_MAX 65536u

/* More sections than any machine produces: a terabyte of memory needs 50 MiB of block table. */
#define SECTIONS_SIZE_MAX (256ull << 20)

enum section_type {
	SECTION_KERNEL_HEADER = 1,
	SECTION_PAGE_RANGES = 2,
	SECTION_BLOCK_TABLE = 3,
	SECTION_PLATFORM = 4,
	SECTION_WRITER = 5,
};

#define SECTION_CRITICAL 1u

/* Incompatible features. */
#define FEATURE_SEALED UINT64_C(1)

/* Ways to the key of a sealed image. */
#define KEY_SLOTS_MAX 8u
#define KEY_SLOT_SIZE 256u

/* What the check field of a block contains. */
enum block_check {
	BLOCK_CHECK_CRC32 = 1,
	BLOCK_CHECK_SEAL = 2, /* the AEAD tag; in sealed images, and only there */
};

#endif
