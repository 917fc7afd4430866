/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86: memory that the processor encrypts with the kernel's help. A kernel that does this
 * cannot restore any image, regardless of its origin (doc/platform-verdict.md).
 */
#ifndef S2DISK_PLATFORM_ENCRYPTION_H
#define S2DISK_PLATFORM_ENCRYPTION_H

#include "platform/hardware/cpu.h"

#include <stdbool.h>
#include <stddef.h>

/* Is it active? Then kind is what the kernel calls it: "AMD SME", "Intel TDX" …
 * kernel_log may be NULL; release is the running kernel's. False if nothing shows it: in
 * a guest with SEV or SEV-ES, only the log does. */
bool encryption_find(const char *root, const char *kernel_log, const char *release,
		     const struct cpu_info *cpu, char *kind, size_t size);

/* Encryption by the machine itself (SME), not by the host of a guest. */
bool encryption_is_own(const char *kind);

#endif
