/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices by the kernel's names, to be read below a root directory. */
#ifndef S2DISK_PLATFORM_BLOCK_DEVICE_H
#define S2DISK_PLATFORM_BLOCK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "dm-0", "vda2" or "cciss!c0d0p1" as a path. */
void block_device_path(const char *name, char *path, size_t size);

/* Opens root/device for reading what is on the disk, not in a cache. Never waits for
 * a medium, and opens nothing but disks and files: a path may come from a disk, and
 * merely opening some character devices does things. A descriptor, or a negative errno. */
int block_device_open(const char *root, const char *device);

/* The kernel's name of an open device ("dm-0" for /dev/mapper/x); of a file of a test,
 * what is left of device without /dev/. */
bool block_device_name(const char *root, int fd, const char *device, char *name, size_t size);

/* May it be read, and hold anything from before? Floppy and CD drives make one wait, others
 * are memory. */
bool block_device_worth_a_look(const char *name);

/* Is it memory, so that what is in it is in an image as well? By name: zram and brd. (zram
 * may write to a disk, where it was told one: backing_dev.) */
bool block_device_is_memory(const char *name);

/* The disk that a partition is on. */
bool block_device_whole(const char *root, const char *name, char *disk, size_t size);

/* Can it be read while all is frozen? Of a loop device the kernel's own threads are
 * frozen as well (WQ_FREEZABLE in drivers/block/loop.c and zloop.c), others need programs
 * or a network, or are suspended, and what is stacked on one of these needs it too. */
bool block_device_answers_frozen(const char *root, const char *name);

#endif
