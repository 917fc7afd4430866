/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86: the CPUID instruction. Elsewhere this file finds nothing. */
#include "platform/hardware/cpu.h"

#if defined(__x86_64__) || defined(__i386__)

#include "base/bytes.h"
#include "base/text.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#define HYPERVISOR_LEAF 0x40000000
#define HYPERVISOR_BIT (1u << 31) /* of leaf 1, ECX */

static bool cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	memset(regs, 0, 4 * sizeof(regs[0]));
	return __get_cpuid_count(leaf, subleaf, &regs[0], &regs[1], &regs[2], &regs[3]) != 0;
}

static bool under_hypervisor(void)
{
	uint32_t regs[4];

	return cpuid(1, 0, regs) && (regs[2] & HYPERVISOR_BIT);
}

static int add_word(struct cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t reg, uint32_t value)
{
	struct cpuid_word word = { leaf, subleaf, reg, value };

	return list_append(&cpu->words, word);
}

/* Hyper-V's: what it recommends to its guests, what of the hardware it uses, what it offers to
 * hypervisors in a guest. Not features: a bit may be about the host alone, or say not to use
 * something. */
static int add_hyperv_leaves(struct cpu *cpu, uint32_t last)
{
	static const uint32_t leaves[] = { HYPERVISOR_LEAF + 0x4, HYPERVISOR_LEAF + 0x6,
					   HYPERVISOR_LEAF + 0xa };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(leaves) && leaves[i] <= last; i++) {
		struct cpuid_word word = { leaves[i], 0, 0, 0 };
		uint32_t unused;

		__cpuid(word.leaf, word.value, unused, unused, unused);
		r = list_append(&cpu->named, word);
	}
	return r;
}

/* The kernel uses what the hypervisor offers like a feature. */
static int add_hypervisor_words(struct cpu *cpu)
{
	uint32_t regs[4], last;
	int r = 0;

	__cpuid(HYPERVISOR_LEAF, last, regs[1], regs[2], regs[3]);
	/* KVM's features are in leaf 1; those of Hyper-V in leaf 3. */
	if (last >= HYPERVISOR_LEAF + 1 && memcmp(&regs[1], "KVMK", 4) == 0) {
		__cpuid(HYPERVISOR_LEAF + 1, regs[0], regs[1], regs[2], regs[3]);
		r = add_word(cpu, HYPERVISOR_LEAF + 1, 0, 0, regs[0]);
	} else if (last >= HYPERVISOR_LEAF + 3 && memcmp(&regs[1], "Micr", 4) == 0) {
		__cpuid(HYPERVISOR_LEAF + 3, regs[0], regs[1], regs[2], regs[3]);
		for (uint32_t reg = 0; r == 0 && reg < 4; reg++)
			if (reg != 2) /* ECX: power states */
				r = add_word(cpu, HYPERVISOR_LEAF + 3, 0, reg, regs[reg]);
		if (r == 0)
			r = add_hyperv_leaves(cpu, last);
	}
	return r;
}

int cpuid_capture(struct cpu *cpu)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cpuid_register_count; i++) {
		const struct cpuid_register *at = &cpuid_registers[i];
		struct cpuid_word word = { at->leaf, at->subleaf, at->reg, 0 };
		uint32_t regs[4];

		/* A leaf that does not exist has no features. */
		cpuid(at->leaf, at->subleaf, regs);
		word.value = regs[at->reg] & ~at->switched;
		r = at->judged ? list_append(&cpu->words, word) : list_append(&cpu->named, word);
	}
	if (r == 0 && under_hypervisor())
		r = add_hypervisor_words(cpu);
	cpu->words.known = cpu->named.known = r == 0;
	return r;
}

void cpuid_hypervisor(char *name, size_t name_size, char *version, size_t version_size)
{
	uint32_t regs[4], last;
	char signature[13] = "";

	if (!under_hypervisor())
		return;
	__cpuid(HYPERVISOR_LEAF, last, regs[1], regs[2], regs[3]);
	memcpy(signature, &regs[1], 12);
	snprintf(name, name_size, "%s", signature);
	text_make_line(name, ' ');
	if (last >= HYPERVISOR_LEAF + 2 && memcmp(signature, "Micr", 4) == 0) {
		__cpuid(HYPERVISOR_LEAF + 2, regs[0], regs[1], regs[2], regs[3]);
		snprintf(version, version_size, "%u.%u.%u", regs[1] >> 16, regs[1] & 0xffff,
			 regs[0]);
	} else if (last >= HYPERVISOR_LEAF + 1 && memcmp(signature, "XenV", 4) == 0) {
		__cpuid(HYPERVISOR_LEAF + 1, regs[0], regs[1], regs[2], regs[3]);
		snprintf(version, version_size, "%u.%u", regs[0] >> 16, regs[0] & 0xffff);
	}
}

#else

int cpuid_capture(struct cpu *cpu)
{
	(void)cpu;
	return 0;
}

void cpuid_hypervisor(char *name, size_t name_size, char *version, size_t version_size)
{
	(void)name;
	(void)name_size;
	(void)version;
	(void)version_size;
}

#endif
