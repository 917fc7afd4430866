/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Memory: what became of a region of the map. */
#include "verdict_pci_fixture.h"
#include "verdict_rows.h"

#define FEW (4 * PAGE)

/* RAM that another machine would have, or this one a moment before. */
static void lose(uint64_t bytes)
{
	now_has(PLACE, bytes, MEMORY_RESERVED);
}

/* All of PLAIN's RAM. */
static void use_all(struct platform *platform)
{
	kernel_uses(platform, 0x1000, 0x9ffff);
	kernel_uses(platform, 0x100000, 0x3fffffff);
}

ROW("RAM → not RAM (reserved, NVS, ACPI, a hole …), image pages there");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL,
     "has 1 page there: loading it would crash the kernel", .advice = "memmap=16K$0x20000000",
     .pages = 1, .plan = CHECKSUM)
{
	lose(FEW);
	hold(PLACE / PAGE + 3, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "A new ACPI NVS region", .pages = 2,
     .plan = CHECKSUM)
{
	now_has(PLACE, FEW, MEMORY_NVS);
	hold(PLACE / PAGE + 1, 2);
	then.ram.pages.offlining = OFFLINING_ABSENT; /* which could not help either */
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "A new ACPI tables region", .pages = 4,
     .plan = CHECKSUM)
{
	now_has(PLACE, FEW, MEMORY_ACPI);
	hold(PLACE / PAGE, 4);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "256 MiB of RAM at 0x30000000 are gone",
     .advice = "Give the machine its memory back", .pages = 1, .plan = CHECKSUM)
{
	now_has(0x30000000, 256 << 20, MEMORY_NONE);
	hold(0x3ffff, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "has up to 1 page there", .pages = 1,
     .plan = CHECKSUM)
{
	lose(1); /* a byte of it is enough */
	hold(PLACE / PAGE, 1);
	image.coarse = true;
}

ROW("the same, and the saved kernel wipes free pages (`init_on_free`, `page_poison`)");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "overwrites free memory when it resumes",
     .quarantine = 4, .plan = CHECKSUM)
{
	lose(FEW);
	then.kernel.flags = KERNEL_WIPES_FREE;
}

ROW("the same, and they cannot be offlined: the saved kernel has no `soft_offline_page` "
    "(CONFIG_MEMORY_FAILURE), `vm.enable_soft_offline` was 0, or the image has no hand-over page");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "built without CONFIG_MEMORY_FAILURE",
     .quarantine = 4, .plan = CHECKSUM)
{
	lose(FEW);
	then.ram.pages.offlining = OFFLINING_ABSENT;
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "vm.enable_soft_offline was 0", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(FEW);
	then.ram.pages.offlining = OFFLINING_DISABLED;
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "no hand-over page", .quarantine = 4,
     .plan = CHECKSUM)
{
	lose(FEW);
	image.no_handover = true;
}

ROW("the same, and the image does not say whether the saved kernel can offline pages (written by "
    "an s2disk that did not record it)");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "does not say whether the saved kernel can",
     .quarantine = 4, .plan = CHECKSUM)
{
	lose(FEW);
	then.ram.pages.offlining = OFFLINING_UNKNOWN;
}

ROW("the same, but all frames had been offlined before the image was made (record 20)");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "No memory that the saved kernel used is gone",
     .plan = CHECKSUM)
{
	lose(FEW);
	then.ram.poisoned.known = true;
	ck_assert_int_eq(list_append(&then.ram.poisoned, ((struct frame_range){ PLACE / PAGE, 4 })),
			 0);
	then.kernel.flags = KERNEL_WIPES_FREE; /* which leaves these out */
	then.ram.pages.offlining = OFFLINING_ABSENT;
	image.no_handover = true;
}

