/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The area that a generator's hook chose when it made the initramfs: the only one there
 * was, where nothing else named one. It stands in the initramfs where, and as,
 * initramfs-tools has its own choice: /conf/conf.d/s2disk, with lines RESUME=DEVICE and,
 * for a swap file, RESUME_OFFSET=PAGES.
 */
#ifndef S2DISK_DEFAULT_PLACE_H
#define S2DISK_DEFAULT_PLACE_H

#include "base/why.h"
#include "config/settings.h"

#include <stddef.h>

/* In the running system, with its configuration: those lines, by names that hold from
 * boot to boot. -ENOENT: something is named already, or no suitable area is active;
 * -ENOTUNIQ: several are; -EOPNOTSUPP: no image can lie on it, or it has no lasting name;
 * w says why. root is put before /proc, /sys and /etc. */
int default_place_print(const struct settings *settings, const char *root, char *ret, size_t size,
			struct why *w);

/* In the initramfs: sets default_device and default_offset by that file below root; leaves
 * them as they are where there is none, or it names nothing. */
void default_place_read(const char *root, struct settings *settings);

#endif
