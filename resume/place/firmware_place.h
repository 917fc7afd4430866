/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place that the firmware's variable HibernateLocation names: the last to count, where neither
 * the configuration nor the kernel command line nor the initramfs names one. */
#ifndef S2DISK_FIRMWARE_PLACE_H
#define S2DISK_FIRMWARE_PLACE_H

#include "config/settings.h"

/* If this system wrote the variable, the place becomes settings->default_device. In an initramfs
 * that has not mounted efivarfs it is mounted until firmware_place_end(). */
void firmware_place_read(const char *root, struct settings *settings);

/* Deletes the variable, in an initramfs where efivarfs is mounted: it is good for one boot, and the
 * next ones would wait for the device. */
void firmware_place_clear(const char *root);

void firmware_place_end(void);

#endif