ROW("the same, but the saved kernel did not use it (`memmap=`), or it is plugged-in memory now");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "No memory that the saved kernel used is gone",
     .plan = CHECKSUM)
{
	lose(FEW);
	kernel_uses(&then, 0x1000, 0x9ffff);
	kernel_uses(&then, 0x100000, PLACE - 1);
	kernel_uses(&then, PLACE + FEW, 0x3fffffff);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "No memory that the saved kernel used is gone",
     .plan = CHECKSUM)
{
	now_has(PLACE, FEW, MEMORY_NONE);
	use_all(&now);
}

ROW("RAM → not RAM, judged without an image");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "Whether an image has pages there is unknown",
     .quarantine = 4, .also = { { ABOUT_KERNEL_CHECK, VERDICT_CORRECTED } })
{
	lose(FEW);
	no_image();
}

ROW("hole → RAM, where no PCI device and no bridge had addresses");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "The saved kernel does not know it",
     .plan = CHECKSUM)
{
	now_has(0x40000000, FEW, MEMORY_RAM);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "The saved kernel does not know it",
     .plan = CHECKSUM)
{
	have_cards();
	now_has(PCI_WINDOW + 0x800000, FEW, MEMORY_RAM);
}

ROW("hole → reserved, NVS …, where no PCI device and no bridge had addresses");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "No PCI device and no bridge", .plan = CHECKSUM)
{
	have_cards();
	now_has(0x40000000, FEW, MEMORY_RESERVED);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "no bridge had addresses there",
     .plan = CHECKSUM)
{
	have_cards();
	now_has(PCI_WINDOW + 0x800000, FEW, MEMORY_NVS);
}

ROW("hole → anything, where a PCI device had addresses");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "A PCI device had its addresses there",
     .plan = CHECKSUM)
{
	have_cards();
	add_port(&then, PCI_WINDOW + 0x200000);
	add_port(&now, PCI_WINDOW + 0x200000);
	now_has(PCI_WINDOW + 0x280000, FEW, MEMORY_RESERVED);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "A PCI device had its addresses there",
     .plan = CHECKSUM)
{
	have_cards();
	now_has(OTHER_AT, FEW, MEMORY_RESERVED);
}

ROW("hole → reserved, NVS …, addresses of PCI devices not recorded, or on Hyper-V or Xen");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "may have placed devices", .plan = CHECKSUM)
{
	now_has(0x40000000, FEW, MEMORY_RESERVED);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "may have placed devices", .plan = CHECKSUM)
{
	now_has(0x40000000, FEW, MEMORY_NVS);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "may have placed devices", .plan = CHECKSUM)
{
	have_cards();
	then.devices.items.items[0].flags |= DEVICE_ADDRESSES_UNKNOWN;
	now_has(0x40000000, FEW, MEMORY_RESERVED);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "may have placed devices", .plan = CHECKSUM)
{
	have_cards();
	then.guest.kind = now.guest.kind = GUEST_XEN;
	now_has(0x40000000, FEW, MEMORY_RESERVED);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "may have placed devices", .plan = CHECKSUM)
{
	have_cards();
	then.guest.kind = now.guest.kind = GUEST_HYPERV;
	now_has(0x40000000, FEW, MEMORY_RESERVED);
}

ROW("the same, where a PCI device had addresses, and the firmware claims them for something else");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "the firmware claims them for something else",
     .plan = CHECKSUM)
{
	have_cards();
	both_have(OTHER_AT, FEW, MEMORY_RESERVED);
	now_has(OTHER_AT, FEW, MEMORY_NVS);
}

/* A region that is something else now. */
static void change(enum memory_type from, enum memory_type to)
{
	both_have(PLACE, FEW, from);
	now_has(PLACE, FEW, to);
}

/* Of the same contents on both sides: what counts is what became of the place. */
static void table_there(const char *name, uint64_t address, uint64_t length)
{
	struct acpi_table table = { .address = address, .length = length };

	SET(table.name, name);
	then.acpi.tables.known = now.acpi.tables.known = true;
	ck_assert_int_eq(list_append(&then.acpi.tables, table), 0);
	ck_assert_int_eq(list_append(&now.acpi.tables, table), 0);
}

