/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last gate: before the restored system writes anything, its file systems are
 * compared with what it knows of them. Where another system had mounted one while the
 * session slept, this session's cache of it is wrong, and writing would destroy it.
 * What could not be seen when resuming (unplugged, or unlocked only later) is found here.
 */
#ifndef S2DISK_LAST_GATE_H
#define S2DISK_LAST_GATE_H

#include "last.h"
#include "platform/mounted.h"

/* Before the image is freed, which lets threads of the kernel go on: each file system
 * whose stamp is not what it was is cut off from its device (platform/device_cut.h) and
 * shut down, so that programs get errors at once. Logs it, loudest of all, and puts it
 * into last. mounted: as stamped before the snapshot. Returns how many were changed. */
size_t last_gate_close(struct mounted *mounted, const char *root, struct last *last);

/* After it: f2fs is shut down, too. Not before, since it waits for a thread of its own
 * then, which was frozen. */
void last_gate_shut_down(const struct mounted *mounted);

#endif
