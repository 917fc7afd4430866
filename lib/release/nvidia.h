/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver of NVIDIA, where it preserves video memory: its freeze fails with EIO ("System Power
 * Management attempted without driver procfs suspend interface") unless its own file was written
 * to first.
 */
#ifndef S2DISK_NVIDIA_H
#define S2DISK_NVIDIA_H

#include <stdbool.h>

#define NVIDIA_SUSPEND "/proc/driver/nvidia/suspend"

/* Is it loaded below root, and does it preserve video memory? */
bool nvidia_preserves(const char *root);

/* Asks it to "suspend", "hibernate" or "resume", by that program (NULL: its file), in a child, for
 * as long as a step of the release may take (-EINPROGRESS). 0 or a negative errno. */
int nvidia_ask(const char *root, const char *program, const char *word);

/* The same by its file. */
int nvidia_write(const char *root, const char *word);

#endif