ROW("reserved, vendor type, unusable → anything");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "It was not RAM, so the image has nothing of it",
     .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_RAM);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "It was not RAM, so the image has nothing of it",
     .plan = CHECKSUM)
{
	change(MEMORY_VENDOR_20, MEMORY_NVS);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "It was not RAM, so the image has nothing of it",
     .plan = CHECKSUM)
{
	change(MEMORY_UNUSABLE, MEMORY_NONE);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "It was not RAM, so the image has nothing of it",
     .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_UNUSABLE);
	table_there("APIC", PLACE, 0x100); /* which is left alone */
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "It was not RAM, so the image has nothing of it",
     .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_RAM);
	then.efi.state.booted = 1; /* but none of its services is called */
	then.kernel.flags = KERNEL_NO_EFI_RUNTIME;
}

ROW("the same on an EFI machine whose runtime map was not recorded");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "EFI runtime services may have been there",
     .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_RAM);
	then.efi.state.booted = now.efi.state.booted = 1;
}

static void region_there(struct platform *platform, uint32_t type)
{
	struct efi_region region = { .type = type, .start = PLACE + PAGE, .pages = 1 };

	platform->efi.state.booted = 1;
	platform->efi.regions.known = true;
	ck_assert_int_eq(list_append(&platform->efi.regions, region), 0);
}

ROW("where EFI runtime code or data lay");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "EFI runtime services were there", .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_RAM);
	region_there(&then, 5); /* code */
	region_there(&now, 5);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "EFI runtime services were there", .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_UNUSABLE);
	region_there(&then, 6); /* data */
	region_there(&now, 6);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "EFI runtime services were there", .plan = CHECKSUM)
{
	change(MEMORY_NVS, MEMORY_RESERVED); /* of whatever type it was */
	region_there(&then, 6);
	region_there(&now, 6);
}

ROW("a table that the kernel uses at the place that changed (region of type ACPI; or of any type, "
    "such as SeaBIOS' reserved one, that became RAM or a hole)");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "The ACPI table DSDT was there", .plan = CHECKSUM)
{
	change(MEMORY_ACPI, MEMORY_RESERVED);
	table_there("DSDT", PLACE + FEW - 1, 0x100);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "The ACPI table APIC was there", .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_RAM);
	table_there("APIC", PLACE - 0xff, 0x100);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "The ACPI table APIC was there", .plan = CHECKSUM)
{
	change(MEMORY_RESERVED, MEMORY_NONE);
	table_there("APIC", PLACE, 0x100);
}

ROW("ACPI tables, all addresses known and none at that place");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "No ACPI table was there", .plan = CHECKSUM)
{
	change(MEMORY_ACPI, MEMORY_RAM);
	table_there("DSDT", PLACE + FEW, 0x100);
	table_there("SSDT", PLACE - 0x100, 0x100);
	table_there("BGRT", PLACE, 0x100); /* which nothing uses any more, */
	table_there("MCFG", PLACE, 0x100); /* or nothing reads again, */
	table_there("TPM2", 0, 0x100);	   /* wherever it is */
}

ROW("ACPI tables, addresses not recorded");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "their addresses were not recorded",
     .plan = CHECKSUM)
{
	change(MEMORY_ACPI, MEMORY_RAM);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "their addresses were not recorded",
     .plan = CHECKSUM)
{
	change(MEMORY_ACPI, MEMORY_RAM);
	table_there("DSDT", PLACE + FEW, 0x100);
	table_there("SSDT", 0, 0x100);
}

ROW("NVS → something else, hibernated in platform mode");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "writes the saved ACPI NVS memory back",
     .plan = CHECKSUM)
{
	change(MEMORY_NVS, MEMORY_RAM);
	then.hibernation.platform_mode = 1;
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "writes the saved ACPI NVS memory back",
     .plan = CHECKSUM)
{
	change(MEMORY_NVS, MEMORY_RESERVED);
	then.hibernation.platform_mode = 1;
}

