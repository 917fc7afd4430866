/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place that the kernel takes for its own image. */
#ifndef S2DISK_KERNEL_KERNEL_RESUME_H
#define S2DISK_KERNEL_KERNEL_RESUME_H

#include <stdint.h>
#include <sys/types.h>

/* Names it, below root: logind hibernates only where one is named (systemd 256 and
 * later, but for EFI). The kernel looks there at once and takes an image of its own
 * that it finds (kernel/power/hibernate.c, resume_store), so only where none is.
 * offset: in pages. 0 or a negative errno. */
int kernel_resume_name(const char *root, dev_t dev, uint64_t offset);

#endif
