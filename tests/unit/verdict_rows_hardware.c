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

LINE(OVMF, ABOUT_CPU, VERDICT_FATAL, "of another make: GenuineIntel, not AuthenticAMD")
{
	SET(now.cpu.info.vendor, "GenuineIntel");
}

ROW("family, model or stepping differ");

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "family is 16, not 15")
{
	SET(now.cpu.info.family, "16");
}

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "model is 108, not 107")
{
	SET(now.cpu.info.model, "108");
}

LINE(OVMF, ABOUT_CPU, VERDICT_RISKY, "stepping is 2, not 1")
{
	SET(now.cpu.info.stepping, "2");
}

/* A register of CPUID: its bits then and now. */
static void registers(uint32_t before, uint32_t after)
{
	then.cpu.words.known = now.cpu.words.known = true;
	ck_assert_int_eq(list_append(&then.cpu.words, ((struct cpuid_word){ 7, 0, 1, before })), 0);
	ck_assert_int_eq(list_append(&now.cpu.words, ((struct cpuid_word){ 7, 0, 1, after })), 0);
}

ROW("features missing");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL,
     "lacks 2 features that the saved kernel had: avx, vmx", .advice = "that has them")
{
	SET(then.cpu.info.flags, "avx fpu vmx");
	SET(now.cpu.info.flags, "fpu");
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL, "lacks 1 feature that the saved kernel had: avx")
{
	SET(then.cpu.info.flags, "avx fpu");
	SET(now.cpu.info.flags, "fpu");
	registers(0x30, 0x20);
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_FATAL,
     "lacks 2 features that the saved kernel had: CPUID 7.0 EBX 0x30")
{
	registers(0x70, 0x40);
}

ROW("more features");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "2 more processor features")
{
	SET(then.cpu.info.flags, "fpu");
	SET(now.cpu.info.flags, "avx fpu vmx");
}

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "", .silent = true)
{
	registers(0x30, 0x70); /* which Linux does not name */
}

ROW("flags missing in /proc/cpuinfo, but CPUID's registers have all bits");

LINE(OVMF, ABOUT_CPU_FEATURES, VERDICT_HARMLESS, "does not name 1 feature")
{
	SET(then.cpu.info.flags, "avx fpu");
	SET(now.cpu.info.flags, "fpu");
	registers(0x30, 0x30);
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

LINE(OVMF, ABOUT_CPU_COUNT, VERDICT_RISKY, "has 3 processors instead of 4")
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

ROW("another hypervisor, or none");

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_FATAL, "hypervisor is another: KVM, not Xen 4.11.amazon")
{
	now.guest.kind = GUEST_KVM;
	now.guest.version[0] = '\0';
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_FATAL, "talks to the old one")
{
	now.guest = (struct guest){ 0 };
}

LINE(OVMF, ABOUT_HYPERVISOR, VERDICT_FATAL, "hypervisor is another")
{
	now.guest.hypervisor = 0; /* even where nothing else is known of it */
}

ROW("hypervisor's version differs, or one of the two is not known by name");

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "version is another: Xen 4.17, not Xen 4.11.amazon")
{
	SET(now.guest.version, "4.17");
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "not Xen")
{
	now.guest.kind = GUEST_OTHER;
}

LINE(XEN, ABOUT_HYPERVISOR, VERDICT_RISKY, "version is another: Xen")
{
	then.guest.kind = GUEST_OTHER;
}

static struct device *device_now(const char *bus, const char *address)
{
	struct device *device = (struct device *)devices_find(&now.devices, bus, address);

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

ROW("VMBus storage controller missing or with another id");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL,
     "The SCSI controller " STORAGE " on the VMBus is missing. ")
{
	remove_device(&now.devices, "vmbus", STORAGE);
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL, "one of its kind is there with another id",
     .also = { { ABOUT_VMBUS_DEVICE, VERDICT_HARMLESS } })
{
	device_now("vmbus", STORAGE)->address[7] = '9'; /* which the list's order survives */
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_FATAL, "The SCSI controller " STORAGE)
{
	device_now("vmbus", STORAGE)->id[0] = '0';
}

ROW("another VMBus device missing");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY, "The network adapter " NETWORK)
{
	remove_device(&now.devices, "vmbus", NETWORK);
}

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY, PASSED_THROUGH,
     .advice = "Take passed-through devices and virtual functions away")
{
	remove_device(&now.devices, "vmbus", PASSED_THROUGH);
	remove_device(&now.devices, "pci", "5f3c:00:02.0"); /* seen with its driver only */
}

ROW("new VMBus device");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_HARMLESS,
     "is new; the saved kernel does not know of it and finds it")
{
	remove_device(&then.devices, "vmbus", NETWORK);
}

ROW("VMBus not visible at all");

LINE(HYPERV, ABOUT_VMBUS_DEVICE, VERDICT_RISKY, "cannot be seen from here", .advice = "hv_vmbus")
{
	now.devices.items.count = 0;
	now.devices.vmbus_known = 0;
}
