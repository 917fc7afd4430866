/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor: who made it, what it can do. */
#ifndef S2DISK_PLATFORM_CPU_H
#define S2DISK_PLATFORM_CPU_H

#include "platform/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUID_WORDS_MAX 256

struct cpu_info {
	char vendor[32];
	char family[32];
	char model[32];
	char model_name[96];
	char stepping[32];
	char microcode[32];
	char addresses[64]; /* "46 bits physical, 48 bits virtual" */
	char flags[6144];   /* words, sorted; what the running kernel calls them */
	uint32_t online;
	uint32_t present; /* processors that the firmware describes; 0 unknown */
};

/* x86: a register of a leaf of CPUID whose set bits are features. Unlike the
 * flags it does not depend on the kernel that looks. */
struct cpuid_word {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t reg; /* 0 to 3: EAX, EBX, ECX, EDX */
	uint32_t value;
};

struct cpu {
	struct cpu_info info;
	LIST_OF(struct cpuid_word) words; /* a bit that is lost is a feature that is */
	LIST_OF(struct cpuid_word) named; /* … only where a flag of /proc/cpuinfo names it */
};

/* A register that is recorded. */
struct cpuid_register {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t reg;
	uint32_t switched; /* bits that say what the kernel has switched on; not recorded */
	bool judged;	   /* in words, else in named */
	const char *names; /* what /proc/cpuinfo calls the bits, see there */
};

extern const struct cpuid_register cpuid_registers[];
extern const size_t cpuid_register_count;

/* 0 or -ENOMEM. The instruction is asked only where root is "". */
int cpu_capture(const char *root, struct cpu *ret);
void cpu_free(struct cpu *cpu);

/* Pure. 0 or -ENOMEM. */
int cpu_parse(const char *cpuinfo, struct cpu_info *ret);

/* "0-3,6" → 5; 0 when it is not such a list. */
uint32_t cpu_count_list(const char *text);

/* Is word one of the words of flags? */
bool cpu_has_flag(const char *flags, const char *word, size_t length);

/* What was recorded of a register; 0 where nothing was. */
uint32_t cpuid_value(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t reg);

/* x86: a flag that this boot's /proc/cpuinfo does not show, though another's did. Is
 * its bit set in a register that was recorded, or is it one that says what a kernel
 * chose? Then the processor lacks nothing. False where the register was not recorded. */
bool cpu_excuses_flag(const struct cpu *cpu, const char *flag);

/* x86 only; elsewhere they find nothing. The name and version that the
 * hypervisor gives itself ("" when there is none). */
int cpuid_capture(struct cpu *cpu);
void cpuid_hypervisor(char *name, size_t name_size, char *version, size_t version_size);

#endif
