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

/* Runs "program add" (kernel-install) for each kernel that is there; goes on
 * where it fails for one. 0 or its first failure. */
int kernels_install(const struct swapfile_system *system, const char *program, struct why *w);

/* Takes these arguments out of all entries that have them and no others of
 * their kind, or puts those of before there (NULL: none). 0 or the first failure. */
int kernels_undo_entries(const struct swapfile_system *system, const char *arguments,
			 const char *before, struct why *w);

/* The values of resume= and resume_offset= in a command line, as arguments; ""
 * for none. */
void kernels_own_arguments(const char *args, char *buffer, size_t size);

#endif
