/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot record's file, root/run/s2disk/boot: written by resume(8) in the
 * initramfs, whose /run the system takes over. For root's eyes only.
 */
#ifndef S2DISK_HISTORY_BOOT_RECORD_FILE_H
#define S2DISK_HISTORY_BOOT_RECORD_FILE_H

#include "base/why.h"
#include "history/boot_record.h"

/* Is this an initramfs? By what is mounted on / (rootfs), or by the
 * file that systemd tells one by (/etc/initrd-release). In a running system nothing
 * is written into the record of its boot. */
bool boot_in_initramfs(const char *root);

/* The directory of the record below root, /run/s2disk, made where there is none: a
 * descriptor, or a negative errno. */
int boot_record_open_directory(const char *root);

/* Appends a run to this boot's record, or begins it with what the kernel says
 * now: its log, the firmware's memory map, its command line. Written whole, by
 * rename. Does nothing outside of an initramfs. 0 or a negative errno, which is
 * no reason to stop a boot. */
int boot_record_add(const char *root, const struct boot_run *run);

/* As boot_record_add, in the place of the last run: what became of one that was added
 * before. */
int boot_record_renew(const char *root, const struct boot_run *run);

/* As boot_record_add, but does nothing where this boot has a record. */
int boot_record_add_first(const char *root, const struct boot_run *run);

/* What a resume hands over of its boot, in size bytes: the run, runs before it that
 * discarded another image, and what the kernel and the firmware say, as boot_brief.h has it. ""
 * where that cannot be had. */
void boot_record_hand_over(const char *root, const struct boot_run *run, char *ret, size_t size);

/* In the system that was restored, and so not in an initramfs: that text takes the place
 * of the record there, which is of the boot that made the image. 0 or a negative errno
 * with a sentence in w; then the record is as it was. */
int boot_record_replace(const char *root, const char *text, struct why *w);

/* -ENOENT: this boot left none; -ESTALE: it is another boot's; -EBADMSG, -ENOTSUP,
 * -EFBIG. boot_record_free afterwards. */
int boot_record_read(const char *root, struct boot_record *ret, struct why *w);

/* What the kernel says at boot and nowhere else (where the ACPI tables lie, and a
 * few things more): as the record has it, or where there is none, the kernel's
 * log as it is now. The caller frees *ret. */
int boot_record_log(const char *root, char **ret);

/* Pure: is this line of the kernel's log one that a record keeps? */
bool boot_record_wants(const char *line);

#endif
