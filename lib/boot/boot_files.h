/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What boots: initramfs and unified kernel images below /boot, /efi and where FAT is
 * mounted, whatever boot loader loads them. Its configuration is not read.
 */
#ifndef S2DISK_BOOT_BOOT_FILES_H
#define S2DISK_BOOT_BOOT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#define BOOT_FILES_MAX 32

struct boot_file {
	char path[256]; /* below the root */
	bool unified;	/* a unified kernel image with an initramfs in it */
	bool spare;	/* a rescue or fallback image, which no boot takes by itself */
	bool running;	/* its path has the release of the running kernel */
	mode_t mode;
	time_t changed; /* seconds since 1970 */
	dev_t dev;
	ino_t inode;
};

struct boot_files {
	struct boot_file files[BOOT_FILES_MAX]; /* the newest, newest first */
	size_t count;
	char config[256];	/* the newest configuration of a boot loader, "" for none, … */
	time_t config_changed;	/* … and when its content was changed */
	char unmounted[256];	/* an automount that is not mounted; "" for none */
	bool looked;		/* there was a folder to look into */
	time_t written;		/* when anything in the file system of /boot was, by its inode */
	time_t folders_changed; /* when the newest of them was changed, as far as it tells */
};

/* Finds them, each once. Bounded in depth and number; but for the topmost folders symbolic
 * links are not followed, and an automount that is not mounted is left so. When a file was
 * changed: by its times, for another root than "" by that of its content only, since
 * copies have new inodes. */
void boot_files_find(const char *root, struct boot_files *ret);

/* When a kernel's modules were last installed: by the folders in /usr/lib/modules. 0: unknown. */
time_t boot_modules_changed(const char *root);

/* Seconds since 1970 when this boot began: root/proc/stat, 0 where that does not say. */
time_t boot_began(const char *root);

/* Did the boot loader hand the kernel an initramfs? 1 yes, 0 no, -1 unknown. By
 * /run/initramfs, by the setup header that the kernel got (Documentation/arch/x86/boot.rst:
 * ramdisk_size; the EFI stub fills it in, too), by arguments: what the kernel cannot
 * mount by itself; what Ubuntu's cloud images have for their boot without one. */
int boot_had_initramfs(const char *root);

#endif
