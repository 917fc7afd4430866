/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last gate: before the restored system writes anything, its file systems are compared with
 * their stamps in the image. If another system mounted one while the session slept, this session's
 * cache of it is stale, and writing would destroy it. This finds what could not be seen while
 * resuming (unplugged, or unlocked only later).
 */
#ifndef S2DISK_LAST_GATE_H
#define S2DISK_LAST_GATE_H

#include "last.h"
#include "platform/filesystems/mounted.h"

/* Call it before the image is freed, which thaws the kernel's threads. Each file system whose
 * stamp changed is cut off from its device (platform/filesystems/device_cut.h) and shut down, so
 * programs get errors at once. Logs it at the highest level and records it in last. mounted: as
 * stamped before the snapshot. Returns how many had changed. */
size_t last_gate_close(struct mounted *mounted, const char *root, struct last *last);

/* After that: shuts down f2fs, too. Not earlier, since it waits for a thread of its own, which
 * was frozen. */
void last_gate_shut_down(const struct mounted *mounted);

#endif
