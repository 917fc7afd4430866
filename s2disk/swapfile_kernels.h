/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot loaders that have a file or an image for each kernel; see swapfile_boot.h. */
#ifndef S2DISK_SWAPFILE_KERNELS_H
#define S2DISK_SWAPFILE_KERNELS_H

#include "swapfile_steps.h"

#include <stdbool.h>

/* Are there entries of the boot loader specification for Linux kernels? */
bool kernels_have_entries(const struct swapfile_system *system);

/* The entries' options, and those of future kernels. */
int kernels_plan_entries(struct plan *plan, const struct swapfile_system *system,
			 const char *arguments, struct why *w);

/* The options of all kernels, and each installed anew (the options may be
 * inside of an image). */
int kernels_plan_install(struct plan *plan, const struct swapfile_system *system,
			 const char *arguments, struct why *w);

#endif
