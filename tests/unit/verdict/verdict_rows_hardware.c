/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Kernel, processor, host, devices. */
#include "verdict_rows.h"

ROW("another build of the resuming kernel, x86-64");

LINE(OVMF, ABOUT_KERNEL, VERDICT_HARMLESS, "any build of this architecture can load")
{
	SET(now.kernel.build, "Linux version 6.12.50 other");
}

LINE(PLAIN, ABOUT_KERNEL, VERDICT_HARMLESS, "any build of this architecture can load")
{
	SET(then.kernel.build, "Linux version 6.12.48"); /* whose architecture is unknown */
	SET(now.kernel.build, "Linux version 6.12.50");
}

ROW("another build elsewhere");

LINE(OVMF, ABOUT_KERNEL, VERDICT_FATAL, "only the same build can load")
{
	SET(then.kernel.machine, "aarch64");
	SET(now.kernel.machine, "aarch64");
	SET(now.kernel.build, "Linux version 6.12.50 other");
}

ROW("another architecture");

LINE(OVMF, ABOUT_KERNEL, VERDICT_FATAL, "of another architecture")
{
	SET(now.kernel.machine, "aarch64");
}

ROW("zero pages left out, resuming kernel older than 6.7");

LINE(OVMF, ABOUT_KERNEL, VERDICT_FATAL, "kernel (6.6.99) will refuse it",
     .advice = "Boot the kernel that made it (6.12.48-amd64)")
{
	image.zero_pages = 1;
	SET(now.kernel.release, "6.6.99");
}

ROW("processor's maker differs");

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "from another vendor: GenuineIntel, not AuthenticAMD")
{
	SET(now.cpu.info.vendor, "GenuineIntel");
}

ROW("family, model or stepping differ");

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "family is 16, not 15", .accept = ACCEPT_PROCESSOR_MODEL)
{
	SET(now.cpu.info.family, "16");
}

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "model is 108, not 107", .accept = ACCEPT_PROCESSOR_MODEL)
{
	SET(now.cpu.info.model, "108");
}

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "stepping is 2, not 1", .accept = ACCEPT_PROCESSOR_MODEL)
{
	SET(now.cpu.info.stepping, "2");
}

enum { EAX, EBX, ECX, EDX };

static void set_register(struct platform *platform, uint32_t leaf, uint32_t reg, uint32_t value)
{
	struct cpuid_word word = { leaf, 0, reg, value };
	struct cpu *cpu = &platform->cpu;

	cpu->words.known = cpu->named.known = true;
	/* As cpuid_capture(): that of virtualization is not judged by its bits. */
	ck_assert_int_eq(leaf == 0x8000000a ? list_append(&cpu->named, word)
					    : list_append(&cpu->words, word),
			 0);
}

/* A register of CPUID: its bits then and now. */
static void registers(uint32_t leaf, uint32_t reg, uint32_t before, uint32_t after)
{
	set_register(&then, leaf, reg, before);
	set_register(&now, leaf, reg, after);
}

static void flags(const char *before, const char *after)
{
	SET(then.cpu.info.flags, before);
	SET(now.cpu.info.flags, after);
}

ROW("features missing");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL,
     "lacks 2 features that the saved kernel had: avx, vmx", .advice = "that has them")
{
	flags("avx fpu vmx", "fpu");
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "lacks 1 feature that the saved kernel had: avx2")
{
	flags("avx2 fpu", "fpu");
	registers(7, EBX, 0x30, 0x10);
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL,
     "lacks 2 features that the saved kernel had: CPUID 7.0 EBX 0x30")
{
	registers(7, EBX, 0x70, 0x40);
}

/* What was read says nothing about leaf 1, where AVX is. */
LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "lacks 1 feature that the saved kernel had: avx")
{
	flags("avx fpu", "fpu");
	registers(7, EBX, 0x30, 0x30);
}

/* … nor about what is in no register. */
LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "had: ept")
{
	flags("ept fpu", "fpu");
	registers(1, ECX, ~0u, ~0u);
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "had: npt")
{
	flags("fpu npt", "fpu");
	registers(0x8000000a, EDX, 1, 0);
}

/* One excuses not the other. */
LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "lacks 1 feature that the saved kernel had: bmi1",
     .also = { { ABOUT_CPU_FEATURES, VERDICT_HARMLESS } })
{
	flags("avx2 bmi1 fpu", "fpu");
	registers(7, EBX, 0x28, 0x20);
}

/* A kernel's choice proves nothing where no register does: arm64 has a flag of
 * that name. */
LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "had: cpuid")
{
	flags("cpuid fpu", "fpu");
}

