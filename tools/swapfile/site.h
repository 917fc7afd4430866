/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place for a swap file: its file system, what that is good for, and how large the file
 * shall be. */
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
	dev_t dev;	      /* that it is on; major number 0 where that is not one */
	uint64_t free, total; /* bytes for data */
};

/* Pure: why a swap file cannot be on a file system of that type, as mountinfo names it, with the
 * way out; NULL where it can, or is tried. */
const char *site_refusal(const char *type);

/* Looks at the directory of path (which need not exist itself). -EINVAL with
 * reason and way out where no swap file to resume from can be there: the file
 * systems above, /home and /root under systemd, devices of site_check_device (of btrfs,
 * which may have several, the file tells on which it is). */
int site_examine(const char *root, const char *path, struct site *ret, struct why *w);

/* May an image be on this device, by what lies under it? As device_stack_check. */
int site_check_device(const char *root, dev_t dev, struct why *w);

/* Pure: a size in bytes. wanted 0: as large as memory and a little more, so that it suffices
 * whatever memory holds; where the file system has no room for that, as much as it has, down
 * to what is needed with half of memory in use. Something stays free in any case. *ret_reason
 * says what it is ("" where it was wanted). -ENOSPC, or -EINVAL for one that makes no sense. */
int site_choose_size(const struct site *site, const struct meminfo *meminfo, uint64_t wanted,
		     uint64_t *ret, const char **ret_reason, struct why *w);

#endif
