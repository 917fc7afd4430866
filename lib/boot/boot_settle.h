/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader reads must lie on the disk as it stands in memory. Boot
 * loaders read journaling file systems without replaying the journal (GRUB's xfs
 * and ext2 modules do not), and a hibernated system does not unmount: after sync(2),
 * which is all that SNAPSHOT_FREEZE does, a new kernel, initramfs or menu is in
 * the journal, and the boot loader finds the old one, or blocks that are
 * something else's by now. Freezing the file system (FIFREEZE) empties its journal,
 * and so does EXT4_IOC_CHECKPOINT (Linux 5.14).
 *
 * A freeze keeps every writer waiting until all who write now are done, which on
 * a root file system may take hours (a scrub, a writer that waits for a pipe).
 * So it is only done where nothing else helps.
 */
#ifndef S2DISK_BOOT_BOOT_SETTLE_H
#define S2DISK_BOOT_BOOT_SETTLE_H

#include "base/why.h"

#include <stdbool.h>

/* Syncs the file system that root/boot is in. Where something below root/boot was
 * changed since this boot, and it is not btrfs, empties its journal, too: of
 * ext4 by a checkpoint; of others, and where the kernel has none, by freezing it and
 * thawing it at once, with no signal delivered in between. One that cannot be
 * frozen (vfat, overlay, …) has no journal. An automount that is not mounted is left
 * so. 0, also where there is no /boot or somebody else has frozen it; or a
 * negative errno with w. *ret_frozen: it is left frozen, and whoever writes there
 * waits until somebody thaws it; w says how. */
int boot_settle(const char *root, bool *ret_frozen, struct why *w);

#endif