ROW("the same, of a feature that firmware can disable:  `vmx`, `smx`, `sgx`, `sgx_lc`, `svm`, "
    "`sme`, `sev`, `sev_es`, `sev_snp`");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL,
     "lacks 2 features that the saved kernel had: smx, vmx")
{
	flags("fpu smx vmx", "fpu");
	registers(1, ECX, ~0u, ~0u);
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "had: sgx, sgx_lc")
{
	flags("fpu sgx sgx_lc", "fpu");
	registers(7, EBX, ~0u, ~0u);
	registers(7, ECX, ~0u, ~0u);
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "had: sev, sev_es, sev_snp, sme, svm")
{
	flags("fpu sev sev_es sev_snp sme svm", "fpu");
	registers(0x80000001, ECX, ~0u, ~0u);
	registers(0x8000001f, EAX, ~0u, ~0u);
}

ROW("more features");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "2 more processor features")
{
	flags("fpu", "avx fpu vmx");
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "", .silent = true)
{
	registers(7, EBX, 0x30, 0x70); /* which Linux does not name */
}

ROW("a flag is missing in /proc/cpuinfo, but its bit is set in its CPUID register");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "does not list 1 processor feature")
{
	flags("avx2 fpu", "fpu");
	registers(7, EBX, 0x30, 0x30);
}

/* Two names of one bit. */
LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "does not list 1 processor feature")
{
	flags("fpu invpcid invpcid_single", "fpu invpcid");
	registers(7, EBX, 0x400, 0x400);
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "does not list 1 processor feature")
{
	flags("fpu npt", "fpu");
	registers(0x8000000a, EDX, 1, 1);
	now.cpu.words.known = true;
}

/* An older s2disk did not record that register; this one reads it. */
LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "does not list 1 processor feature")
{
	flags("fpu npt", "fpu");
	set_register(&now, 0x8000000a, EDX, 1);
}

ROW("a flag is missing that says what a kernel chose (`pti`, `up`, `ospke` …)");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "does not list 2 processor features")
{
	flags("fpu pti up", "fpu");
	registers(1, EDX, 1, 1);
}

ROW("bits lost in registers of power saving, monitoring or virtualization, which no flag names");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_SAME, "", .silent = true)
{
	registers(0x8000000a, EDX, ~0u, 1);
}

ROW("page tables of five levels then and of four now (`no5lvl`), or the other way round");

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "page tables of five levels, this one uses four",
     .advice = "uses five levels, without no5lvl", .of_command_line = true)
{
	flags("fpu la57", "fpu");
	registers(7, ECX, 1u << 16, 1u << 16); /* the processor can */
}

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "page tables of four levels, this one uses five",
     .advice = "uses four levels, with no5lvl", .of_command_line = true)
{
	flags("fpu", "fpu la57");
}

/* Another processor, too. */
LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "page tables of five levels, this one uses four",
     .advice = "Resume on a processor")
{
	flags("fpu la57", "fpu");
	SET(then.cpu.info.addresses, "46 bits physical, 57 bits virtual");
	SET(now.cpu.info.addresses, "46 bits physical, 48 bits virtual");
}

ROW("virtual address bits differ");

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "virtual addresses of 57 bits instead of 48")
{
	SET(then.cpu.info.addresses, "46 bits physical, 48 bits virtual");
	SET(now.cpu.info.addresses, "46 bits physical, 57 bits virtual");
}

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "virtual addresses of 48 bits instead of 57")
{
	SET(then.cpu.info.addresses, "46 bits physical, 57 bits virtual");
	SET(now.cpu.info.addresses, "46 bits physical, 48 bits virtual");
}

ROW("memory encryption is active now (AMD SME or SEV, Intel TDX)");

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "Memory encryption is active (AMD SME)",
     .advice = "mem_encrypt=off", .of_command_line = true)
{
	SET(now.encryption, "AMD SME");
}

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "Memory encryption is active (Intel TDX)",
     .advice = "a virtual machine without memory encryption")
{
	SET(now.encryption, "Intel TDX");
}

ROW("fewer physical address bits");

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "addresses 39 bits of memory instead of 46")
{
	SET(now.cpu.info.addresses, "39 bits physical, 48 bits virtual");
}

ROW("more physical address bits");

LINE(OVMF, ABOUT_CPU, VERDICT_HARMLESS, "addresses 48 bits of memory instead of 46")
{
	SET(now.cpu.info.addresses, "48 bits physical, 48 bits virtual");
}

ROW("microcode differs");

LINE(OVMF, ABOUT_MICROCODE, VERDICT_HARMLESS, "loads its own again")
{
	SET(now.cpu.info.microcode, "0x1");
}

ROW("fewer processors");

