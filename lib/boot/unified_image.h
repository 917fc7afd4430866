/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images: kernel, initramfs and command line as sections of one PE
 * program (UAPI group, "Unified Kernel Image"; Microsoft, "PE Format").
 */
#ifndef S2DISK_BOOT_UNIFIED_IMAGE_H
#define S2DISK_BOOT_UNIFIED_IMAGE_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

/* The headers lie within the first bytes. */
#define UNIFIED_HEADER_SIZE 65536u

struct unified_section {
	uint64_t offset, length; /* in the file; length 0: it has none */
};

struct unified_image {
	struct unified_section initrd, cmdline;
};

/* Pure: finds the sections; of several of one name the first counts, which is the
 * profile that is taken without a choice. header is the beginning of a file of file_size bytes.
 * -EBADMSG: no sound PE image; -ENOENT: it has no initramfs in it. */
int unified_image_parse(const unsigned char *header, size_t length, uint64_t file_size,
			struct unified_image *ret, struct why *w);

#endif
