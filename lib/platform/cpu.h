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
	LIST_OF(struct cpuid_word) words;
};

/* 0 or -ENOMEM. The instruction is asked only where root is "". */
int cpu_capture(const char *root, struct cpu *ret);
void cpu_free(struct cpu *cpu);

/* Pure. 0 or -ENOMEM. */
int cpu_parse(const char *cpuinfo, struct cpu_info *ret);

/* "0-3,6" → 5; 0 when it is not such a list. */
uint32_t cpu_count_list(const char *text);

/* Is word one of the words of flags? */
bool cpu_has_flag(const char *flags, const char *word, size_t length);

/* x86 only; elsewhere they find nothing. The name and version that the
 * hypervisor gives itself ("" when there is none). */
int cpuid_capture(struct cpu *cpu);
void cpuid_hypervisor(char *name, size_t name_size, char *version, size_t version_size);

#endif
