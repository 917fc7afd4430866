/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A note from the initramfs to the running system: an image was set aside at
 * this boot, and why. */
#ifndef S2DISK_BOOT_SET_ASIDE_H
#define S2DISK_BOOT_SET_ASIDE_H

#include <stdint.h>

struct set_aside {
	uint64_t time; /* seconds since 1970 */
	char area[256];
	char reason[1024];
};

/* Writes root/run/s2disk/set-aside. */
int set_aside_write(const char *root, const struct set_aside *note);

/* -ENOENT: nothing was set aside at this boot; -EBADMSG. */
int set_aside_read(const char *root, struct set_aside *ret);

#endif
