/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place where the kernel looks for its own image. */
#ifndef S2DISK_KERNEL_KERNEL_RESUME_H
#define S2DISK_KERNEL_KERNEL_RESUME_H

#include <stdint.h>
#include <sys/types.h>

/* Sets it, below root: the offset first, since the kernel looks at the device at once and
 * restores an image of its own that it finds there: then this does not return, or
 * everything was frozen and thawed again (kernel/power/hibernate.c, resume_store). The
 * kernel does not report that failure. Anything else there is left untouched. Overrides
 * noresume. offset: in pages. 0 or a negative errno. */
int kernel_resume_name(const char *root, dev_t dev, uint64_t offset);

#endif
