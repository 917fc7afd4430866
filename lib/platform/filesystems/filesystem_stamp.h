/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system's stamp: the fields of its superblock that change when it is mounted,
 * checked or recovered, and never while a snapshot of its kernel is on disk. A saved
 * kernel knows its file systems as they were: resuming over one that was written to in
 * between would destroy it.
 */
#ifndef S2DISK_PLATFORM_FILESYSTEM_STAMP_H
#define S2DISK_PLATFORM_FILESYSTEM_STAMP_H

#include "platform/hardware/device_identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a mounted file system has no stamp. */
enum filesystem_unstamped {
	FILESYSTEM_STAMPED,
	FILESYSTEM_ELSEWHERE,  /* it is not on a disk of this machine: NFS, FUSE … */
	FILESYSTEM_BLOCKED,    /* its device cannot be read while everything is frozen */
	FILESYSTEM_UNREADABLE, /* its device cannot be read */
	FILESYSTEM_UNKNOWN,    /* no field is known that changes when it is mounted */
};

/* One device of one file system; btrfs and ZFS may have several. */
struct filesystem {
	char type[12];	 /* ext, xfs, btrfs, f2fs, bcachefs, zfs, fat, exfat, ntfs; without a stamp,
			    the type in mountinfo */
	char device[96]; /* /dev/vda2, as it was named */
	char place[128]; /* where it was mounted; "" unknown */
	unsigned char uuid[16];
	unsigned char stamp[32];	     /* its meaning depends on the type */
	char identity[DEVICE_IDENTITY_SIZE]; /* of the device; "" unknown */
	unsigned char member[16];	     /* btrfs, zfs: which of its devices; otherwise zeros */
	unsigned char log[16];		     /* xfs: the head of its log; zeros: not read */
	uint32_t unstamped;		     /* enum filesystem_unstamped */
	uint32_t read_only;		     /* by itself, not by its mounts alone */
};

#define FILESYSTEM_PAGE 4096

/* Reads FILESYSTEM_PAGE bytes at a multiple of that; 0 or a negative errno. */
struct filesystem_source {
	int (*read)(void *context, uint64_t offset, unsigned char *page);
	void *context;
};

/* Fills type, uuid, member and stamp from what lies on a device. page has room for
 * FILESYSTEM_PAGE bytes. 0, -ENODEV if none of the file systems known here is found, or a
 * read error, which is never -ENODEV. */
int filesystem_identify(const struct filesystem_source *source, unsigned char *page,
			struct filesystem *ret);

#define POOL_NAME_SIZE 256

/* The ZFS pool that it is a member of, as filesystem_identify says; printable. */
int filesystem_pool_name(const struct filesystem_source *source, unsigned char *page,
			 char name[POOL_NAME_SIZE]);

/* The same file system (and the same one of several devices), regardless of its state. */
bool filesystem_same(const struct filesystem *a, const struct filesystem *b);

/* Is now in the state of then? Older images record less of it. */
bool filesystem_unchanged(const struct filesystem *then, const struct filesystem *now);

/* Its stamp for people: "mounted 12 times, last 2026-11-21 10:00:00 UTC". */
void filesystem_words(const struct filesystem *filesystem, char *text, size_t size);

#endif
