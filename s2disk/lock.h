/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only one s2disk hibernates at a time. The kernel gives /dev/snapshot to one process only, but a
 * second s2disk would be frozen with all others, wait for the device after the resume, and
 * hibernate again.
 */
#ifndef S2DISK_LOCK_H
#define S2DISK_LOCK_H

#include "base/why.h"

/* *ret_fd is for hibernate_lock_give(). 0, also if there can be no such lock below root (*ret_fd
 * is -1 then); -EBUSY: another process holds it. */
int hibernate_lock_take(const char *root, int *ret_fd, struct why *w);
void hibernate_lock_give(int *fd);

#endif
