/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86: the registers of CPUID that Linux has a word for
 * (arch/x86/include/asm/cpufeatures.h) or takes single bits of
 * (arch/x86/kernel/cpu/scattered.c), and how /proc/cpuinfo names their bits.
 * Not read: the words of Transmeta and of VIA.
 */
#include "platform/hardware/cpu.h"

#include "base/bytes.h"

#include <string.h>

enum { EAX, EBX, ECX, EDX };

/* Of leaf 1, ECX, and leaf 7, ECX: whether the kernel has enabled something. */
#define OSXSAVE (1u << 27)
#define OSPKE (1u << 4)

/* Names from bit 0 on, "." for a bit without one, "/" between several of one bit.
 * Unnamed here are features that firmware locks in an MSR, regardless of the bit, which is then
 * meaningless: vmx, smx, sgx, sgx_lc (IA32_FEAT_CTL), svm (VM_CR), sme, sev, sev_es, sev_snp
 * (SYSCFG, HWCR).
 *
 * A register is compared by its bits unless it is about power saving, monitoring or virtualization:
 * some of those bits depend on what is enabled at the moment. */
const struct cpuid_register cpuid_registers[] = {
	{ 0x1, 0, ECX, OSXSAVE, true,
	  "pni pclmulqdq dtes64 monitor ds_cpl . . est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm "
	  ". pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave . avx f16c "
	  "rdrand hypervisor" },
	{ 0x1, 0, EDX, 0, true,
	  "fpu vme de pse tsc msr pae mce cx8 apic . sep mtrr pge mca cmov "
	  "pat pse36 pn clflush . dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe" },
	{ 0x7, 0, EBX, 0, true,
	  "fsgsbase tsc_adjust . bmi1 hle avx2 . smep bmi2 erms invpcid/invpcid_single rtm cqm "
	  ". mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma . clflushopt clwb intel_pt "
	  "avx512pf avx512er avx512cd sha_ni avx512bw avx512vl" },
	{ 0x7, 0, ECX, OSPKE, true,
	  ". avx512vbmi umip pku . waitpkg avx512_vbmi2 user_shstk gfni vaes vpclmulqdq "
	  "avx512_vnni avx512_bitalg tme avx512_vpopcntdq . . . . . . . rdpid . "
	  "bus_lock_detect cldemote . movdiri movdir64b enqcmd" },
	{ 0x7, 0, EDX, 0, true,
	  ". . avx512_4vnniw avx512_4fmaps fsrm . . . avx512_vp2intersect . md_clear . . . "
	  "serialize . tsxldtrk . pconfig arch_lbr ibt . amx_bf16 avx512_fp16 amx_tile amx_int8 "
	  "ibrs/ibpb stibp flush_l1d arch_capabilities . ssbd" },
	{ 0x7, 1, EAX, 0, true,
	  ". . . . avx_vnni avx512_bf16 . cmpccxadd . . fzrm fsrs fsrc . . . . fred lkgs wrmsrns "
	  ". amx_fp16 . avx_ifma . . lam" },
	{ 0x7, 1, EDX, 0, true, "" },
	{ 0x7, 2, EDX, 0, true, "" },
	{ 0xd, 0, EAX, 0, true, "" },
	{ 0xd, 1, EAX, 0, true, "xsaveopt xsavec xgetbv1 xsaves xfd" },
	{ 0x80000001, 0, ECX, 0, true,
	  "lahf_lm cmp_legacy . extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs "
	  "xop skinit wdt . lwp fma4 tce . nodeid_msr . tbm topoext perfctr_core perfctr_nb . "
	  "bpext ptsc perfctr_llc mwaitx" },
	{ 0x80000001, 0, EDX, 0, true,
	  ". . . . . . . . . . . syscall . . . . . . . mp nx . mmxext . . fxsr_opt pdpe1gb "
	  "rdtscp . lm 3dnowext 3dnow" },
	{ 0x80000007, 0, EDX, 0, true,
	  ". . . . . . . hw_pstate constant_tsc/nonstop_tsc cpb . proc_feedback acc_power . rapl" },
	{ 0x80000008, 0, EBX, 0, true,
	  "clzero irperf xsaveerptr . rdpru . mba . . wbnoinvd . . ibpb . ibrs stibp . . . . . . "
	  ". amd_ppin ssbd virt_ssbd . cppc . . . brs" },
	{ 0x80000021, 0, EAX, 0, true, ". . lfence_rdtsc . . . null_sel_clr_base . autoibrs" },
	{ 0x6, 0, EAX, 0, false,
	  "dtherm ida arat . pln . pts hwp hwp_notify hwp_act_window hwp_epp hwp_pkg_req . . . . "
	  ". . . hfi" },
	{ 0x6, 0, ECX, 0, false, "aperfmperf . . epb" },
	{ 0x7, 1, EBX, 0, false, "intel_ppin" },
	{ 0xf, 0, EDX, 0, false, ". cqm_llc" },
	{ 0xf, 1, EDX, 0, false, "cqm_occup_llc cqm_mbm_total cqm_mbm_local" },
	{ 0x10, 0, EBX, 0, false, ". cat_l3 cat_l2 mba" },
	{ 0x10, 1, ECX, 0, false, ". . cdp_l3" },
	{ 0x10, 2, ECX, 0, false, ". . cdp_l2" },
	{ 0x80000007, 0, EBX, 0, false, "overflow_recov succor . smca" },
	{ 0x8000000a, 0, EDX, 0, false,
	  "npt lbrv svm_lock nrip_save tsc_scale vmcb_clean flushbyasid decodeassists . . "
	  "pausefilter . pfthreshold avic . v_vmsave_vmload vgif . x2avic . v_spec_ctrl . . . . "
	  "vnmi" },
	{ 0x8000001f, 0, EAX, 0, false,
	  ". . . . . . . . . . . . . . debug_swap . . . . . . . . . . . . . svsm" },
	{ 0x80000022, 0, EAX, 0, false, "perfmon_v2 amd_lbr_v2 amd_lbr_pmc_freeze" },
};
const size_t cpuid_register_count = ARRAY_SIZE(cpuid_registers);

