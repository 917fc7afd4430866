/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of a machine and its kernel, and options of the kernel. */
#ifndef S2DISK_PLATFORM_KERNEL_DMI_H
#define S2DISK_PLATFORM_KERNEL_DMI_H

#include <stdint.h>

enum kernel_flag {
	KERNEL_NOKASLR = 1,	   /* nokaslr */
	KERNEL_MEMMAP = 2,	   /* memmap= or mem= changes what is RAM */
	KERNEL_NO_EFI_RUNTIME = 4, /* noefi, efi=noruntime */
	KERNEL_WIPES_FREE = 8,	   /* free pages are, or may be, overwritten after a resume */
	KERNEL_NO_NVS = 16,	   /* acpi_sleep=nonvs: NVS is not saved */
	KERNEL_SIGNATURE = 32,	   /* acpi_sleep=s4_hwsig: rejects another FACS signature */
	KERNEL_NO_SIGNATURE = 64,  /* acpi_sleep=s4_nohwsig: ignores it */
};

struct kernel {
	char release[96];
	char build[320];  /* /proc/version */
	char machine[32]; /* x86_64 */
	uint32_t flags;	  /* enum kernel_flag */
};

struct dmi {
	char vendor[96];
	char product[96];
	char version[96];
	char board[96];
	char firmware_vendor[96];
	char firmware_version[96];
	char firmware_date[32];
};

/* kernel_log may be NULL. 0 or -ENOMEM. */
int kernel_capture(const char *root, const char *kernel_log, struct kernel *ret);

/* Pure: flags from a kernel command line, read as the kernel does: - and _ are equal in a
 * parameter's name (parameq() in kernel/params.c), the last of several counts, and what
 * follows "--" is not the kernel's. init_on_free and page_poison take what kstrtobool()
 * takes (lib/kstrtox.c); an unknown value, or none, does not prove that pages are left
 * alone. */
uint32_t kernel_flags_of(const char *cmdline);

void dmi_capture(const char *root, struct dmi *ret);

/* Is release ("6.12.5-amd64") at least major.minor? False if it cannot be parsed. */
int kernel_at_least(const char *release, unsigned int major, unsigned int minor);

#endif
