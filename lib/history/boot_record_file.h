/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot record's file, root/run/s2disk/boot: written by resume(8) in the initramfs,
 * whose /run the system takes over. Readable by root only.
 */
#ifndef S2DISK_HISTORY_BOOT_RECORD_FILE_H
#define S2DISK_HISTORY_BOOT_RECORD_FILE_H

#include "base/why.h"
#include "history/boot_record.h"

/* Is this an initramfs? By the file system on / (rootfs), or by systemd's marker
 * (/etc/initrd-release). In a running system the record of its boot is not changed. */
bool boot_in_initramfs(const char *root);

/* Appends a run to this boot's record, or starts the record with the kernel's current
 * log, the firmware's memory map and the command line. Replaced as a whole, by rename.
 * Does nothing outside an initramfs. 0 or a negative errno, which is no reason to stop a
 * boot. */
int boot_record_add(const char *root, const struct boot_run *run);

/* Like boot_record_add, but replaces the last run: the outcome of one that was added before. */
int boot_record_renew(const char *root, const struct boot_run *run);

/* Like boot_record_add, but does nothing if this boot has a record. */
int boot_record_add_first(const char *root, const struct boot_run *run);

/* What a resume hands over about its boot, in size bytes: the run, earlier runs that
 * discarded another image, and what the kernel and the firmware say, in the form of
 * boot_brief.h. "" if that is not available. */
void boot_record_hand_over(const char *root, const struct boot_run *run, char *ret, size_t size);

/* In the restored system, so not in an initramfs: that text replaces the record, which is
 * of the boot that made the image. 0 or a negative errno with a sentence in w; then the
 * record is unchanged. */
int boot_record_replace(const char *root, const char *text, struct why *w);

/* -ENOENT: this boot left none; -ESTALE: it is another boot's; -EBADMSG, -ENOTSUP,
 * -EFBIG. Call boot_record_free afterwards. */
int boot_record_read(const char *root, struct boot_record *ret, struct why *w);

/* What the kernel logs at boot and nowhere else (where the ACPI tables lie, and a few
 * more facts): from the record, or if there is none, from the kernel's log as it is now.
 * The caller frees *ret. */
int boot_record_log(const char *root, char **ret);

/* Pure: does a record keep this line of the kernel's log? */
bool boot_record_wants(const char *line);

#endif
