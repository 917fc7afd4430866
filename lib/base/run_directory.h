/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/s2disk: what the programs of one boot leave for each other. The system takes /run over from
 * the initramfs. Only root can look into it: there are physical addresses in its files. */
#ifndef S2DISK_BASE_RUN_DIRECTORY_H
#define S2DISK_BASE_RUN_DIRECTORY_H

#include "base/why.h"

#include <stddef.h>

#define RUN_DIRECTORY "/run/s2disk"

/* Opens the directory below root; it is made if needed, with mode 0700, and gets that mode where it
 * has another. A link is not followed. A descriptor, or a negative errno. */
int run_directory_open(const char *root);

/* Replaces the file of that name in the directory, mode 0600, in one step: a reader sees the old
 * one or the new one. Nothing is flushed: no file in /run outlives the boot. 0 or a negative errno;
 * then nothing has changed. */
int run_directory_put(const char *root, const char *name, const void *bytes, size_t length);

/* Takes the lock of that name, a file in the directory, which only root can hold; waits for another
 * program, but two seconds at most (-ENOLCK). A descriptor, which has the lock until it is closed;
 * or a negative errno with w. */
int run_directory_lock(const char *root, const char *name, struct why *w);

#endif
