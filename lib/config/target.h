/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which swap area to use: from the settings, the kernel command line, or the only suitable one. */
#ifndef S2DISK_CONFIG_TARGET_H
#define S2DISK_CONFIG_TARGET_H

#include "base/why.h"
#include "kernel/kernel_cmdline.h"
#include "config/settings.h"
#include "swap/swap_area.h"

#include <stdbool.h>
#include <stddef.h>

/* Pure: the device that is named, by the settings, a kernel command line or, in the initramfs only,
 * settings->default_device (the firmware's with its own offset only). *ret_by is a phrase for
 * messages, NULL for the settings. -ENOENT: nothing is named; -EINVAL: the offset is not a number.
 */
int target_named(const struct settings *settings, const struct kernel_cmdline *cmdline,
		 bool running, char *ret, size_t size, uint64_t *ret_offset, const char **ret_by,
		 struct why *w);

/* Finds it. In the running system (running) a swap file's path will do, and
 * without any name the only suitable line of /proc/swaps is taken; in the initramfs neither works.
 * root is the prefix of /proc ("" for the real one). -ENOENT: nothing names an area, -ENOTUNIQ:
 * more than one would do; else as swap_area_resolve. w has the message. */
int target_find(const struct settings *settings, const char *root, bool running,
		struct swap_area *ret, struct why *w);

/* What target_find in the initramfs looks for, for a script to wait for: a path below /dev, or
 * UUID=, LABEL=, PARTUUID= or PARTLABEL=; "" if nothing is named, or nothing that could appear. */
void target_awaited(const struct settings *settings, const char *root, char *ret, size_t size);

#endif
