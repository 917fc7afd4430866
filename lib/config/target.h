/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which swap area is meant: by the settings, by the kernel command line, or the
 * only one there is. */
#ifndef S2DISK_CONFIG_TARGET_H
#define S2DISK_CONFIG_TARGET_H

#include "base/why.h"
#include "kernel/kernel_cmdline.h"
#include "config/settings.h"
#include "swap/swap_area.h"

#include <stdbool.h>
#include <stddef.h>

/* Pure: what is named, and by whom: the settings, a kernel command line, or
 * (settings->default_device, in the initramfs only) whoever made that. *ret_by
 * is a phrase for messages, NULL for the settings. -ENOENT: nobody names
 * anything; -EINVAL: an offset that is no number. */
int target_named(const struct settings *settings, const struct kernel_cmdline *cmdline,
		 bool running, char *ret, size_t size, uint64_t *ret_offset, const char **ret_by,
		 struct why *w);

/* Finds it. In the running system (running) a swap file's path will do, and
 * without any name the only suitable line of /proc/swaps is taken; in the
 * initramfs neither can be. root is put before /proc ("" for the real one).
 * -ENOENT: nothing names an area, -ENOTUNIQ: more than one would do; else as swap_area_resolve. w
 * has a sentence. */
int target_find(const struct settings *settings, const char *root, bool running,
		struct swap_area *ret, struct why *w);

/* What target_find in the initramfs would look for, so that a script can wait
 * for it: a path below /dev, or UUID=, LABEL=, PARTUUID= or PARTLABEL=; "" when
 * nothing is named, or nothing that could ever appear. */
void target_awaited(const struct settings *settings, const char *root, char *ret, size_t size);

#endif
