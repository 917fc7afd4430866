/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor and hypervisor. */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/text.h"
#include "platform/hardware/encryption.h"

#include <stdio.h>
#include <string.h>

/* Handled by judge_paging(), unlike other features. */
#define FIVE_LEVELS "la57"

struct names {
	char text[320];
	size_t used;
	unsigned int count;
	unsigned int left_out;
};

static void add_name(struct names *names, const char *name)
{
	names->count++;
	if (names->used + strlen(name) + 24 < sizeof(names->text))
		names->used += (size_t)snprintf(names->text + names->used,
						sizeof(names->text) - names->used, "%s%s",
						names->used ? ", " : "", name);
	else
		names->left_out++;
}

static const char *names_text(struct names *names)
{
	if (names->left_out > 0)
		snprintf(names->text + names->used, sizeof(names->text) - names->used,
			 " and %u more", names->left_out);
	return names->text;
}

/* Flags of a that b does not have: to excused if cpu (b's) has the feature anyway, else to missing.
 * Without a cpu nothing is excused. */
static void missing_flags(const char *a, const char *b, const struct cpu *cpu,
			  struct names *missing, struct names *excused)
{
	for (const char *at = a; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		char flag[64];

		if (length > 0 && length < sizeof(flag)) {
			memcpy(flag, at, length);
			flag[length] = '\0';
			if (strcmp(flag, FIVE_LEVELS) != 0 && !cpu_has_flag(b, flag, length))
				add_name(cpu && cpu_excuses_flag(cpu, flag) ? excused : missing,
					 flag);
		}
		at += length;
	}
}

/* Bits that a has and b does not, as text; returns how many. */
static unsigned int missing_bits(const struct cpu *a, const struct cpu *b, char *text, size_t size)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };
	unsigned int count = 0;
	size_t used = 0;

	for (size_t i = 0; i < a->words.count; i++) {
		const struct cpuid_word *word = &a->words.items[i];
		uint32_t lost = word->value & ~cpuid_value(b, word->leaf, word->subleaf, word->reg);

		count += (unsigned int)__builtin_popcount(lost);
		if (lost && used + 64 < size)
			used += (size_t)snprintf(text + used, size - used, "%sCPUID %x.%x %s 0x%x",
						 used ? ", " : "", word->leaf, word->subleaf,
						 registers[word->reg % 4], lost);
	}
	return count;
}

static void report_lost(struct judge *judge, unsigned int count, const char *names)
{
	struct finding *finding = judge_add(judge, ABOUT_CPU_FEATURES, VERDICT_FATAL);

	SAY(finding->then, "%s", names);
	SAY(finding->text, "The processor lacks %u feature%s that the saved kernel had: %s.", count,
	    count == 1 ? "" : "s", names);
	SAY(finding->advice,
	    "Resume on a processor (or, in a guest, with a processor model) that has "
	    "them.");
}

static void report_unnamed(struct judge *judge, unsigned int count, const char *names)
{
	struct finding *finding = judge_add(judge, ABOUT_CPU_FEATURES, VERDICT_HARMLESS);

	SAY(finding->then, "%s", names);
	SAY(finding->text,
	    "This kernel does not list %u processor feature%s that the saved kernel did, but the "
	    "hardware is the same.",
	    count, count == 1 ? "" : "s");
}

static void report_gained(struct judge *judge, unsigned int count, const char *names)
{
	struct finding *finding = judge_add(judge, ABOUT_CPU_FEATURES, VERDICT_HARMLESS);

	SAY(finding->now, "%s", names);
	SAY(finding->text, "%u more processor feature%s: the saved kernel does not use %s.", count,
	    count == 1 ? "" : "s", count == 1 ? "it" : "them");
}

/* The flags of /proc/cpuinfo also depend on the kernel that prints them. A flag that this kernel
 * does not print is present if its register has the bit; a bit that a register lost is missing,
 * whatever the flags say. */
