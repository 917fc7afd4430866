/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor and hypervisor. */
#include "platform/verdict_internal.h"

#include "base/bytes.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Words of a that are not in b, joined; returns how many. */
static unsigned int missing_words(const char *a, const char *b, char *text, size_t size)
{
	unsigned int count = 0, left_out = 0;
	size_t used = 0;

	for (const char *at = a; *at;) {
		size_t length = strcspn(at, " ");
		char word[64];

		if (length > 0 && length < sizeof(word)) {
			memcpy(word, at, length);
			word[length] = '\0';
			if (!cpu_has_flag(b, word, length)) {
				count++;
				if (used + length + 24 < size)
					used += (size_t)snprintf(text + used, size - used, "%s%s",
								 used ? ", " : "", word);
				else
					left_out++;
			}
		}
		at += length;
		at += strspn(at, " ");
	}
	if (left_out > 0)
		snprintf(text + used, size - used, " and %u more", left_out);
	return count;
}

static uint32_t word_value(const struct cpu *cpu, const struct cpuid_word *like)
{
	for (size_t i = 0; i < cpu->words.count; i++) {
		const struct cpuid_word *word = &cpu->words.items[i];

		if (word->leaf == like->leaf && word->subleaf == like->subleaf &&
		    word->reg == like->reg)
			return word->value;
	}
	return 0;
}

/* Bits that a has and b has not, as text; returns how many. */
static unsigned int missing_bits(const struct cpu *a, const struct cpu *b, char *text, size_t size)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };
	unsigned int count = 0;
	size_t used = 0;

	for (size_t i = 0; i < a->words.count; i++) {
		const struct cpuid_word *word = &a->words.items[i];
		uint32_t lost = word->value & ~word_value(b, word);

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

/* The flags of /proc/cpuinfo also depend on the kernel that prints them. Where
 * the processor's own registers were recorded, those decide, and the flags only
 * give the names. */
static void judge_features(struct judge *judge)
{
	const struct cpu *then = &judge->then->cpu, *now = &judge->now->cpu;
	bool registers = then->words.known && now->words.known;
	char names[320] = "", bits[320] = "", more[320] = "";
	unsigned int lost = 0, lost_bits = 0, gained = 0;
	struct finding *finding;

	if (*then->info.flags && *now->info.flags) {
		lost = missing_words(then->info.flags, now->info.flags, names, sizeof(names));
		gained = missing_words(now->info.flags, then->info.flags, more, sizeof(more));
	}
	if (registers)
		lost_bits = missing_bits(then, now, bits, sizeof(bits));
	if (lost_bits > 0 || (lost > 0 && !registers))
		report_lost(judge, lost > 0 ? lost : lost_bits, lost > 0 ? names : bits);
	else if (lost > 0) {
		finding = judge_add(judge, ABOUT_CPU_FEATURES, VERDICT_HARMLESS);
		SAY(finding->then, "%s", names);
		SAY(finding->text,
		    "This kernel does not name %u feature%s that the saved one did, but "
		    "the processor has what it had.",
		    lost, lost == 1 ? "" : "s");
	}
	if (gained > 0) {
		finding = judge_add(judge, ABOUT_CPU_FEATURES, VERDICT_HARMLESS);
		SAY(finding->now, "%s", more);
		SAY(finding->text, "%u more processor feature%s: the saved kernel does not use %s.",
		    gained, gained == 1 ? "" : "s", gained == 1 ? "it" : "them");
	}
	if (lost == 0 && lost_bits == 0 && gained == 0 && (registers || *then->info.flags))
		judge_same(judge, ABOUT_CPU_FEATURES, "The processor has the same features.");
}

static void judge_cpu_count(struct judge *judge)
{
	uint32_t then = judge->then->cpu.info.present, now = judge->now->cpu.info.present;
	struct finding *finding;

	if (then == 0 || now == 0 || then == now)
		return;
	finding = judge_add(judge, ABOUT_CPU_COUNT, now < then ? VERDICT_RISKY : VERDICT_HARMLESS);
	SAY(finding->then, "%u", then);
	SAY(finding->now, "%u", now);
	if (now < then)
		SAY(finding->text,
		    "The machine has %u processors instead of %u: the saved kernel will "
		    "wait for the others, and work that was bound to them moves.",
		    now, then);
	else
		SAY(finding->text,
		    "The machine has %u processors instead of %u: the saved kernel uses "
		    "those that it knows.",
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

void judge_cpu(struct judge *judge)
{
	const struct cpu_info *then = &judge->then->cpu.info, *now = &judge->now->cpu.info;
	size_t before = judge->verdict->count;
	struct finding *finding;

	finding = judge_text(judge, ABOUT_CPU, VERDICT_FATAL, then->vendor, now->vendor);
	if (finding)
		SAY(finding->text, "The processor is of another make: %s, not %s.", now->vendor,
		    then->vendor);
#define MODEL(member, word)                                                               \
	finding = judge_text(judge, ABOUT_CPU, VERDICT_RISKY, then->member, now->member); \
	if (finding)                                                                      \
		SAY(finding->text,                                                        \
		    "The processor's " word                                               \
		    " is %s, not %s: the saved kernel chose its workarounds "             \
		    "and its clock for the other.",                                       \
		    now->member, then->member);
	MODEL(family, "family")
	MODEL(model, "model")
	MODEL(stepping, "stepping")
#undef MODEL
	judge_address_bits(judge);
	if (judge->verdict->count == before && *then->vendor)
		judge_same(judge, ABOUT_CPU, "The processor is of the same model.");
	finding = judge_text(judge, ABOUT_MICROCODE, VERDICT_HARMLESS, then->microcode,
			     now->microcode);
	if (finding)
		SAY(finding->text,
		    "The processor has other microcode: the kernel loads its own again.");
	judge_cpu_count(judge);
	judge_features(judge);
}

static void hypervisor_words(const struct guest *guest, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", guest_kind_name(guest->kind), *guest->version ? " " : "",
		 guest->version);
}

void judge_guest(struct judge *judge)
{
	const struct guest *then = &judge->then->guest, *now = &judge->now->guest;
	bool vague = then->kind == GUEST_OTHER || now->kind == GUEST_OTHER;
	struct finding *finding = NULL;
	char old[96], new[96];

	hypervisor_words(then, old, sizeof(old));
	hypervisor_words(now, new, sizeof(new));
	if (then->hypervisor != now->hypervisor || (then->kind != now->kind && !vague)) {
		finding = judge_add(judge, ABOUT_HYPERVISOR, VERDICT_FATAL);
		SAY(finding->text,
		    "The hypervisor is another: %s, not %s. The saved kernel talks to the "
		    "old one.",
		    new, old);
	} else if (then->kind != now->kind ||
		   (*then->version && *now->version && strcmp(then->version, now->version) != 0)) {
		finding = judge_add(judge, ABOUT_HYPERVISOR, VERDICT_RISKY);
		SAY(finding->text,
		    "The hypervisor's version is another: %s, not %s. Linux does not notice "
		    "that while it resumes.",
		    new, old);
	} else if (then->kind != GUEST_NONE) {
		judge_same(judge, ABOUT_HYPERVISOR, "The hypervisor is the same.");
	}
	if (!finding)
		return;
	SAY(finding->then, "%s", old);
	SAY(finding->now, "%s", new);
}
