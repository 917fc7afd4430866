/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reseeds the kernel's random number generator. */
#ifndef S2DISK_KERNEL_KERNEL_RANDOM_H
#define S2DISK_KERNEL_KERNEL_RANDOM_H

#include <stddef.h>

/* Opens it; a descriptor or a negative errno. Call this before the freeze. */
int kernel_random_open(void);

/* Mixes bytes in (secret or not; no entropy is credited, so this does no harm), and makes
 * the generator take its next key from all that it has gathered: earlier output then says
 * nothing about later output. Linux does so before a restore and after a sleep, but not
 * after a restore (drivers/char/random.c, random_pm_notification). 0 or a negative errno;
 * root only. */
int kernel_random_renew(int fd, const void *bytes, size_t length);

#endif
