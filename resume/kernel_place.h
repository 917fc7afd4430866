/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel is told of the area, in the initramfs and before any file system is
 * mounted, so that it needs no arguments: logind offers hibernation only where the
 * kernel knows a place (systemd 256 and later, but for EFI), and an image of the
 * kernel's own is resumed by telling it where that lies.
 */
#ifndef S2DISK_KERNEL_PLACE_H
#define S2DISK_KERNEL_PLACE_H

#include "history/boot_record.h"
#include "config/settings.h"
#include "swap/swap_area.h"

/* After restore(): where the area is plain swap, the place is told. Where it holds a plain
 * image of the kernel's own, the kernel is to take it, and this returns only when it did
 * not, or was not told since something is mounted (mounted_any()): then the image is
 * discarded, which run says. Nothing is told outside of an initramfs, where an image stays
 * as it is. Nor of plain swap with noresume, which telling would undo (resume_store() in
 * kernel/power/hibernate.c), once something is mounted, and where resume= names another
 * place that is there: the generator's own script names that one, and without its offset.
 * 0, or as restore(): the image can be neither resumed nor discarded. */
int kernel_place_tell(const struct settings *settings, const struct swap_area *area,
		      struct boot_run *run, struct why *w);

#endif
