/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader reads must lie on the disk as it stands in memory. Boot
 * loaders read journaling file systems without replaying the journal (GRUB's xfs
 * and ext2 modules do not), and a hibernated system does not unmount: after sync(2),
 * which is all that SNAPSHOT_FREEZE does, a new kernel, initramfs or menu is only in the journal,
 * and the boot loader finds the old one, or blocks that have been reused. Freezing the file system
 * (FIFREEZE) empties its journal, and so does EXT4_IOC_CHECKPOINT (Linux 5.14).
 *
 * A freeze blocks every writer until all current writes are done, which on a root file system may
 * take hours (a scrub, a writer that waits for a pipe), so it is the last resort.
 */
#ifndef S2DISK_BOOT_BOOT_SETTLE_H
#define S2DISK_BOOT_BOOT_SETTLE_H

#include "base/why.h"

#include <stdbool.h>

/* Syncs the file system of root/boot. If anything below root/boot changed since this
 * boot, and it is not btrfs, this also empties its journal: on ext4 by a checkpoint;
 * elsewhere, or if the kernel has no checkpoint, by freezing it and thawing it at once,
 * with signals blocked. A file system that cannot be frozen (vfat, overlay, …) has no
 * journal. Automounts are not triggered. 0, also if there is no /boot or another program
 * has frozen it; or a negative errno with w. *ret_frozen: it is still frozen, and writers
 * hang until it is thawed; w says how. */
int boot_settle(const char *root, bool *ret_frozen, struct why *w);

#endif
