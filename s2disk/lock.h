/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only one s2disk hibernates at a time. The kernel gives /dev/snapshot to one
 * alone, but one that came a moment late would be stopped with all others,
 * wait for the device after the resume, and hibernate once more.
 */
#ifndef S2DISK_LOCK_H
#define S2DISK_LOCK_H

#include "base/why.h"

/* *ret_fd is for only_one_give. 0, also where there can be no such lock below
 * root (-1 then); -EBUSY: another holds it. */
int only_one_take(const char *root, int *ret_fd, struct why *w);
void only_one_give(int *fd);

#endif
