/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file systems that this machine has mounted, each with its devices and a directory
 * held open: after a snapshot no path can be followed any more, but a device can be read.
 * The descriptors are in the image, so the restored system can check again before
 * anything is written (s2disk/aftermath/last_gate.h).
 */
#ifndef S2DISK_PLATFORM_MOUNTED_H
#define S2DISK_PLATFORM_MOUNTED_H

#include "base/tree.h"
#include "platform/filesystems/filesystems.h"

struct mounted_item {
	struct filesystem filesystem; /* with the stamp that was read last */
	char kind[16];		      /* as named in mountinfo */
	char name[64];		      /* the kernel's, of its device */
	int device;		      /* -1: it cannot be read */
	int directory;		      /* of a mount of it; -1: none */
	bool changed;		      /* found to be so by the last gate */
	char pool[POOL_NAME_SIZE];    /* ZFS: the name in the mount; "" */
};

struct mounted {
	struct mounted_item *items;
	size_t count, room;
	unsigned char *page;
	struct tree_names served;    /* directories of FUSE: no path through them is followed */
	unsigned int settle_seconds; /* ZFS: until what is in memory has been written */
};

/* Opens what root/proc/self/mountinfo has mounted from a device, and every member of a
 * btrfs and of a ZFS pool. What cannot be read while everything is frozen (loop devices,
 * network block devices and what lies on them), or is not on a device of this machine
 * (NFS, FUSE …), has an item without descriptors, so that it can be named. Users' sessions
 * may be frozen: no path is followed into a directory that a program serves (FUSE), and what
 * is mounted below one has no directory open. Makes room in *ret for all. 0 or -ENOMEM. */
int mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret);

/* Syncs each file system; its device, too, since a program that serves a file system
 * (ntfs-3g) writes through the device's cache, and a direct read of a page that is dirty
 * there writes it first (blkdev_read_iter(), block/fops.c): the last gate would overwrite
 * what it has to compare. With user space frozen nothing makes any of it dirty again but
 * threads of the kernel, so that in the restored system the kernel has nothing to write
 * until user space runs (the writeback worker is not frozen). Syncing ZFS writes its log
 * only; the rest follows within a few seconds, which this waits for. */
void mounted_settle(const struct mounted *mounted);

/* Reads their stamps into ret, without allocating memory. Those without a stamp are in
 * ret as well, with the reason (unstamped). */
void mounted_stamp(struct mounted *mounted, struct filesystems *ret);

/* Is a file system mounted below root that could have been changed since the machine
 * hibernated: anything on a block device, by its number or its source, except squashfs
 * and erofs, which are never written to, and the device with a key, which systemd mounts
 * to read it (generate_keydev_mount() in src/cryptsetup/cryptsetup-generator.c)? Yes if
 * that is unknown. */
bool mounted_any(const char *root);

enum mounted_state {
	MOUNTED_SAME,
	MOUNTED_CHANGED, /* ret is the current state; its type may be "" (nothing known) */
	MOUNTED_UNSEEN,	 /* it has no stamp, or cannot be read now */
};

/* Compares an item with what is on its device now. */
enum mounted_state mounted_look_again(struct mounted *mounted, size_t index,
				      struct filesystem *ret);

/* Harmless on a zeroed struct. */
void mounted_close(struct mounted *mounted);

#endif
