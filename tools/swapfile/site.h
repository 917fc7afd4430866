/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place for a swap file: its file system, whether that is suitable, and how large the file
 * should be. */
#ifndef S2DISK_SWAPFILE_SITE_H
#define S2DISK_SWAPFILE_SITE_H

#include "base/why.h"
#include "preflight/memory.h"

#include <stdint.h>
#include <sys/types.h>

struct site {
	char path[256];	      /* absolute; links in its directories followed */
	char directory[256];  /* the directory that it is in */
	uint32_t magic;	      /* of the file system */
	dev_t dev;	      /* its device; major number 0 if there is not exactly one */
	uint64_t free, total; /* bytes for data */
};

/* Pure: why a swap file cannot be on a file system of that type (as in mountinfo), and what to
 * do; NULL if it can, or may work. */
const char *site_refusal(const char *type);

/* Examines the directory of path (which need not exist itself). -EINVAL, with the reason and
 * what to do, if a swap file there could not be resumed from: the file systems above, /home and
 * /root under systemd, devices of site_check_device (for btrfs, which may have several, they are
 * checked once the file exists). */
int site_examine(const char *root, const char *path, struct site *ret, struct why *w);

/* Can an image be on this device, given what is under it? As device_stack_check(). */
int site_check_device(const char *root, dev_t dev, struct why *w);

/* Pure: a size in bytes. wanted 0: slightly larger than memory, which is always enough; if the
 * file system has no room for that, as much as it has, down to what is needed with half of
 * memory in use. Some space always stays free. *ret_reason explains the size ("" if it was
 * wanted). -ENOSPC, or -EINVAL for an impossible size. */
int site_choose_size(const struct site *site, const struct meminfo *meminfo, uint64_t wanted,
		     uint64_t *ret, const char **ret_reason, struct why *w);

#endif
