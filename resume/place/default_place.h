/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The area that a generator's hook chose when it built the initramfs: the only one there was, if
 * nothing else named one. It is stored in the initramfs as initramfs-tools stores its own choice:
 * /conf/conf.d/s2disk, with lines RESUME=DEVICE and, for a swap file, RESUME_OFFSET=PAGES.
 */
#ifndef S2DISK_DEFAULT_PLACE_H
#define S2DISK_DEFAULT_PLACE_H

#include "base/why.h"
#include "config/settings.h"

#include <stddef.h>

/* In the running system, with its configuration: returns those lines, with names that are stable
 * across boots. -ENOENT: something is named already, or no suitable area is active; -ENOTUNIQ:
 * several are; -EOPNOTSUPP: it cannot hold an image, or has no stable name; the reason is in w.
 * root is the prefix of /proc, /sys and /etc. */
int default_place_print(const struct settings *settings, const char *root, char *ret, size_t size,
			struct why *w);

/* In the initramfs: sets default_device and default_offset from that file below root; leaves
 * them unchanged if there is none, or it names nothing. */
void default_place_read(const char *root, struct settings *settings);

#endif
