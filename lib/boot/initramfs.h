/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in an initramfs, as far as resuming goes: cpio archives one after the
 * other, the last of them compressed as a rule (the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst). The system's own
 * programs unpack it (gzip, xz, zstd, lz4, bzip2, lzop): a system that makes such
 * an initramfs has them.
 */
#ifndef S2DISK_BOOT_INITRAMFS_H
#define S2DISK_BOOT_INITRAMFS_H

#include "base/why.h"
#include "boot/boot_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string in the resume(8) that knows the images of today. Raise the number
 * when a program from before would not resume those any more. */
#define INITRAMFS_RESUME_MARK "s2disk images, form 1"

#define INITRAMFS_FILES_MAX 32
#define INITRAMFS_CMDLINE_SIZE 4096

/* A small text file of it; of a secret one, the digest. */
struct initramfs_file {
	char name[256]; /* without a slash in front: "etc/suspend.conf" */
	char *text;
	uint64_t link; /* of cpio_entry, while it is read */
};

/* Secret files that are looked for: of their content only the SHA-256 is kept,
 * in hexadecimal digits. */
#define INITRAMFS_SECRETS_MAX 8
struct initramfs_secrets {
	char names[INITRAMFS_SECRETS_MAX][256]; /* without a slash in front */
	size_t count;
};

struct initramfs {
	bool resume;  /* our resume(8), or uswsusp's, is in it */
	bool current; /* … and it is one that knows the images of today */
	bool script;  /* a script of the generator runs it, whatever resume= says */
	bool unit;    /* systemd's unit runs it, for what resume= names */
	bool keymap;  /* a layout of the keyboard for the console */
	bool partial; /* there is more than could be read */
	struct initramfs_file files[INITRAMFS_FILES_MAX]; /* configuration, sorted by name */
	size_t count;
	/* All names in it, each ended by a zero byte. */
	char *names;
	size_t names_length, names_size;
	/* Of a unified image, what it has as the kernel's command line; else "". */
	char cmdline[INITRAMFS_CMDLINE_SIZE];
};

/* Reads root/file->path, of a unified image the initramfs in it; secrets: NULL for none;
 * deadline: of now_usec(), 0 for none. -EBADMSG when it is empty, damaged, or ends in the middle;
 * -ENOTSUP: it is packed in a way not known here; -ENOENT when it, an initramfs in it, or
 * the program to unpack it with, is missing; -ETIMEDOUT when it is too large or the
 * deadline was reached; w says what.
 *
 * A report has a bare archive of what mattered in the place of each: of a unified image with its
 * command line as a file ".cmdline", and why it could not be read in ".unread". Such a
 * one is read as what it stands for. */
int initramfs_read(const char *root, const struct boot_file *file,
		   const struct initramfs_secrets *secrets, uint64_t deadline,
		   struct initramfs *ret, struct why *w);

void initramfs_free(struct initramfs *initramfs);

/* Text of one of its files, NULL where it has none. */
const char *initramfs_file(const struct initramfs *initramfs, const char *name);

/* Is a file of that name, or one that the pattern (glob(7)) fits, in it? */
bool initramfs_has(const struct initramfs *initramfs, const char *name);

/* mkinitcpio's hooks run in the order of a list: does this one come after s2disk's in it? */
bool initramfs_runs_late(const struct initramfs *initramfs, const char *hook);

/* Pure: does the initramfs, with this kernel command line, open an encrypted device, so that it is
 * there as /dev/mapper/name? By a line of its crypttab (crypttab(5), also where
 * Debian's cryptroot keeps it) with a key that lasts and is there, by rd.luks.name=, by
 * cryptdevice= where mkinitcpio's hook runs in time, or by rd.luks.uuid= and the like where the
 * name is luks-UUID or does not matter (any_name). Where words of the command line name what is to
 * be opened, systemd-cryptsetup-generator(8) takes only those lines of crypttab. uuid: of the LUKS
 * header, 32 hexadecimal digits, "" for none. */
bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name);

#endif
