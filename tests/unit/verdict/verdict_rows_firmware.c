/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Firmware: EFI, and names. */
#include "verdict_rows.h"

/* Of OVMF's two, the first holds data and the second code. */
static struct efi_region *data_now(void)
{
	return &now.efi.regions.items[0];
}

ROW("EFI runtime region missing, resized, of another type");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "runtime data at 0x1e8ed000 is gone")
{
	data_now()->start -= PAGE;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "runtime code at 0x1e9ed000 is gone")
{
	now.efi.regions.count--;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "changed its size or type")
{
	data_now()->pages--;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "changed its size or type")
{
	data_now()->type = 5; /* code */
}

ROW("memory of boot services, loader or conventional in the runtime map: missing or resized");

static void left_over(uint32_t type)
{
	then.efi.regions.items[0].type = data_now()->type = type;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS,
     "left its boot-time tables at an address other than 0x1e8ed000")
{
	left_over(4); /* boot services' data */
	data_now()->start -= PAGE;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS, "left its boot-time tables")
{
	left_over(2); /* the loader's data */
	data_now()->pages++;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS, "left its boot-time tables")
{
	left_over(7); /* conventional */
	data_now()->type = 4;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS, "left its boot-time tables", .silent = true)
{
	struct efi_region region = { 4, PLACE, 1, 0xfffffffef0000000, 0 };

	ck_assert_int_eq(list_append(&now.efi.regions, region), 0);
}

ROW("such memory mapped at another virtual address");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_SAME, "are unchanged")
{
	left_over(4);
	data_now()->virtual_start -= PAGE;
}

ROW("EFI runtime region that was not there then");

static void new_region(uint32_t type)
{
	struct efi_region region = { type, PLACE, 1, 0xfffffffef0000000, 0 };

	ck_assert_int_eq(list_append(&now.efi.regions, region), 0);
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "EFI runtime data at 0x20000000 is new")
{
	new_region(6);
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "EFI device memory at 0x20000000 is new")
{
	new_region(11);
}

/* Where memory lay that the firmware did not use. */
LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "EFI runtime data at 0x20000000 is new",
     .also = { { ABOUT_EFI_RUNTIME, VERDICT_HARMLESS } })
{
	struct efi_region region = { 4, PLACE, 1, 0xfffffffef0000000, 0 };

	ck_assert_int_eq(list_append(&then.efi.regions, region), 0);
	new_region(6);
}

ROW("EFI runtime region mapped at another virtual address");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "is mapped at another virtual address")
{
	data_now()->virtual_start -= PAGE;
}

ROW("EFI runtime services table moved");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "EFI runtime services table moved")
{
	now.efi.state.runtime += PAGE;
}

ROW("EFI configuration table moved");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS, "EFI configuration table moved")
{
	now.efi.state.config_table += PAGE;
}

ROW("EFI runtime then, none now (BIOS boot, `noefi`, `efi=noruntime`)");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "and this boot has none")
{
	list_free(&now.efi.regions);
	now.efi.state = (struct efi_state){ 0 };
}

/* As on arm64, whose kernel shows no runtime map. */
static void hide_regions(void)
{
	list_free(&then.efi.regions);
	list_free(&now.efi.regions);
	then.efi.regions.known = now.efi.regions.known = false;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "and this boot has none")
{
	hide_regions();
	now.efi.state = (struct efi_state){ 0 };
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_FATAL, "or with noefi")
{
	hide_regions();
	now.kernel.flags |= KERNEL_NO_EFI_RUNTIME;
}

ROW("EFI runtime on both sides, no runtime map (arm64)");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_SAME, "their regions are not visible")
{
	hide_regions();
}

ROW("none then (BIOS boot, `noefi`, `efi=noruntime`), EFI now");

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS, "", .silent = true)
{
	list_free(&then.efi.regions);
	then.efi.state = (struct efi_state){ 0 };
	then.efi.regions.known = false;
}

LINE(OVMF, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS, "", .silent = true)
{
	hide_regions();
	then.kernel.flags |= KERNEL_NO_EFI_RUNTIME;
	now.efi.state.runtime += PAGE;
	now.efi.state.config_table += PAGE;
}

ROW("firmware's version differs, EFI runtime in use");

LINE(OVMF, ABOUT_FIRMWARE, VERDICT_FATAL, "calls the old one's services")
{
	SET(now.dmi.firmware_vendor, "Other");
}

LINE(OVMF, ABOUT_FIRMWARE, VERDICT_FATAL,
     "changed from 2022.11-6 to 2022.11-7. The saved kernel calls")
{
	SET(now.dmi.firmware_version, "2022.11-7");
}

LINE(OVMF, ABOUT_FIRMWARE, VERDICT_FATAL, "changed from 01/01/2024 to 01/02/2024.")
{
	SET(then.dmi.firmware_date, "01/01/2024");
	SET(now.dmi.firmware_date, "01/02/2024");
}

LINE(OVMF, ABOUT_FIRMWARE, VERDICT_FATAL, "calls the old one's services")
{
	hide_regions();
	SET(now.dmi.firmware_version, "2022.11-7");
}

ROW("firmware's version differs otherwise");

LINE(OVMF, ABOUT_FIRMWARE, VERDICT_RISKY, "changed from 2022.11-6 to 2022.11-7.",
     .accept = ACCEPT_FIRMWARE_VERSION)
{
	hide_regions();
	then.kernel.flags |= KERNEL_NO_EFI_RUNTIME;
	SET(now.dmi.firmware_version, "2022.11-7");
}

LINE(XEN, ABOUT_FIRMWARE, VERDICT_RISKY, "changed from 4.11.amazon to 4.17.",
     .accept = ACCEPT_FIRMWARE_VERSION)
{
	SET(now.dmi.firmware_version, "4.17");
}

ROW("DMI vendor, product, version, board differ");

LINE(OVMF, ABOUT_MACHINE, VERDICT_RISKY, "another kind of machine: KVM, not QEMU",
     .accept = ACCEPT_MACHINE_MODEL)
{
	SET(now.dmi.vendor, "KVM");
}

LINE(OVMF, ABOUT_MACHINE, VERDICT_RISKY, "another kind of machine: Other, not Standard PC",
     .accept = ACCEPT_MACHINE_MODEL)
{
	SET(now.dmi.product, "Other");
}

LINE(OVMF, ABOUT_MACHINE, VERDICT_RISKY, "another kind of machine: 2, not 1",
     .accept = ACCEPT_MACHINE_MODEL)
{
	SET(then.dmi.version, "1");
	SET(now.dmi.version, "2");
}

LINE(OVMF, ABOUT_MACHINE, VERDICT_RISKY, "another kind of machine: B, not A",
     .accept = ACCEPT_MACHINE_MODEL)
{
	SET(then.dmi.board, "A");
	SET(now.dmi.board, "B");
}
