/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which block device is it? Every copy of a file system has its UUID; the identifiers of
 * a device and of the layers below it distinguish the original from a copy.
 */
#ifndef S2DISK_PLATFORM_DEVICE_IDENTITY_H
#define S2DISK_PLATFORM_DEVICE_IDENTITY_H

#include <stddef.h>

#define DEVICE_IDENTITY_SIZE 240

/* Writes, for a kernel's name ("sda2", "dm-0", "cciss!c0d0p1") below root, layer by layer
 * from the top: the device mapper's UUID (without the name that a dm-crypt mapping
 * happens to have), MD's, a partition's (GPT or MBR, read from the disk), and the disk's
 * own (World Wide Name, or else its serial number). "" if nothing is known. The same at
 * every boot, with or without udev. */
void device_identity(const char *root, const char *name, char text[DEVICE_IDENTITY_SIZE]);

#endif
