/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the pre-flight only. */
#ifndef S2DISK_PREFLIGHT_PREFLIGHT_PRIVATE_H
#define S2DISK_PREFLIGHT_PREFLIGHT_PRIVATE_H

#include "boot/initramfs.h"
#include "preflight/preflight.h"

/* Opens a device below the root; results as of system->open_device. */
int preflight_open(const struct preflight_context *context, const char *path, int flags,
		   mode_t kind);

/* Bytes as whole MiB, rounded to the nearest. */
uint64_t preflight_mib(uint64_t bytes);

/* One function for each check but the two in preflight.h, called in this order. Each adds at most
 * one, unless a comment says otherwise. */
void check_snapshot_device(struct preflight_context *context);
void check_power_state(struct preflight_context *context);
/* Only where it is active: nothing is added otherwise. */
void check_memory_encryption(struct preflight_context *context);
void check_method(struct preflight_context *context);
void check_pm_test(struct preflight_context *context);
void check_swap_device(struct preflight_context *context);
void check_wiped_swap(struct preflight_context *context); /* only if there is such an area */
void check_swap_size(struct preflight_context *context);  /* and one about zram */
void check_mounted_device(struct preflight_context *context);
void check_memory(struct preflight_context *context);
void check_shared_filesystems(struct preflight_context *context); /* only where there is such */
void check_zfs(struct preflight_context *context);		  /* likewise */
/* Is a passphrase asked for at boot, with another layout than the kernel's own? Then check_way_back
 * calls check_keyboard with the initramfs that boots next. */
bool keyboard_matters(const struct preflight_context *context);
void check_keyboard(struct preflight_context *context, const struct initramfs *initramfs,
		    const char *path);
void check_firmware(struct preflight_context *context); /* only if it is going to change */
/* What of the memory map moves from boot to boot; one more about boot files that were changed. Only
 * where this machine is known. */
void check_drift(struct preflight_context *context);
void check_vmbus(struct preflight_context *context);   /* only where it fails */
void check_xen(struct preflight_context *context);     /* only in its guests */
void check_release(struct preflight_context *context); /* only if there is such; up to two */
void check_platform_forecast(struct preflight_context *context); /* one a forecast */

#endif