static void judge_features(struct judge *judge)
{
	const struct cpu *then = &judge->then->cpu, *now = &judge->now->cpu;
	bool registers = then->words.known && now->words.known;
	struct names lost = { 0 }, unnamed = { 0 }, gained = { 0 };
	char bits[320] = "";
	unsigned int lost_bits = 0;

	if (*then->info.flags && *now->info.flags) {
		missing_flags(then->info.flags, now->info.flags, now, &lost, &unnamed);
		missing_flags(now->info.flags, then->info.flags, NULL, &gained, NULL);
	}
	if (registers)
		lost_bits = missing_bits(then, now, bits, sizeof(bits));
	if (lost.count > 0)
		report_lost(judge, lost.count, names_text(&lost));
	else if (lost_bits > 0)
		report_lost(judge, lost_bits, bits);
	if (unnamed.count > 0)
		report_unnamed(judge, unnamed.count, names_text(&unnamed));
	if (gained.count > 0)
		report_gained(judge, gained.count, names_text(&gained));
	if (lost.count + lost_bits + unnamed.count + gained.count == 0 &&
	    (registers || *then->info.flags))
		judge_same(judge, ABOUT_CPU_FEATURES, "The processor has the same features.");
}

static void judge_cpu_count(struct judge *judge)
{
	uint32_t then = judge->then->cpu.info.present, now = judge->now->cpu.info.present;
	struct finding *finding;

	if (then == 0 || now == 0 || then == now)
		return;
	finding = judge_add(judge, ABOUT_CPU_COUNT, now < then ? VERDICT_RISKY : VERDICT_HARMLESS);
	finding->accept = ACCEPT_PROCESSOR_COUNT;
	SAY(finding->then, "%u", then);
	SAY(finding->now, "%u", now);
	if (now < then)
		SAY(finding->text,
		    "The machine has %u processors instead of %u: the saved kernel waits for the "
		    "missing ones, then moves what was bound to them.",
		    now, then);
	else
		SAY(finding->text,
		    "The machine has %u processors instead of %u: the saved kernel uses those it "
		    "knows.",
		    now, then);
}

/* "46 bits physical, …" */
static void judge_address_bits(struct judge *judge)
{
	unsigned int then, now;
	struct finding *finding;

	if (sscanf(judge->then->cpu.info.addresses, "%u bits physical", &then) != 1 ||
	    sscanf(judge->now->cpu.info.addresses, "%u bits physical", &now) != 1 || then == now)
		return;
	finding = judge_text(judge, ABOUT_CPU, now < then ? VERDICT_RISKY : VERDICT_HARMLESS,
			     judge->then->cpu.info.addresses, judge->now->cpu.info.addresses);
	if (finding)
		SAY(finding->text, "The processor addresses %u bits of memory instead of %u.", now,
		    then);
}

static bool has_five_levels(const struct cpu *cpu)
{
	return cpu_has_flag(cpu->info.flags, FIVE_LEVELS, strlen(FIVE_LEVELS));
}

/* other: the processors differ in it, so no command line makes them alike. */
static void report_levels(struct judge *judge, bool five, bool other)
{
	struct finding *finding = judge_add(judge, ABOUT_CPU, VERDICT_FATAL);
	const char *then = five ? "five" : "four", *now = five ? "four" : "five";

	finding->of_command_line = !other;
	SAY(finding->then, "%s levels", then);
	SAY(finding->now, "%s levels", now);
	SAY(finding->text,
	    "The saved kernel used page tables of %s levels, this one uses %s: the processor "
	    "cannot switch at run time.",
	    then, now);
	if (other)
		SAY(finding->advice, "Resume on a processor with the same virtual addresses.");
	else
		SAY(finding->advice,
		    "Boot a kernel that uses %s levels, %s no5lvl on the kernel command line.",
		    then, five ? "without" : "with");
}

static bool virtual_bits(const struct cpu *cpu, unsigned int *ret)
{
	return sscanf(cpu->info.addresses, "%*u bits physical, %u bits virtual", ret) == 1;
}

