/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the running kernel that a hibernation changes for a while: the
 * console's log level, /sys/power/image_size and /sys/power/disk. Saved and put
 * back.
 */
#ifndef S2DISK_KERNEL_KERNEL_SETTINGS_H
#define S2DISK_KERNEL_KERNEL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct knobs {
	const char *root;
	bool printk_saved;
	char printk[64];
	bool image_size_saved;
	char image_size[32];
	char mode[16]; /* of /sys/power/disk; "" where it must not be changed */
	bool mode_changed;
};

/* Remembers all. What cannot be read is not put back later. root is "" or a
 * test's tree and must outlive the struct. */
void knobs_save(struct knobs *knobs, const char *root);

/* Sets the console's log level (0 to 15). 0 or a negative errno. */
int knobs_set_console_loglevel(struct knobs *knobs, int level);

/* The value of /sys/power/image_size when it was saved, bytes; false when
 * unknown. */
bool knobs_image_size(const struct knobs *knobs, uint64_t *ret);

/* Has the kernel's graphics drivers wake the display after the snapshot, by "suspend"
 * in /sys/power/disk. Since Linux 6.17 amdgpu stays off until the machine is powered
 * off, unless the kernel says that it will only sleep (amdgpu_pmops_thaw() asks
 * pm_hibernation_mode_is_suspend()); nothing of the progress would be seen, and
 * after a failure or a cancel the screen would stay dark. For /dev/snapshot the
 * setting means nothing else: it has its own (SNAPSHOT_PLATFORM_SUPPORT), and this
 * one is only looked at by hibernate() in kernel/power/hibernate.c. Does nothing
 * where "suspend" is not offered, or there is no amdgpu. 0 or a negative errno. */
int knobs_wake_display(struct knobs *knobs);

/* Puts that back, before others can run that would hibernate by the kernel's own way
 * with it. Safe to call twice. 0 or a negative errno. */
int knobs_restore_display(struct knobs *knobs);

/* Puts all back; max_loglevel above -1 limits the console's level. Safe to
 * call twice. The first error is returned, the rest is done all the same. */
int knobs_restore(struct knobs *knobs, int max_loglevel);

#endif
