/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor: its maker and its features. */
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
	char flags[6144];   /* words, sorted; by the running kernel's names */
	uint32_t online;
	uint32_t present; /* processors that the firmware describes; 0 unknown */
};

/* x86: a register of a CPUID leaf whose set bits are features. Unlike the flags, it does
 * not depend on which kernel reads it. */
struct cpuid_word {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t reg; /* 0 to 3: EAX, EBX, ECX, EDX */
	uint32_t value;
};

struct cpu {
	struct cpu_info info;
	LIST_OF(struct cpuid_word) words; /* a lost bit is a lost feature */
	/* … but only if a flag of /proc/cpuinfo names it; and what a hypervisor says of itself. */
	LIST_OF(struct cpuid_word) named;
};

/* A register that is recorded. */
struct cpuid_register {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t reg;
	uint32_t switched; /* bits that show what the kernel has enabled; not recorded */
	bool judged;	   /* in words, otherwise in named */
	const char *names; /* the names of the bits in /proc/cpuinfo, see there */
};

extern const struct cpuid_register cpuid_registers[];
extern const size_t cpuid_register_count;

/* 0 or -ENOMEM. The instruction is only used if root is "". */
int cpu_capture(const char *root, struct cpu *ret);
void cpu_free(struct cpu *cpu);

/* Pure. 0 or -ENOMEM. */
int cpu_parse(const char *cpuinfo, struct cpu_info *ret);

/* "0-3,6" → 5; 0 if it is not such a list. */
uint32_t cpu_count_list(const char *text);

/* Is word one of the words in flags? */
bool cpu_has_flag(const char *flags, const char *word, size_t length);

/* The recorded value of a register; 0 if there is none. */
uint32_t cpuid_value(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t reg);

/* x86: a flag that another boot's /proc/cpuinfo shows and this one's does not. Is its bit
 * set in a recorded register, or does it only describe a kernel's choice? Then the
 * processor lacks nothing. False if the register was not recorded. */
bool cpu_excuses_flag(const struct cpu *cpu, const char *flag);

/* x86 only; elsewhere they find nothing. The hypervisor's own name and version ("" if
 * there is none). */
int cpuid_capture(struct cpu *cpu);
void cpuid_hypervisor(char *name, size_t name_size, char *version, size_t version_size);

#endif