/* These describe how a kernel chose to run, and are in no register. Where one depends on
 * the processor's make, model or hypervisor, those are compared separately. */
static const char own_flags[] =
	"amd_dcm cpuid extd_apicid ibpb_exit_to_user nopl ospke pti rep_good tsc_known_freq "
	"tsc_reliable up vmmcall xtopology";

/* The bit that has this name; 0: none has. */
static uint32_t named_bit(const char *names, const char *flag)
{
	size_t length = strlen(flag);
	unsigned int bit = 0;

	while (*names) {
		size_t n = strcspn(names, " /");

		if (n == length && *names != '.' && memcmp(names, flag, n) == 0)
			return 1u << bit;
		names += n;
		bit += *names == ' ';
		names += *names != '\0';
	}
	return 0;
}

uint32_t cpuid_value(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t reg)
{
	const struct cpuid_word *lists[] = { cpu->words.items, cpu->named.items };
	size_t counts[] = { cpu->words.count, cpu->named.count };

	for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
		for (size_t i = 0; i < counts[list]; i++) {
			const struct cpuid_word *word = &lists[list][i];

			if (word->leaf == leaf && word->subleaf == subleaf && word->reg == reg)
				return word->value;
		}
	}
	return 0;
}

bool cpu_excuses_flag(const struct cpu *cpu, const char *flag)
{
	if (!cpu->words.known || !*flag)
		return false;
	if (cpu_has_flag(own_flags, flag, strlen(flag)))
		return true;
	for (size_t i = 0; i < cpuid_register_count; i++) {
		const struct cpuid_register *at = &cpuid_registers[i];
		uint32_t bit = named_bit(at->names, flag);

		if (bit & cpuid_value(cpu, at->leaf, at->subleaf, at->reg))
			return true;
	}
	return false;
}
