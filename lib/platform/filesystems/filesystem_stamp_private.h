/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that stamp file systems; private to them. */
#ifndef S2DISK_PLATFORM_FILESYSTEM_STAMP_PRIVATE_H
#define S2DISK_PLATFORM_FILESYSTEM_STAMP_PRIVATE_H

#include "platform/filesystems/filesystem_stamp.h"

/* The head of the log of an xfs, whose superblock is in page (which is used for more):
 * its cycle, and the basic block after the last one written in it, into head. Every mount
 * that writes anything moves it, even one that ends in a reset, which superblocks miss.
 * Zeros for a log on another device. 0, -EUCLEAN if the superblock is invalid, or a read
 * error. */
int stamp_log_of_xfs(const struct filesystem_source *source, unsigned char *page,
		     unsigned char head[16]);

/* bcachefs; then FAT, exFAT and NTFS, which are recognised by their boot sector alone, so
 * others must have been ruled out before. As filesystem_identify. */
int stamp_bcachefs(const struct filesystem_source *source, unsigned char *page,
		   struct filesystem *ret);
int stamp_boot_sector(const struct filesystem_source *source, unsigned char *page,
		      struct filesystem *ret);

/* A member of a ZFS pool: the pool is its UUID, the device its member. -ENODEV also for a
 * pool shared by several hosts (multihost), which changes even when idle. */
int stamp_zfs(const struct filesystem_source *source, unsigned char *page, struct filesystem *ret);

/* A hash (FNV-1a): it guards against chance, not against an adversary. */
uint64_t stamp_fold(const unsigned char *bytes, size_t length);

#endif
