/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the running kernel that a hibernation changes temporarily: the console's
 * log level, /sys/power/image_size, /sys/power/disk, swappiness and zswap's shrinker. Saves and
 * restores them.
 */
#ifndef S2DISK_KERNEL_KERNEL_SETTINGS_H
#define S2DISK_KERNEL_KERNEL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum swapping {
	SWAPPING_OWN, /* as it was */
	SWAPPING_ON,  /* the same, and 60 where swappiness was 0 */
	SWAPPING_OFF,
};

struct kernel_settings {
	const char *root;
	bool printk_saved;
	char printk[64];
	bool image_size_saved;
	char image_size[32];
	char mode[16]; /* of /sys/power/disk; "" if it must not be changed */
	bool mode_changed;
	char swappiness[16]; /* "": it cannot be changed */
	bool zswap_shrinks;  /* zswap's shrinker is enabled */
	enum swapping swapping;
};

/* Saves all of them. What cannot be read is not restored later. root is "" or a test's
 * root directory and must outlive the struct. */
void kernel_settings_save(struct kernel_settings *saved, const char *root);

/* Sets the console's log level (0 to 15). 0 or a negative errno. */
int kernel_settings_set_console_loglevel(struct kernel_settings *saved, int level);

/* Makes the kernel's graphics drivers wake the display after the snapshot, with "suspend"
 * in /sys/power/disk. Since Linux 6.17 amdgpu keeps the display off until the machine
 * powers off, unless the kernel will only sleep (amdgpu_pmops_thaw() asks
 * pm_hibernation_mode_is_suspend()); progress would be invisible, and after a failure or
 * a cancel the screen would stay dark. The setting has no other effect on /dev/snapshot,
 * which has its own (SNAPSHOT_PLATFORM_SUPPORT); only hibernate() in
 * kernel/power/hibernate.c reads this one. Does nothing if "suspend" is not offered, or
 * there is no amdgpu. 0 or a negative errno. */
int kernel_settings_wake_display(struct kernel_settings *saved);

/* Restores that, before a hibernation through the kernel's own interface could use it.
 * Safe to call twice. 0 or a negative errno. */
int kernel_settings_restore_display(struct kernel_settings *saved);

/* Whether the kernel swaps out. With 0 in /proc/sys/vm/swappiness it drops what is cached only
 * (get_scan_count() in mm/vmscan.c); a cgroup's reclaim always, the whole machine's as long as
 * more than a little is cached or free ("file_is_tiny"). zswap's shrinker, which writes back
 * regardless of that, is disabled with it. 0 or a negative errno. */
int kernel_settings_set_swapping(struct kernel_settings *saved, enum swapping swapping);

/* Restores everything; max_loglevel above -1 limits the console's level. Safe to call
 * twice. Returns the first error, but restores the rest anyway. */
int kernel_settings_restore(struct kernel_settings *saved, int max_loglevel);

#endif
