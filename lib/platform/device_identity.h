/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which block device is it? A file system's UUID is in every copy of it; what a
 * device says of itself and of what it lies on tells the original from a copy.
 */
#ifndef S2DISK_PLATFORM_DEVICE_IDENTITY_H
#define S2DISK_PLATFORM_DEVICE_IDENTITY_H

#include <stddef.h>

#define DEVICE_IDENTITY_SIZE 240

/* Writes, for a kernel's name ("sda2", "dm-0", "cciss!c0d0p1") below root, layer by
 * layer from the top: the device mapper's UUID (without the name that a dm-crypt
 * mapping happens to have), MD's, a partition's (GPT or MBR, read from the disk), and
 * the disk's own (World Wide Name, else its serial number). "" where nothing is
 * known. The same at every boot, with or without udev. */
void device_identity(const char *root, const char *name, char text[DEVICE_IDENTITY_SIZE]);

#endif
