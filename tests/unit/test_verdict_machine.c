/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/verdict: the rules about processor, hypervisor, firmware, devices. */
#include "test_verdict_fixture.h"

START_TEST(processor_features)
{
	const struct finding *finding;

	start_with_tree("xen");
	hold(0x100, 0x10);
	snprintf(now.cpu.info.flags, sizeof(now.cpu.info.flags), "%s",
		 "aes apic fpu hypervisor new");
	snprintf(then.cpu.info.flags, sizeof(then.cpu.info.flags), "%s",
		 "aes apic avx avx2 fpu hypervisor");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_FATAL);
	finding = &verdict.findings[0];
	ck_assert_int_eq(finding->about, ABOUT_CPU_FEATURES);
	ck_assert_ptr_nonnull(
		strstr(finding->text, "2 features that the saved kernel had: avx, avx2"));
	verdict_free(&verdict);
	/* The registers know better: another kernel names them otherwise. */
	then.cpu.words.known = now.cpu.words.known = true;
	ck_assert_int_eq(list_append(&then.cpu.words, ((struct cpuid_word){ 1, 0, 2, 0x10 })), 0);
	ck_assert_int_eq(list_append(&now.cpu.words, ((struct cpuid_word){ 1, 0, 2, 0x30 })), 0);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	verdict_free(&verdict);
	now.cpu.words.items[0].value = 0x20;
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_FATAL);
	clean_up();
}
END_TEST

START_TEST(processor_and_hypervisor)
{
	start_with_tree("xen");
	hold(0x100, 0x10);
	snprintf(now.cpu.info.microcode, sizeof(now.cpu.info.microcode), "0x1");
	snprintf(then.cpu.info.microcode, sizeof(then.cpu.info.microcode), "0x2");
	judge();
	ck_assert_int_eq(only(ABOUT_MICROCODE)->class, VERDICT_HARMLESS);
	ck_assert_int_eq(verdict.worst, VERDICT_HARMLESS);
	verdict_free(&verdict);
	snprintf(now.cpu.info.model, sizeof(now.cpu.info.model), "85");
	snprintf(now.guest.version, sizeof(now.guest.version), "4.17");
	judge();
	ck_assert_int_eq(only(ABOUT_CPU)->class, VERDICT_RISKY);
	ck_assert_int_eq(only(ABOUT_HYPERVISOR)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	snprintf(now.cpu.info.vendor, sizeof(now.cpu.info.vendor), "AuthenticAMD");
	now.guest.kind = GUEST_KVM;
	judge();
	ck_assert_int_eq(verdict.findings[0].class, VERDICT_FATAL);
	ck_assert_int_eq(only(ABOUT_HYPERVISOR)->class, VERDICT_FATAL);
	clean_up();
}
END_TEST

START_TEST(hyperv_devices)
{
	struct device *device;
	const struct finding *finding;

	start_with_tree("hyperv-uio");
	hold(0x100, 0x10);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
	verdict_free(&verdict);
	/* A controller with another instance id, as on a VM made anew. */
	device = (struct device *)devices_find(&now.devices, "vmbus",
					       "f8b3781b-1e82-4818-a1c3-63d806ec15bb");
	memset(device->address, '1', 8);
	judge();
	finding = &verdict.findings[0];
	ck_assert_int_eq(finding->class, VERDICT_FATAL);
	ck_assert_int_eq(finding->about, ABOUT_VMBUS_DEVICE);
	ck_assert_ptr_nonnull(strstr(finding->text, "SCSI controller f8b3781b-1e82"));
	ck_assert_str_ne(finding->now, "");
	verdict_free(&verdict);
	/* A network adapter is not the disk; the virtual function is only seen
	 * when its driver is there. */
	memset(device->address, 'f', 1);
	memcpy(device->address, "f8b3781b", 8);
	device = (struct device *)devices_find(&now.devices, "vmbus",
					       "000d3a6c-1111-4222-8333-000d3a6c1111");
	*device = now.devices.items.items[--now.devices.items.count];
	device = (struct device *)devices_find(&now.devices, "pci", "5f3c:00:02.0");
	*device = now.devices.items.items[--now.devices.items.count];
	judge();
	for (size_t i = 0; i < verdict.count; i++)
		ck_assert_int_ne(verdict.findings[i].class, VERDICT_FATAL);
	ck_assert_int_eq(verdict.worst, VERDICT_RISKY);
	clean_up();
}
END_TEST

START_TEST(efi_and_acpi)
{
	start_with_tree("ovmf");
	hold(0x100, 0x10);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
	verdict_free(&verdict);
	now.efi.regions.items[0].start -= 0x1000;
	judge();
	ck_assert_int_eq(only(ABOUT_EFI_RUNTIME)->class, VERDICT_FATAL);
	verdict_free(&verdict);
	now.efi.regions.items[0].start += 0x1000;
	now.efi.regions.items[1].virtual_start -= 0x200000;
	judge();
	ck_assert_ptr_nonnull(strstr(only(ABOUT_EFI_RUNTIME)->text, "mapped elsewhere"));
	verdict_free(&verdict);
	now.efi.regions.items[1].virtual_start += 0x200000;
	now.acpi.tables.items[2].sha256[3] ^= 1; /* the DSDT */
	now.acpi.facs.hardware_signature ^= 1;	 /* of a guest */
	judge();
	ck_assert_int_eq(only(ABOUT_ACPI_TABLES)->class, VERDICT_FATAL);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_ACPI_TABLES)->text, "DSDT changed"));
	ck_assert_int_eq(only(ABOUT_ACPI_SIGNATURE)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	now.acpi.tables.items[2].sha256[3] ^= 1;
	now.acpi.tables.items[2].address += 0x1000;
	judge();
	ck_assert_ptr_nonnull(strstr(only(ABOUT_ACPI_TABLES)->text, "DSDT moved"));
	verdict_free(&verdict);
	now.acpi.tables.items[2].address -= 0x1000;
	now.acpi.facs.hardware_signature ^= 1;
	list_free(&now.efi.regions);
	judge();
	ck_assert_int_eq(only(ABOUT_EFI_RUNTIME)->class, VERDICT_FATAL);
	verdict_free(&verdict);
	/* Booted without EFI, the saved kernel calls nothing of it. */
	list_free(&then.efi.regions);
	then.efi.state = (struct efi_state){ 0 };
	judge();
	ck_assert_int_le(verdict.worst, VERDICT_HARMLESS);
	clean_up();
}
END_TEST

