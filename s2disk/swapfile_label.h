/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The label that SELinux' policies have for swap files. */
#ifndef S2DISK_SWAPFILE_LABEL_H
#define S2DISK_SWAPFILE_LABEL_H

#include "base/why.h"
#include "swapfile_system.h"

#include <stdbool.h>
#include <stddef.h>

/* Pure: "USER:ROLE:TYPE[:RANGE]" with the type for swap files, as mkswap(8) gives it, for a
 * file that has the label old ("" for none). False: it is no label, or does not fit. */
bool swapfile_label_text(const char *old, char *ret, size_t size);

/* Gives it to the file, on systems with SELinux. A policy that does not know the type, and a
 * file system without labels, are no errors: there is none to be had then. */
int swapfile_label_set(const struct swapfile_system *system, int fd, struct why *w);

#endif
