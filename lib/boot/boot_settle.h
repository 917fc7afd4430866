/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader reads must lie on the disk as it stands in memory. Boot
 * loaders read journaling file systems without replaying the journal (GRUB's xfs
 * and ext2 modules do not), and a hibernated system does not unmount: after sync(2),
 * which is all that SNAPSHOT_FREEZE does, a new kernel, initramfs or menu is in
 * the journal, and the boot loader finds the old one, or blocks that are
 * something else's by now. Freezing the file system (FIFREEZE) empties its journal.
 */
#ifndef S2DISK_BOOT_BOOT_SETTLE_H
#define S2DISK_BOOT_BOOT_SETTLE_H

#include "base/why.h"

/* Freezes the file system that root/boot is in, and thaws it at once; no signal is
 * delivered in between. One that cannot be frozen (vfat, overlay, …) has no journal
 * and is synced. 0, also where there is no /boot or somebody else has frozen it;
 * or a negative errno with w. */
int boot_settle(const char *root, struct why *w);

#endif
