/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets the kernel's resume device, in the initramfs and before any file system is mounted, so the
 * kernel needs no arguments: logind offers hibernation only if the kernel has one (systemd 256 and
 * later, except on EFI), and the kernel resumes an image of its own when its place is set.
 */
#ifndef S2DISK_KERNEL_PLACE_H
#define S2DISK_KERNEL_PLACE_H

#include "history/boot_record.h"
#include "config/settings.h"
#include "swap/swap_area.h"

/* Call it after restore(). If the area is plain swap, it sets the place. If it holds a plain
 * image of the kernel's own, the kernel resumes it, and this returns only if that failed, or if
 * the place was not set because something is mounted (mounted_any()): then the image is
 * discarded, which run records. Outside of an initramfs nothing is set, and an image stays as it
 * is. For plain swap nothing is set with noresume, which that would undo (resume_store() in
 * kernel/power/hibernate.c), once something is mounted, or if resume= names another place that
 * exists: the generator's own script sets that one, without its offset. 0, or as restore(): the
 * image can be neither resumed nor discarded. */
int kernel_place_tell(const struct settings *settings, const struct swap_area *area,
		      struct boot_run *run, struct why *w);

#endif
