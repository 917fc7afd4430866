/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's random number generator, seeded anew. */
#ifndef S2DISK_KERNEL_KERNEL_RANDOM_H
#define S2DISK_KERNEL_KERNEL_RANDOM_H

#include <stddef.h>

/* A descriptor of it; or a negative errno. To be opened before the freeze. */
int kernel_random_open(void);

/* Mixes bytes in (secret or not; they count for nothing, and do no harm), and has
 * the generator take its next key from all that it has gathered: what it gives out
 * afterwards nobody can tell from what it gave out before. Linux does so before a
 * restore and after a sleep, but not after a restore (drivers/char/random.c,
 * random_pm_notification). 0 or a negative errno; root only. */
int kernel_random_renew(int fd, const void *bytes, size_t length);

#endif
