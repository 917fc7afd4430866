/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program of the system; see struct swapfile_system. */
#ifndef S2DISK_SWAPFILE_RUN_H
#define S2DISK_SWAPFILE_RUN_H

#include "swapfile_system.h"

int swapfile_run(const struct swapfile_system *system, const char *command, struct why *w);

/* "update-initramfs -u": a command as a user would write it; returns buffer. */
const char *swapfile_run_text(const char *command, char *buffer, size_t size);

#endif
