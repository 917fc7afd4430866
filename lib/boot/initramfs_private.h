/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by initramfs.c and initramfs_cache.c; nobody else includes this. */
#ifndef S2DISK_BOOT_INITRAMFS_PRIVATE_H
#define S2DISK_BOOT_INITRAMFS_PRIVATE_H

#include "boot/initramfs.h"

/* Sets the flags that a file of this name means. */
void initramfs_note(struct initramfs *initramfs, const char *name);

/* Takes a text, which belongs to the initramfs then, also when it fails. */
int initramfs_add_file(struct initramfs *initramfs, const char *name, char *text);

#endif
