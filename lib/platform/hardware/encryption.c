/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Not evidence: the flags sev, sev_es, sev_snp and /dev/sev (of a host that can run such
 * guests), and what firmware does without the kernel (TSME, TME).
 */
#include "platform/hardware/encryption.h"

#include "base/text.h"
#include "platform/firmware/kernel_dmi.h"
#include "base/tree.h"

#include <stdio.h>
#include <string.h>

/* "AMD " may precede it, "AMD SEV SEV-ES" may follow it (print_mem_encrypt_feature_info()
 * in arch/x86/mm/mem_encrypt.c). The boot record (lib/history) keeps the line. */
#define LINE "Memory Encryption Features active:"

static bool logged(const char *log, char *kind, size_t size)
{
	const char *at = log ? strstr(log, LINE) : NULL;

	if (!at)
		return false;
	at += strlen(LINE);
	at += strspn(at, " ");
	snprintf(kind, size, "%.*s", (int)strcspn(at, "\n"), at);
	text_make_printable(kind);
	if (!*kind)
		text_copy(kind, size, "of an unknown kind");
	return true;
}

static bool has_flag(const struct cpu_info *cpu, const char *flag)
{
	return cpu_has_flag(cpu->flags, flag, strlen(flag));
}

/* Linux 6.1 and later clear the flag sme if it is not in use, but on AMD's processors
 * only (early_detect_mem_encrypt() in arch/x86/kernel/cpu/amd.c): elsewhere it shows what
 * is possible. Under a hypervisor, SEV is what is in use (sme_enable() in
 * arch/x86/mm/mem_encrypt_identity.c). */
static const char *flagged(const char *release, const struct cpu_info *cpu)
{
	if (has_flag(cpu, "tdx_guest"))
		return "Intel TDX";
	if (!has_flag(cpu, "sme") || strcmp(cpu->vendor, "AuthenticAMD") != 0 ||
	    !kernel_at_least(release, 6, 1))
		return NULL;
	return has_flag(cpu, "hypervisor") ? "AMD SEV" : "AMD SME";
}

/* Only guests with SEV-SNP have these (sev_sysfs_init(), snp_init_platform_device()). */
static bool has_snp_device(const char *root)
{
	return tree_exists(root, "/sys/devices/system/cpu/sev/vmpl") ||
	       tree_exists(root, "/dev/sev-guest");
}

bool encryption_find(const char *root, const char *kernel_log, const char *release,
		     const struct cpu_info *cpu, char *kind, size_t size)
{
	const char *found;

	if (logged(kernel_log, kind, size))
		return true;
	found = flagged(release, cpu);
	if (!found && has_snp_device(root))
		found = "AMD SEV SEV-ES SEV-SNP";
	if (found)
		text_copy(kind, size, found);
	return found != NULL;
}

bool encryption_is_own(const char *kind)
{
	return strstr(kind, "SME") != NULL;
}
