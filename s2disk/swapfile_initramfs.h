/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initramfs: who makes it here, whether it gets resume, and whether it opens
 * what lies under the area. No boot loader is looked at. */
#ifndef S2DISK_SWAPFILE_INITRAMFS_H
#define S2DISK_SWAPFILE_INITRAMFS_H

#include "swapfile_steps.h"

enum initramfs_maker { MAKER_INITRAMFS_TOOLS, MAKER_MKINITCPIO, MAKER_DRACUT };

struct initramfs_site {
	enum initramfs_maker maker;
	char command[128]; /* that makes it anew, arguments separated by newlines */
};

/* -EINVAL with the exact commands where it is not this program's to make: ostree,
 * unified images that the vendor signed, no generator known. arguments: what the kernel
 * is to be told there, "resume=... resume_offset=..."; fstab: the line for it, or NULL. */
int initramfs_find(const struct swapfile_system *system, const char *arguments, const char *fstab,
		   struct initramfs_site *ret, struct why *w);

/* Does a boot look for an image, as the generator and GRUB are configured? Where not, why
 * and what to do. */
bool initramfs_looks(const struct swapfile_system *system, const struct initramfs_site *site,
		     char *ret, size_t size);

/* Sees to it that the initramfs opens each encrypted device under dev that is not below
 * the root file system: adds an option to its line of /etc/crypttab where that is all
 * that is missing. -EINVAL with what to add where it is more, and for a key that the initramfs does
 * not have. */
int initramfs_plan_unlock(struct plan *plan, const struct swapfile_system *system, dev_t dev,
			  const struct initramfs_site *site, struct why *w);

#endif
