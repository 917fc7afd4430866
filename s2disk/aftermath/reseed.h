/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers in the restored system. */
#ifndef S2DISK_RESEED_H
#define S2DISK_RESEED_H

#include "seal/key_seed.h"

/* In the restored system, with user space still frozen: reseeds the kernel's random numbers, so
 * they differ from those that followed the snapshot, when the image's key was made. fd: of
 * kernel_random_open. seed: of that image, NULL for a plain one; the caller wipes it afterwards.
 * Failing is logged. */
void reseed_kernel(int fd, const struct key_seed *seed);

#endif
