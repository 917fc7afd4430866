/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first page of a swap area, whatever its size. The signature stands at the
 * end of that page, so a kernel with pages of another size than the one that made
 * the area (arm64 has 4, 16 and 64 KiB) would look for it in the wrong place, find
 * nothing, and boot on with an image that is still valid.
 */
#ifndef S2DISK_IMAGE_SIGNATURE_FIND_H
#define S2DISK_IMAGE_SIGNATURE_FIND_H

#include "image/image_commit.h"

#include <stddef.h>
#include <stdint.h>

/* Opens the first page of the area that begins at page number offset of the
 * device, where a page is native bytes; where nothing is known at its end, with
 * one of the other sizes, if something is. Which it was is ret->size (an offset is
 * in pages of that size, too). The sizes are tried in ascending order: a smaller
 * page's end lies among the zeros of a larger page's swap header, whereas a larger
 * page's end lies among what was swapped, which may be anything. */
int signature_page_find(struct signature_page *ret, int fd, uint64_t offset, size_t native,
			struct why *w);

/* Is there anything that is known: swap, an image of any kind, what is left of one of
 * ours? */
bool signature_page_known(const struct signature_page *sp);

#endif
