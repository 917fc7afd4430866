/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the firmware is going to do differently at the next boot, by its variables: then that boot
 * probably has another memory map, and no other boot has this one again.
 */
#ifndef S2DISK_BOOT_FIRMWARE_PLAN_H
#define S2DISK_BOOT_FIRMWARE_PLAN_H

enum firmware_plan {
	FIRMWARE_STAYS,
	/* An update waits: fwupd prepared one (its variables have the status "attempt update"), or
	 * the firmware was told to look for one on the disk (UEFI, "OsIndications":
	 * FILE_CAPSULE_DELIVERY_SUPPORTED). */
	FIRMWARE_UPDATES,
	/* Its variables are new at this boot: EDK II counts boots in them (MTC,
	 * MonotonicCounterRuntimeDxe) and measures at the first how much memory it needs of each
	 * type, for the next one's layout. */
	FIRMWARE_IS_NEW,
};

enum firmware_plan firmware_plan_read(const char *root);

#endif
