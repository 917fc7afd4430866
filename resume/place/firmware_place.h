/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place that the firmware's variable HibernateLocation names: the last to count, where neither
 * the configuration nor the kernel command line nor the initramfs names one. */
#ifndef S2DISK_FIRMWARE_PLACE_H
#define S2DISK_FIRMWARE_PLACE_H

#include "config/settings.h"
#include "swap/swap_area.h"

/* If this system wrote the variable, the place becomes settings->default_device. In an initramfs
 * that has not mounted efivarfs it is mounted until firmware_place_end(). */
void firmware_place_read(const char *root, struct settings *settings);

/* In an initramfs where efivarfs is mounted, or with mount, likewise: deletes the variable if it
 * named the place or names this area, so that what it leads to is stale once the boot continues: it
 * is good for one boot, and the next ones would wait for the device. area: what was looked at, NULL
 * for what the settings and the kernel command line name. A variable that leads elsewhere stays:
 * systemd's systemd-hibernate-resume may resume from there, later in the same boot. */
void firmware_place_clear(const char *root, const struct settings *settings,
			  const struct swap_area *area, bool mount);

void firmware_place_end(void);

#endif
