/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first page of a swap area, of any page size. The signature is at the end of that page, so a
 * kernel with another page size than the one that made the area (arm64 has 4, 16 and 64 KiB) would
 * look in the wrong place, find nothing, and continue booting with an image that is still
 * valid. */
#ifndef S2DISK_IMAGE_SIGNATURE_FIND_H
#define S2DISK_IMAGE_SIGNATURE_FIND_H

#include "image/image_commit.h"

#include <stddef.h>
#include <stdint.h>

/* Opens the first page of the area that begins at page number offset of the
 * device, where a page is native bytes; if there is no known signature at its end, tries the other
 * sizes. The size found is ret->size (offset is in pages of that size, too). Sizes are tried in
 * ascending order: the end of a smaller page is among the zeros of a larger page's swap header,
 * whereas the end of a larger page is among swapped pages, which may contain anything. */
int signature_page_find(struct signature_page *ret, int fd, uint64_t offset, size_t native,
			struct why *w);

#endif
