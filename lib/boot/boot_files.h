/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What boots: initramfs and unified kernel images below /boot, /efi and /esp, whatever
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
	uint64_t offset, length; /* in the file; length 0: it has none */
};

struct boot_file {
	char path[256]; /* below the root */
	/* Of a unified kernel image, which has them as sections of one PE program (UAPI group,
	 * "Unified Kernel Image"). */
	struct boot_section initrd, cmdline;
	bool spare;   /* a rescue or fallback image, which no boot takes by itself */
	bool running; /* its path has the release of the running kernel */
	bool foreign; /* others are, and its path has the release of no installed kernel */
	mode_t mode;
	time_t changed; /* seconds since 1970 */
};

struct boot_files {
	struct boot_file files[BOOT_FILES_MAX]; /* the newest, newest first */
	size_t count;
	char release[128];	/* of the running kernel */
	char cut[256];		/* where there was more than could be looked at; "" for none */
	char unmounted[256];	/* an automount that is not mounted; "" for none */
	time_t written;		/* when anything in /boot's file system was, by its inode */
	time_t folders_changed; /* when the newest directory was; 0: there is none */
};

/* Pure: finds the sections; of several of one name the first counts, which is the
 * profile that is taken without a choice. header is the beginning of a file of file_size bytes.
 * false: no sound PE image, or it has no initramfs in it; they are of no use then. */
bool boot_file_parse(const unsigned char *header, size_t length, uint64_t file_size,
		     struct boot_file *ret);

/* Finds them. Bounded in number; but for the topmost directories symbolic
 * links are not followed, and an automount that is not mounted is left so. When a file was
 * changed: by its times, for another root than "" by that of its content only, since
 * copies have new inodes. */
void boot_files_find(const char *root, struct boot_files *ret);

/* When kernels were last installed or removed: by /usr/lib/modules. 0: unknown. */
time_t boot_modules_changed(const char *root);

/* Seconds since 1970 when this boot began: root/proc/stat, 0 where that does not say. */
time_t boot_began(const char *root);

/* Did the boot loader hand the kernel an initramfs? 1 yes, 0 no, -1 unknown. By
 * /run/initramfs, by the setup header that the kernel got (Documentation/arch/x86/boot.rst:
 * ramdisk_size; the EFI stub fills it in, too), by arguments: what the kernel cannot
 * mount by itself; what Ubuntu's cloud images have for their boot without one. */
int boot_had_initramfs(const char *root);

#endif
