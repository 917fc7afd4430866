/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices by their kernel names, read below a root directory. */
#ifndef S2DISK_PLATFORM_BLOCK_DEVICE_H
#define S2DISK_PLATFORM_BLOCK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "dm-0", "vda2" or "cciss!c0d0p1" as a path. */
void block_device_path(const char *name, char *path, size_t size);

/* Opens root/device to read what is on the disk, not what is cached. Never waits for a
 * medium, and opens nothing but disks and files: a path may come from a disk, and merely
 * opening some character devices has side effects. A descriptor, or a negative errno. */
int block_device_open(const char *root, const char *device);

/* The kernel's name of an open device ("dm-0" for /dev/mapper/x); for a file of a test,
 * the rest of device after /dev/. */
bool block_device_name(const char *root, int fd, const char *device, char *name, size_t size);

/* Can it be read, and can it have old content? Floppy and CD drives block, and others are
 * memory. */
bool block_device_worth_a_look(const char *name);

/* Is it memory, so that its content is part of the image as well? By name: zram and brd.
 * (zram may write to a disk if it has a backing_dev.) */
bool block_device_is_memory(const char *name);

/* The disk that a partition is on. */
bool block_device_whole(const char *root, const char *name, char *disk, size_t size);

/* Can it be read while everything is frozen? The kernel threads of a loop device are
 * frozen as well (WQ_FREEZABLE in drivers/block/loop.c and zloop.c), others need programs
 * or a network, or are suspended, and so is whatever is stacked on one of these. */
bool block_device_answers_frozen(const char *root, const char *name);

#endif
