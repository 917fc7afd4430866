/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts a block device off while a file system is mounted from it: the kernel's remaining writes
 * fail.
 *
 * Shutting a file system down does not prevent all writes. ext4's ioctl aborts its journal, which
 * writes the journal's superblock as the saved kernel knows it (jbd2_journal_update_sb_errno(),
 * fs/jbd2/journal.c); f2fs writes its superblock (f2fs_stop_checkpoint()); buffers that a journal
 * has committed are written by the block device's own writeback, which ignores a shutdown; FAT and
 * older btrfs have no such ioctl. A read-only block device (BLKROSET) does not prevent writes of a
 * mounted file system (bio_check_ro() in block/blk-core.c only warns).
 */
#ifndef S2DISK_PLATFORM_DEVICE_CUT_H
#define S2DISK_PLATFORM_DEVICE_CUT_H

/* Cuts off the device with a kernel's name ("sda2", "dm-0") below root, and no other:
 * - a partition is made one sector long in the kernel's table (BLKPG_RESIZE_PARTITION;
 *   bio_check_eod() refuses the rest); the table on the disk stays as it is. The kernel
 *   takes no shorter one (blkpg_do_ioctl()), so this sector can still be written;
 * - a device of the device mapper gets a table with the target "error";
 * - a whole SCSI, SATA or USB disk goes offline (/sys/block/.../device/state);
 * - what lies on others that nothing else uses (MD): all of these.
 * Nothing is written to a disk, and no thread of the kernel is waited for that may be
 * frozen. Returns how many bytes at the beginning still take writes, 0 mostly;
 * -EOPNOTSUPP where there is no such way (a whole NVMe or virtio disk); or
 * another negative errno. */
int device_cut(const char *root, const char *name);

#endif
