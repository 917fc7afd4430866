/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an initramfs contains that matters for resuming: concatenated cpio archives, of
 * which the last is usually compressed (the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst). The system's own programs
 * unpack it (gzip, xz, zstd, lz4, bzip2, lzop): a system that builds such an initramfs
 * has them.
 */
#ifndef S2DISK_BOOT_INITRAMFS_H
#define S2DISK_BOOT_INITRAMFS_H

#include "base/why.h"
#include "boot/boot_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mark in each resume(8) that can read current images. Raise the number when older
 * programs could not resume new images any more. */
#define INITRAMFS_RESUME_MARK "s2disk images, form 1"

#define INITRAMFS_FILES_MAX 32
#define INITRAMFS_CMDLINE_SIZE 4096

/* A small text file; of a secret one, the digest. */
struct initramfs_file {
	char name[256]; /* without a leading slash: "etc/suspend.conf" */
	char *text;
	uint64_t link; /* of cpio_entry, while it is read */
};

/* Secret files to look for: only the SHA-256 of their content is kept, in hexadecimal. */
#define INITRAMFS_SECRETS_MAX 8
struct initramfs_secrets {
	char names[INITRAMFS_SECRETS_MAX][256]; /* without a leading slash */
	size_t count;
};

struct initramfs {
	bool resume;  /* it contains our resume(8), or uswsusp's */
	bool current; /* … and it can read current images */
	bool script;  /* a script of the generator runs it, regardless of resume= */
	bool unit;    /* systemd's unit runs it, for the device in resume= */
	bool keymap;  /* a keyboard layout for the console */
	bool partial; /* there is more than could be read */
	struct initramfs_file files[INITRAMFS_FILES_MAX]; /* configuration, sorted by name */
	size_t count;
	/* All names in it, each terminated by a zero byte. */
	char *names;
	size_t names_length;
	/* The kernel command line inside a unified image; otherwise "". */
	char cmdline[INITRAMFS_CMDLINE_SIZE];
};

/* Reads root/file->path, of a unified image the initramfs in it, with U-Boot's header or without;
 * secrets: NULL for none; deadline: of now_usec(), 0 for none. -EBADMSG when it is empty, damaged,
 * or ends in the middle; -ENOTSUP: it is compressed in an unknown format; -ENOENT when it, an
 * initramfs in it, or the program that unpacks it is missing; -ETIMEDOUT when it is too large or
 * the deadline has passed; w says which.
 *
 * A report contains a bare archive of what mattered in place of each: for a unified image with its
 * command line as a file ".cmdline", and the reason why it could not be read in ".unread". Such an
 * archive is read as the file it stands for. */
int initramfs_read(const char *root, const struct boot_file *file,
		   const struct initramfs_secrets *secrets, uint64_t deadline,
		   struct initramfs *ret, struct why *w);

void initramfs_free(struct initramfs *initramfs);

/* Text of one of its files, NULL if there is none. */
const char *initramfs_file(const struct initramfs *initramfs, const char *name);

/* Does it contain a file of that name, or one that matches the pattern (glob(7))? */
bool initramfs_has(const struct initramfs *initramfs, const char *name);

/* mkinitcpio runs hooks in the order of a list: does this one come after s2disk's? */
bool initramfs_runs_late(const struct initramfs *initramfs, const char *hook);

/* Pure: does the initramfs, with this kernel command line, open an encrypted device, as
 * /dev/mapper/name? By a line of its crypttab (crypttab(5), also where Debian's cryptroot
 * keeps it) with a permanent key that is available, by rd.luks.name=, by cryptdevice=
 * where mkinitcpio's hook runs in time, or by rd.luks.uuid= and the like where the name
 * is luks-UUID or does not matter (any_name). If the command line names what to open,
 * systemd-cryptsetup-generator(8) uses only those lines of crypttab. uuid: of the LUKS
 * header, as blkid(8) prints it, "" for none. */
bool initramfs_opens(const struct initramfs *initramfs, const char *cmdline, const char *name,
		     const char *uuid, bool any_name);

/* The command that regenerates every initramfs of the system below root, to print and to
 * run: a program in PATH and its arguments, separated by blanks, "update-initramfs -u -k
 * all". NULL if none is known: ostree systems, and systems without a generator that has a
 * hook of ours. On Debian with dracut, update-initramfs is dracut's own, if it is
 * installed. Where sdbootutil (openSUSE), kernel-install or limine-mkinitcpio (unified
 * images) puts the files onto the ESP, it is theirs: the generator alone would not change what
 * boots. */
const char *initramfs_command(const char *root);

#endif
