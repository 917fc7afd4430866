/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86: memory that the processor encrypts with the kernel's help. No image is restored
 * by a kernel that does this, whatever the image is of (doc/platform-verdict.md).
 */
#ifndef S2DISK_PLATFORM_ENCRYPTION_H
#define S2DISK_PLATFORM_ENCRYPTION_H

#include "platform/cpu.h"

#include <stdbool.h>
#include <stddef.h>

/* Is it active? Then kind is what the kernel calls it: "AMD SME", "Intel TDX" …
 * kernel_log may be NULL; release is the running kernel's. False where nothing shows
 * it: a guest with SEV or SEV-ES shows it in the log only. */
bool encryption_find(const char *root, const char *kernel_log, const char *release,
		     const struct cpu_info *cpu, char *kind, size_t size);

/* Of the machine itself (SME), not of a guest whose host sees to it. */
bool encryption_is_own(const char *kind);

#endif
