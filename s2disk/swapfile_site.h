/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place for a swap file: its file system, and what that is good for. */
#ifndef S2DISK_SWAPFILE_SITE_H
#define S2DISK_SWAPFILE_SITE_H

#include "base/why.h"
#include "swap/device_stack.h"
#include "swapfile_system.h"

#include <stdbool.h>
#include <stdint.h>

struct site {
	char path[256];	      /* absolute; links in its folders followed */
	char folder[256];     /* the folder that it is in */
	uint32_t magic;	      /* of the file system */
	dev_t dev;	      /* that it is on; major number 0 where that is not one */
	uint64_t free, total; /* bytes for data */
};

/* Pure: why a swap file cannot be on a file system of that type, as mountinfo names it, with the
 * way out; NULL where it can, or is tried. */
const char *site_refusal(const char *type);

/* Looks at the folder of path (which need not exist itself). -EINVAL with
 * reason and way out where no swap file to resume from can be there: the file
 * systems above, /home and /root under systemd, devices of device_stack_check. */
int site_examine(const struct swapfile_system *system, const char *path, struct site *ret,
		 struct why *w);

/* Calls see() for the block devices of the file system that a folder is on:
 * several of btrfs, none of what has none. Stops at an error. */
int site_each_device(const char *folder, int (*see)(void *context, dev_t dev), void *context,
		     struct why *w);

/* Checks what lies under a device. */
int site_check_device(const struct swapfile_system *system, dev_t dev, struct device_stack *stack,
		      struct why *w);

#endif
