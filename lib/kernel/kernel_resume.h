/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place that the kernel takes for its own image. */
#ifndef S2DISK_KERNEL_KERNEL_RESUME_H
#define S2DISK_KERNEL_KERNEL_RESUME_H

#include <stdint.h>
#include <sys/types.h>

/* Names it, below root: the offset first, since the kernel looks at the device at once,
 * and takes an image of its own that it finds there: then this does not return, or all
 * was frozen and thawed again (kernel/power/hibernate.c, resume_store). The kernel
 * reports no failure of that. Whatever else is there it leaves as it is. Undoes
 * noresume. offset: in pages. 0 or a negative errno. */
int kernel_resume_name(const char *root, dev_t dev, uint64_t offset);

#endif