/* The saved kernel's driver had a part of the TPM; here no driver is loaded. */
START_TEST(tpm_in_parts)
{
	static const struct byte_range whole = { 0xfed40000, 0xfed4087f },
				       part = { 0xfed40080, 0xfed4087f };

	start_with_tree("ovmf");
	hold(0x100, 0x10);
	then.acpi.tpm.known = now.acpi.tpm.known = true;
	ck_assert_int_eq(list_append(&then.acpi.tpm, whole), 0);
	ck_assert_int_eq(list_append(&then.acpi.tpm, part), 0);
	ck_assert_int_eq(list_append(&now.acpi.tpm, whole), 0);
	judge();
	ck_assert_int_eq(only(ABOUT_ACPI_TABLES)->class, VERDICT_SAME);
	verdict_free(&verdict);
	now.acpi.tpm.known = false; /* nothing is known of this boot's */
	now.acpi.tpm.count = 0;
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
	clean_up();
}
END_TEST

/* The forum's machine: at each boot the firmware leaves the table of memory
 * attributes at another place, in memory that is not its own any more. */
START_TEST(efi_left_over)
{
	start_with_tree("ovmf");
	hold(0x100, 0x10);
	then.efi.regions.items[0].type = 4;
	now.efi.regions.items[0].type = 4;
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
	verdict_free(&verdict);
	now.efi.regions.items[0].start -= 0x1000;
	judge();
	ck_assert_int_eq(only(ABOUT_EFI_RUNTIME)->class, VERDICT_HARMLESS);
	verdict_free(&verdict);
	/* With its mapping it may push the firmware's own to other addresses. */
	now.efi.regions.items[1].virtual_start -= 0x1000;
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_FATAL);
	clean_up();
}
END_TEST

START_TEST(pci_and_kernel)
{
	start_with_tree("ovmf");
	hold(0x100, 0x10);
	snprintf(now.kernel.build, sizeof(now.kernel.build), "Linux version 6.12.50 other");
	now.devices.items.items[0].id[0] = '1';
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL)->class, VERDICT_HARMLESS);
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_RISKY);
	verdict_free(&verdict);
	then.devices.items.items[0].flags = DEVICE_REMOVABLE;
	judge();
	ck_assert_int_eq(only(ABOUT_PCI_DEVICE)->class, VERDICT_HARMLESS);
	verdict_free(&verdict);
	image.zero_pages = 5;
	snprintf(now.kernel.release, sizeof(now.kernel.release), "6.1.0-25-amd64");
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL)->class, VERDICT_FATAL);
	clean_up();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict_machine");
	TCase *tcase = tcase_create("verdict_machine");
	SRunner *runner;
	int failed;

	crypto_init(NULL);
	tcase_add_test(tcase, processor_features);
	tcase_add_test(tcase, processor_and_hypervisor);
	tcase_add_test(tcase, hyperv_devices);
	tcase_add_test(tcase, efi_and_acpi);
	tcase_add_test(tcase, tpm_in_parts);
	tcase_add_test(tcase, efi_left_over);
	tcase_add_test(tcase, pci_and_kernel);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
