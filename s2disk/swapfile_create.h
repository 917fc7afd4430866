/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a swap file that can be resumed from. */
#ifndef S2DISK_SWAPFILE_CREATE_H
#define S2DISK_SWAPFILE_CREATE_H

#include "base/why.h"
#include "swapfile_site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct create {
	const struct swapfile_system *system;
	const struct site *site;
	uint64_t size;
};

/* Pure: fills a page with the header of a swap area of that many bytes. */
void swapfile_header_make(unsigned char *page, size_t page_size, uint64_t bytes,
			  const unsigned char uuid[16]);

/* Pure: "USER:ROLE:TYPE[:RANGE]" with SELinux' type for swap files, as mkswap(8) gives it,
 * for a file that has the label old ("" for none). False: it is no label, or does not fit. */
bool swapfile_label_text(const char *old, char *ret, size_t size);

/* Makes the file as its file system needs it, fills and syncs it, writes the
 * swap header and confirms it by reading it from the block device. -EEXIST:
 * there is one already. On any other error the file may be there in part. */
int swapfile_create(void *context, const char *path, struct why *w);

#endif
