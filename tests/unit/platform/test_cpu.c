/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of CPUID: the names of their bits, and how they are recorded. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "fixtures/check_main.h"
#include "platform/platform.h"

#include <string.h>

/* The highest bit with a name in each register, from the kernel's
 * arch/x86/include/asm/cpufeatures.h: this proves that those below it are counted right. */
static const struct {
	const char *flag;
	struct cpuid_word bit;
} named_bits[] = {
	{ "hypervisor", { 0x1, 0, 2, 1u << 31 } },
	{ "pbe", { 0x1, 0, 3, 1u << 31 } },
	{ "avx512vl", { 0x7, 0, 1, 1u << 31 } },
	{ "enqcmd", { 0x7, 0, 2, 1u << 29 } },
	{ "ssbd", { 0x7, 0, 3, 1u << 31 } },
	{ "ibpb", { 0x7, 0, 3, 1u << 26 } },
	{ "lam", { 0x7, 1, 0, 1u << 26 } },
	{ "xfd", { 0xd, 1, 0, 1u << 4 } },
	{ "mwaitx", { 0x80000001, 0, 2, 1u << 29 } },
	{ "3dnow", { 0x80000001, 0, 3, 1u << 31 } },
	{ "rapl", { 0x80000007, 0, 3, 1u << 14 } },
	{ "nonstop_tsc", { 0x80000007, 0, 3, 1u << 8 } },
	{ "brs", { 0x80000008, 0, 1, 1u << 31 } },
	{ "autoibrs", { 0x80000021, 0, 0, 1u << 8 } },
	{ "hfi", { 0x6, 0, 0, 1u << 19 } },
	{ "epb", { 0x6, 0, 2, 1u << 3 } },
	{ "intel_ppin", { 0x7, 1, 1, 1u << 0 } },
	{ "cqm_llc", { 0xf, 0, 3, 1u << 1 } },
	{ "cqm_mbm_local", { 0xf, 1, 3, 1u << 2 } },
	{ "mba", { 0x10, 0, 1, 1u << 3 } },
	{ "cdp_l3", { 0x10, 1, 2, 1u << 2 } },
	{ "cdp_l2", { 0x10, 2, 2, 1u << 2 } },
	{ "smca", { 0x80000007, 0, 1, 1u << 3 } },
	{ "vnmi", { 0x8000000a, 0, 3, 1u << 25 } },
	{ "svsm", { 0x8000001f, 0, 0, 1u << 28 } },
	{ "amd_lbr_pmc_freeze", { 0x80000022, 0, 0, 1u << 2 } },
};

START_TEST(knows_the_register_of_a_flag)
{
	struct cpuid_word bit = named_bits[_i].bit;
	const char *flag = named_bits[_i].flag;
	struct cpu cpu = { 0 };

	cpu.words.known = cpu.named.known = true;
	ck_assert_int_eq(list_append(&cpu.named, bit), 0);
	ck_assert(cpu_excuses_flag(&cpu, flag));
	cpu.named.items[0].value = ~bit.value;
	ck_assert(!cpu_excuses_flag(&cpu, flag));
	ck_assert(!cpu_excuses_flag(&cpu, "."));
	ck_assert(!cpu_excuses_flag(&cpu, ""));
	cpu_free(&cpu);
}
END_TEST

START_TEST(keeps_registers_in_their_records)
{
	struct platform platform = { 0 }, copy;
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t length;
	struct why w = { "" };

	platform.cpu.words.known = platform.cpu.named.known = true;
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid_word judged = { i, 1, 2, 3 }, named = { 0x80000000 + i, 4, 3, 6 };

		ck_assert_int_eq(list_append(&platform.cpu.words, judged), 0);
		ck_assert_int_eq(list_append(&platform.cpu.named, named), 0);
	}
	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	ck_assert(copy.cpu.words.known && copy.cpu.named.known);
	ck_assert_uint_eq(copy.cpu.words.count, 3);
	ck_assert_uint_eq(copy.cpu.named.count, 3);
	ck_assert_uint_eq(cpuid_value(&copy.cpu, 2, 1, 2), 3);
	ck_assert_uint_eq(cpuid_value(&copy.cpu, 0x80000002, 4, 3), 6);
	ck_assert_uint_eq(cpuid_value(&copy.cpu, 0x80000002, 4, 2), 0);
	platform_free(&platform);
	platform_free(&copy);
}
END_TEST

START_TEST(reads_each_register_once)
{
	struct cpu cpu = { 0 };
	size_t judged = 0, own = 0;

	ck_assert_int_eq(cpuid_capture(&cpu), 0);
	if (!cpu.words.known) { /* not an x86 */
		ck_assert_uint_eq(cpu.words.count + cpu.named.count, 0);
		return;
	}
	ck_assert(cpu.named.known);
	for (size_t i = 0; i < cpuid_register_count; i++)
		judged += cpuid_registers[i].judged;
	for (size_t i = 0; i < cpu.named.count; i++)
		own += cpu.named.items[i].leaf >> 8 == 0x400000; /* Hyper-V's */
	ck_assert_uint_eq(cpu.named.count - own, cpuid_register_count - judged);
	ck_assert_uint_ge(cpu.words.count, judged); /* a hypervisor's may follow */
	ck_assert_uint_le(cpu.words.count + cpu.named.count, CPUID_WORDS_MAX);
	ck_assert(cpu_excuses_flag(&cpu, "fpu"));
	cpu_free(&cpu);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	tcase_add_loop_test(tcase, knows_the_register_of_a_flag, 0, (int)ARRAY_SIZE(named_bits));
	tcase_add_test(tcase, keeps_registers_in_their_records);
	tcase_add_test(tcase, reads_each_register_once);
}