/* The image has its own page tables, but the processor keeps the number of levels that this boot's
 * kernel set: CR4.LA57 cannot change in long mode. The kernel clears the flag if it uses four
 * levels (early_identify_cpu()); the address bits are the processor's own
 * (get_cpu_address_sizes()). */
static void judge_paging(struct judge *judge)
{
	const struct cpu *then = &judge->then->cpu, *now = &judge->now->cpu;
	unsigned int old = 0, new = 0;
	bool other = virtual_bits(then, &old) && virtual_bits(now, &new) && old != new;
	struct finding *finding;

	if (*then->info.flags && *now->info.flags &&
	    has_five_levels(then) != has_five_levels(now)) {
		report_levels(judge, has_five_levels(then), other);
	} else if (other) {
		finding = judge_add(judge, ABOUT_CPU, VERDICT_FATAL);
		SAY(finding->then, "%s", then->info.addresses);
		SAY(finding->now, "%s", now->info.addresses);
		SAY(finding->text,
		    "The processor has virtual addresses of %u bits instead of %u: it is another "
		    "model.",
		    new, old);
	}
}

/* Independent of the image: this kernel's restore code does not support encryption. */
static void judge_encryption(struct judge *judge)
{
	const char *kind = judge->now->encryption;
	struct finding *finding;

	if (!*kind)
		return;
	finding = judge_add(judge, ABOUT_CPU, VERDICT_FATAL);
	finding->of_command_line = encryption_is_own(kind);
	SAY(finding->now, "%s", kind);
	SAY(finding->text, "Memory encryption is active (%s): this kernel cannot restore an image.",
	    kind);
	SAY(finding->advice, "%s",
	    encryption_is_own(kind) ? "Boot without mem_encrypt=on, or with mem_encrypt=off, on "
				      "the kernel command line."
				    : "Resume in a virtual machine without memory encryption.");
}

/* CPUID leaves of hypervisors (Documentation/virt/kvm/x86/cpuid.rst). */
static bool is_hypervisors(const struct cpuid_word *word)
{
	return word->leaf >= 0x40000000 && word->leaf <= 0x400000ff;
}

/* Has one of them words of its hypervisor that the other has not, or others? */
static bool other_words(const struct cpu *a, const struct cpu *b)
{
	for (size_t i = 0; i < a->named.count; i++) {
		const struct cpuid_word *word = &a->named.items[i];

		if (is_hypervisors(word) &&
		    cpuid_value(b, word->leaf, word->subleaf, word->reg) != word->value)
			return true;
	}
	return false;
}

static bool same_words(const struct judge *judge)
{
	const struct cpu *then = &judge->then->cpu, *now = &judge->now->cpu;

	return !other_words(then, now) && !other_words(now, then);
}

void judge_cpu(struct judge *judge)
{
	const struct cpu_info *then = &judge->then->cpu.info, *now = &judge->now->cpu.info;
	size_t before = judge->verdict->count;
	struct finding *finding;

	finding = judge_text(judge, ABOUT_CPU, VERDICT_FATAL, then->vendor, now->vendor);
	if (finding)
		SAY(finding->text, "The processor is from another vendor: %s, not %s.", now->vendor,
		    then->vendor);
#define MODEL(member, word)                                                               \
	finding = judge_text(judge, ABOUT_CPU, VERDICT_RISKY, then->member, now->member); \
	if (finding) {                                                                    \
		if (same_words(judge))                                                    \
			finding->accept = ACCEPT_PROCESSOR_MODEL;                         \
		SAY(finding->text,                                                        \
		    "The processor's " word                                               \
		    " is %s, not %s: the saved kernel chose its workarounds "             \
		    "and its clock for the old one.",                                     \
		    now->member, then->member);                                           \
	}
	MODEL(family, "family")
	MODEL(model, "model")
	MODEL(stepping, "stepping")
#undef MODEL
	judge_address_bits(judge);
	judge_paging(judge);
	if (judge->verdict->count == before && *then->vendor)
		judge_same(judge, ABOUT_CPU, "The processor is the same model.");
	finding = judge_text(judge, ABOUT_MICROCODE, VERDICT_HARMLESS, then->microcode,
			     now->microcode);
	if (finding)
		SAY(finding->text,
		    "The processor's microcode differs: the kernel loads its own again on resume.");
	judge_cpu_count(judge);
	judge_features(judge);
	judge_encryption(judge);
}