LINE(OVMF, ABOUT_CPU_COUNT, VERDICT_RISKY, "has 3 processors instead of 4",
     .accept = ACCEPT_PROCESSOR_COUNT)
{
	then.cpu.info.present = 4;
	now.cpu.info.present = 3;
}

ROW("more processors");

LINE(OVMF, ABOUT_CPU_COUNT, VERDICT_HARMLESS, "has 5 processors instead of 4")
{
	then.cpu.info.present = 4;
	now.cpu.info.present = 5;
}

/* What a hypervisor says of itself. */
static void put_word(struct cpu *cpu, uint32_t leaf, uint32_t value)
{
	const struct cpuid_word word = { leaf, 0, 0, value };

	ck_assert_int_eq(list_append(&cpu->named, word), 0);
}

ROW("another hypervisor, or none");

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_FATAL, "hypervisor is different: KVM, not Xen 4.11.amazon")
{
	now.guest.kind = GUEST_KVM;
	now.guest.version[0] = '\0';
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_FATAL, "uses the interfaces of the old one")
{
	now.guest = (struct guest){ 0 };
}

LINE(OVMF, ABOUT_HYPERVISOR, VERDICT_FATAL, "hypervisor is different")
{
	now.guest.hypervisor = 0; /* even where nothing else is known of it */
}

ROW("hypervisor's version differs, or one of the two is not known by name");

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "version is different: Xen 4.17, not Xen 4.11.amazon",
     .accept = ACCEPT_HYPERVISOR_VERSION)
{
	SET(now.guest.version, "4.17");
}

/* With that, the version cannot be accepted alone. */
LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "So is what it recommends to its guests")
{
	SET(now.guest.version, "4.17");
	put_word(&then.cpu, 0x40000004, 0x2e2c);
	put_word(&now.cpu, 0x40000004, 0x2e0c);
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "4.11.amazon. So is what it recommends")
{
	SET(now.guest.version, "4.17");
	put_word(&now.cpu, 0x4000000a, 0x60000);
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "4.11.amazon. Linux does not check",
     .accept = ACCEPT_HYPERVISOR_VERSION)
{
	SET(now.guest.version, "4.17");
	put_word(&then.cpu, 0x40000006, 0x3);
	put_word(&now.cpu, 0x40000006, 0x3);
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "not Xen")
{
	now.guest.kind = GUEST_OTHER;
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "version is different: Xen")
{
	then.guest.kind = GUEST_OTHER;
}

ROW("Hyper-V of the same version no longer sets bits of CPUID leaves 0x40000004 or 0xa (EAX)");

/* Both, as a host says it. */
static void host_words(uint32_t then_value, uint32_t now_value, uint32_t leaf)
{
	static const struct cpuid_word words[] = {
		{ 0x40000004, 0, 0, 0x2e2c },
		{ 0x40000006, 0, 0, 0xf },
		{ 0x4000000a, 0, 0, 0xe0101 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		bool other = words[i].leaf == leaf;

		put_word(&then.cpu, words[i].leaf, other ? then_value : words[i].value);
		put_word(&now.cpu, words[i].leaf, other ? now_value : words[i].value);
	}
	now.cpu.named.known = true;
}

#define OTHER_WORD(leaf)                                                                  \
	LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "hypervisor is the same (Hyper-V)") \
	{                                                                                 \
		host_words(0x200002c, 0x0c, leaf);                                        \
	}

OTHER_WORD(0x40000004)

OTHER_WORD(0x4000000a)

/* Versions of the enlightened VMCS, and no bits. */
LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "", .silent = true)
{
	host_words(0xe0101, 0xe0202, 0x4000000a);
}

/* Linux does not read it. */
LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "", .silent = true)
{
	host_words(0x2c, 0x0c, 0x40000006);
}

/* More than there was. */
LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "", .silent = true)
{
	host_words(0x0c, 0x2c, 0x40000004);
}

/* An older image does not have that leaf. */
LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "", .silent = true)
{
	host_words(0, 0, 0);
	then.cpu.named.count--;
}

/* The words of one that is there now are not known. */
LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "", .silent = true)
{
	host_words(0, 0, 0);
	now.cpu.named.count = 0;
	now.cpu.named.known = false;
}

/* Not by "accept = processor-model" then. */
LINE(HYPERV, ABOUT_CPU, VERDICT_RISKY, "The processor's model is 108")
{
	host_words(1, 3, 0x40000006);
	SET(now.cpu.info.model, "108");
}

LINE(HYPERV, ABOUT_CPU, VERDICT_RISKY, "The processor's model is 108",
     .accept = ACCEPT_PROCESSOR_MODEL)
{
	host_words(0, 0, 0);
	SET(now.cpu.info.model, "108");
}

LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "", .silent = true)
{
	host_words(0, 0, 0);
}

LINE(HYPERV, ABOUT_HYPERVISOR, VERDICT_RISKY, "version is different",
     .accept = ACCEPT_HYPERVISOR_VERSION)
{
	host_words(0, 0, 0);
	SET(then.guest.version, "10.0.20348");
	SET(now.guest.version, "10.0.26100");
}

static struct device *device_of(const struct devices *devices, const char *bus, const char *address)
{
	struct device *device = (struct device *)devices_find(devices, bus, address);

	ck_assert_ptr_nonnull(device);
	return device;
}

/* From a list, which stays in its order. */
static void remove_device(struct devices *devices, const char *bus, const char *address)
{
	const struct device *device = devices_find(devices, bus, address);
	size_t at;

	ck_assert_ptr_nonnull(device);
	at = (size_t)(device - devices->items.items);
	memmove(devices->items.items + at, devices->items.items + at + 1,
		(--devices->items.count - at) * sizeof(*device));
}

#define STORAGE "f8b3781a-1e82-4818-a1c3-63d806ec15bb"
#define NETWORK "000d3a6c-1111-4222-8333-000d3a6c1111"
#define PASSED_THROUGH "6d0f4a12-5f3c-4c1a-9d2f-1c2b3a4d5e6f"
#define CARD "0000:00:02.0"

ROW("VMBus storage controller missing or with another id, and something in use lay behind it");

static void lay_behind(uint32_t flags)
{
	device_of(&then.devices, "vmbus", STORAGE)->flags = flags;
	remove_device(&now.devices, "vmbus", STORAGE);
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL, "then the disks of the session behind it fail.",
     .advice = "Restore the devices")
{
	lay_behind(DEVICE_USE_KNOWN | DEVICE_IN_USE);
}

/* The disk is behind a PCI function, which is behind this. */
LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL, "then the disks of the session behind it fail.",
     .advice = "Remove passed-through devices")
{
	device_of(&then.devices, "vmbus", PASSED_THROUGH)->flags = DEVICE_USE_KNOWN | DEVICE_IN_USE;
	remove_device(&now.devices, "vmbus", PASSED_THROUGH);
	remove_device(&now.devices, "pci", "5f3c:00:02.0");
}

ROW("the same, and nothing in use lay behind it");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY,
     "its driver may crash when its disks are accessed, though no file system on them was mounted",
     .accept = ACCEPT_VMBUS_DEVICE)
{
	lay_behind(DEVICE_USE_KNOWN);
}

ROW("the same, and the image does not say what lay behind it");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL,
     "The SCSI controller " STORAGE " on the VMBus is missing. ")
{
	remove_device(&now.devices, "vmbus", STORAGE);
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL, "one of the same kind is present with another id",
     .also = { { ABOUT_VMBUS_DEVICE, VERDICT_HARMLESS } })
{
	device_of(&now.devices, "vmbus", STORAGE)->address[7] =
		'9'; /* which the list's order survives */
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL, "The SCSI controller " STORAGE)
{
	device_of(&now.devices, "vmbus", STORAGE)->id[0] = '0';
}

ROW("another VMBus device missing");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY, "The network adapter " NETWORK,
     .accept = ACCEPT_VMBUS_DEVICE)
{
	remove_device(&now.devices, "vmbus", NETWORK);
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY, PASSED_THROUGH,
     .advice = "Remove passed-through devices and virtual functions", .accept = ACCEPT_VMBUS_DEVICE)
{
	remove_device(&now.devices, "vmbus", PASSED_THROUGH);
	remove_device(&now.devices, "pci", "5f3c:00:02.0"); /* seen with its driver only */
}

ROW("a VMBus device missing that no driver used, or that was released");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_HARMLESS,
     "then it refuses to hibernate until the next boot, but no driver used the device")
{
	device_of(&then.devices, "vmbus", PASSED_THROUGH)->driver[0] = '\0';
	remove_device(&now.devices, "vmbus", PASSED_THROUGH);
	remove_device(&now.devices, "pci", "5f3c:00:02.0");
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_HARMLESS, "The SCSI controller " STORAGE)
{
	device_of(&then.devices, "vmbus", STORAGE)->driver[0] = '\0';
	remove_device(&now.devices, "vmbus", STORAGE);
}

ROW("new VMBus device");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_HARMLESS,
     "is new; the saved kernel does not know it and will find it")
{
	remove_device(&then.devices, "vmbus", NETWORK);
}

ROW("VMBus not visible at all");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY, "not visible here", .advice = "hv_vmbus")
{
	now.devices.items.count = 0;
	now.devices.vmbus_known = 0;
}
