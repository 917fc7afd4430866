/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans all that makes a system hibernate into a swap file and resume from it. */
#ifndef S2DISK_SWAPFILE_ENABLE_H
#define S2DISK_SWAPFILE_ENABLE_H

#include "swapfile_boot.h"
#include "swapfile_steps.h"

#include <stdbool.h>

struct enable {
	const char *path;    /* the swap file */
	const char *device;  /* as resume= shall name it */
	const char *offset;  /* in pages, decimal */
	bool hibernate_only; /* off but while hibernating */
};

/* "resume=UUID=... resume_offset=N" into buffer; returns buffer. */
const char *enable_arguments(const struct enable *enable, char *buffer, size_t size);

/* Fills an empty plan. *ret_loader: what was found to be told to. -EINVAL with
 * the reason where the system is set up against it. */
int enable_plan(struct plan *plan, const struct swapfile_system *system,
		const struct enable *enable, enum boot_loader *ret_loader, struct why *w);

/* The drop-in of the configuration, as plan_file gets its path. */
const char *enable_config_path(const struct swapfile_system *system);

#endif
