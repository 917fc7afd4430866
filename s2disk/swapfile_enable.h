/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans all that makes a system hibernate into a swap area and resume from it:
 * fstab, a drop-in of the configuration, the initramfs. */
#ifndef S2DISK_SWAPFILE_ENABLE_H
#define S2DISK_SWAPFILE_ENABLE_H

#include "settings.h"
#include "swap/swap_area.h"
#include "swapfile_initramfs.h"
#include "swapfile_steps.h"

#include <stdbool.h>

/* In /etc/suspend.conf.d, or the like for uswsusp.conf. */
#define ENABLE_DROP_IN "/90-swapfile.conf"

struct enable {
	const char *path;	      /* the swap file, or the device's lasting name */
	const char *device;	      /* as resume= would name it */
	const char *offset;	      /* in pages, decimal; NULL for a partition */
	dev_t dev;		      /* of the device */
	const struct swap_area *area; /* NULL: not made yet */
	bool hibernate_only;	      /* off but while hibernating */
};

/* "resume=UUID=... resume_offset=N" into buffer; returns buffer. */
const char *enable_arguments(const struct enable *enable, char *buffer, size_t size);

/* Do the settings name that area? */
bool enable_is_named(const struct settings *settings, const char *path,
		     const struct swap_area *area);

/* Is that there? */
bool enable_has_drop_in(const struct swapfile_system *system);

/* Fills an empty plan. -EINVAL with the reason where the system is set up against it, or
 * the initramfs is not this program's to make. */
int enable_plan(struct plan *plan, const struct swapfile_system *system,
		const struct enable *enable, struct initramfs_site *ret_initramfs, struct why *w);

/* Fills an empty plan, to be undone only, with all that carries the marks of this
 * program, for when the state is lost; nothing where there is none. */
int enable_plan_marked(struct plan *plan, const struct swapfile_system *system, struct why *w);

#endif