static void hypervisor_words(const struct guest *guest, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", guest_kind_name(guest->kind), *guest->version ? " " : "",
		 guest->version);
}

/* What Hyper-V recommended to the saved kernel, which uses it, and does not recommend now.
 * Linux reads these leaves of it, and not 0x40000006 (arch/x86/kernel/cpu/mshyperv.c). An older
 * image does not have them. */
static bool lost_words(const struct judge *judge)
{
	const struct cpu *then = &judge->then->cpu, *now = &judge->now->cpu;

	for (size_t i = 0; now->named.known && i < then->named.count; i++) {
		const struct cpuid_word *word = &then->named.items[i];

		uint32_t lost =
			word->value & ~cpuid_value(now, word->leaf, word->subleaf, word->reg);

		/* Bits 0 to 15 of the latter are versions of the enlightened VMCS. */
		if ((word->leaf == 0x40000004 && lost) ||
		    (word->leaf == 0x4000000a && lost & 0xffff0000))
			return true;
	}
	return false;
}

static struct finding *judge_hypervisor(struct judge *judge, const char *old, const char *new)
{
	const struct guest *then = &judge->then->guest, *now = &judge->now->guest;
	struct finding *finding;

	if (then->kind != now->kind ||
	    (*then->version && *now->version && strcmp(then->version, now->version) != 0)) {
		bool same = same_words(judge);

		finding = judge_add(judge, ABOUT_HYPERVISOR, VERDICT_RISKY);
		/* Features are compared as the processor's are. */
		if (then->kind == now->kind && same)
			finding->accept = ACCEPT_HYPERVISOR_VERSION;
		SAY(finding->text,
		    "The hypervisor's version is different: %s, not %s.%s Linux does not check it "
		    "when it resumes.",
		    new, old,
		    then->kind == now->kind && !same
			    ? " So is what it recommends to its guests, or says of its hardware."
			    : "");
		return finding;
	}
	if (then->kind == now->kind && lost_words(judge)) {
		finding = judge_add(judge, ABOUT_HYPERVISOR, VERDICT_RISKY);
		SAY(finding->text,
		    "The hypervisor is the same (%s), but no longer recommends to its guests what "
		    "the saved kernel chose. Linux does not check it when it resumes.",
		    new);
		return finding;
	}
	return NULL;
}

void judge_guest(struct judge *judge)
{
	const struct guest *then = &judge->then->guest, *now = &judge->now->guest;
	bool vague = then->kind == GUEST_OTHER || now->kind == GUEST_OTHER;
	struct finding *finding;
	char old[96], new[96];

	hypervisor_words(then, old, sizeof(old));
	hypervisor_words(now, new, sizeof(new));
	if (then->hypervisor != now->hypervisor || (then->kind != now->kind && !vague)) {
		finding = judge_add(judge, ABOUT_HYPERVISOR, VERDICT_FATAL);
		SAY(finding->text,
		    "The hypervisor is different: %s, not %s. The saved kernel uses the interfaces "
		    "of the old one.",
		    new, old);
	} else {
		finding = judge_hypervisor(judge, old, new);
		if (!finding && then->kind != GUEST_NONE)
			judge_same(judge, ABOUT_HYPERVISOR, "The hypervisor is the same.");
	}
	if (!finding)
		return;
	SAY(finding->then, "%s", old);
	SAY(finding->now, "%s", new);
}