ROW("NVS → something else, other modes or `acpi_sleep=nonvs`");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "keeps its state in ACPI NVS memory",
     .plan = CHECKSUM)
{
	change(MEMORY_NVS, MEMORY_RAM);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "keeps its state in ACPI NVS memory",
     .plan = CHECKSUM)
{
	change(MEMORY_NVS, MEMORY_RAM);
	then.hibernation.platform_mode = 1;
	then.kernel.flags = KERNEL_NO_NVS;
}

ROW("persistent memory → something else");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "A file system may be mounted from it",
     .plan = CHECKSUM)
{
	change(MEMORY_PMEM, MEMORY_RAM);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL, "A file system may be mounted from it",
     .plan = CHECKSUM)
{
	change(MEMORY_PRAM, MEMORY_RESERVED);
}

ROW("soft-reserved → something else");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "A driver may have been using it", .plan = CHECKSUM)
{
	change(MEMORY_SOFT_RESERVED, MEMORY_RESERVED);
}

ROW("the map known on one side only");

LINE(PLAIN, ABOUT_MEMORY_MAP, VERDICT_RISKY, "known only of this boot",
     .also = { { ABOUT_KERNEL_CHECK, VERDICT_FATAL } })
{
	memory_map_free(&then.map);
}

LINE(PLAIN, ABOUT_MEMORY_MAP, VERDICT_RISKY, "known only of the boot that was saved",
     .also = { { ABOUT_KERNEL_CHECK, VERDICT_FATAL } })
{
	memory_map_free(&now.map);
	use_all(&now);
}

ROW("no map on either side (arm64): RAM of /proc/iomem then and not now, image pages there");

/* All of RAM but pages from PLACE on. */
static void all_but(struct platform *platform, uint64_t bytes)
{
	memory_map_free(&then.map);
	memory_map_free(&now.map);
	kernel_uses(platform, 0x10000, PLACE - 1);
	kernel_uses(platform, PLACE + bytes, 0x3fffffff);
	kernel_uses(platform == &then ? &now : &then, 0x10000, 0x3fffffff);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL,
     "16 KiB of RAM at 0x20000000 are gone. The image has 1",
     .advice = "Give the machine its memory back", .pages = 1)
{
	all_but(&now, FEW);
	hold(PLACE / PAGE + 3, 1);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_FATAL,
     "16 KiB of RAM at 0x20000000 are gone. The image has 1", .advice = "Remove mem= from",
     .pages = 1)
{
	all_but(&now, FEW);
	hold(PLACE / PAGE, 1);
	now.kernel.flags = KERNEL_MEMMAP;
}

ROW("the same, no image page there");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_CORRECTED, "16 KiB of RAM at 0x20000000 are gone",
     .quarantine = 4)
{
	all_but(&now, FEW);
}

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "this kernel overwrites free memory",
     .quarantine = 4)
{
	all_but(&now, FEW);
	then.kernel.flags = KERNEL_WIPES_FREE;
}

ROW("no map on either side, booted by EFI: RAM now and not then");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_RISKY, "what it had there is elsewhere now")
{
	all_but(&then, FEW);
	then.efi.state.booted = now.efi.state.booted = 1;
}

ROW("the same, not booted by EFI");

LINE(PLAIN, ABOUT_MEMORY_REGION, VERDICT_HARMLESS, "The saved kernel does not know it")
{
	all_but(&then, FEW);
}

ROW("no map on either side (other architectures)");

LINE(PLAIN, ABOUT_MEMORY_MAP, VERDICT_SAME, "shows no memory map")
{
	memory_map_free(&then.map);
	memory_map_free(&now.map);
	use_all(&now);
}

LINE(PLAIN, ABOUT_MEMORY_MAP, VERDICT_SAME, "what is RAM is the same")
{
	memory_map_free(&then.map);
	memory_map_free(&now.map);
	use_all(&then);
	use_all(&now);
}
