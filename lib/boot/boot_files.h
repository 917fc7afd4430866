/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What boots: initramfs and unified kernel images below /boot, /efi and /esp, whichever
 * boot loader loads them. Its configuration is not read.
 */
#ifndef S2DISK_BOOT_BOOT_FILES_H
#define S2DISK_BOOT_BOOT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define BOOT_FILES_MAX 32

struct boot_section {
	uint64_t offset, length; /* in the file; length 0: none */
};

struct boot_file {
	char path[256]; /* below the root */
	/* Of a unified kernel image, where these are sections of one PE program (UAPI
	 * group, "Unified Kernel Image"). */
	struct boot_section initrd, cmdline;
	bool spare; /* a rescue or fallback image, which is only booted on request */
	/* Its path contains the release of the running kernel, or is that of the unified image that
	 * systemd-stub(7) started. */
	bool running;
	mode_t mode;
	time_t changed; /* seconds since 1970 */
};

struct boot_files {
	struct boot_file files[BOOT_FILES_MAX]; /* the newest, newest first */
	size_t count;
	char release[128];   /* of the running kernel */
	char cut[256];	     /* a directory with more files than the limit; "" for none */
	char unmounted[256]; /* an automount that is not mounted; "" for none */
	time_t written;	     /* last change of anything in /boot's file system, by inode times */
	time_t directories_changed; /* last change of the newest directory; 0: there is none */
};

/* Pure: finds the sections; if several have the same name, the first counts, which is the
 * profile that boots by default. header is the beginning of a file of file_size bytes.
 * false: not a valid PE image, or one without an initramfs; the sections are then
 * unusable. */
bool boot_file_parse(const unsigned char *header, size_t length, uint64_t file_size,
		     struct boot_file *ret);

/* Finds them, up to a limit. Symbolic links are not followed, except top directories, and
 * automounts are not triggered. A file's change time comes from its times; for another
 * root than "" from its content's time only, since copies have new inodes. */
void boot_files_find(const char *root, struct boot_files *ret);

/* Time of the last installation or removal of a kernel: by /usr/lib/modules. 0: unknown. */
time_t boot_modules_changed(const char *root);

/* When this boot began, in seconds since 1970: root/proc/stat, 0 if unknown. */
time_t boot_began(const char *root);

/* Did the boot loader pass an initramfs to the kernel? 1 yes, 0 no, -1 unknown. Derived
 * from /run/initramfs, from the setup header that the kernel got
 * (Documentation/arch/x86/boot.rst: ramdisk_size; the EFI stub fills it in, too), and
 * from arguments: those that the kernel cannot mount by itself, and those that Ubuntu's
 * cloud images use to boot without an initramfs. */
int boot_had_initramfs(const char *root);

/* The size in bytes of the initramfs that the boot loader passed to this kernel, by that setup
 * header; 0: none, or unknown. */
uint64_t boot_initramfs_size(const char *root);

#endif
