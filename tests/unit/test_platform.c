/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform: capture from recorded and hand-made trees, records, hostile bytes. */
#include "platform/platform.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "made_data.h"
#include "platform/forecast.h"
#include "platform/verdict.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const trees[] = { "microvm", "hyperv-uio", "xen", "virtio-mem", "ovmf" };

static struct platform capture(const char *tree, const char *log)
{
	struct platform platform;
	struct why w = { "" };
	char root[300];

	snprintf(root, sizeof(root), "%s/platform/%s", test_data(), tree);
	ck_assert_msg(platform_capture(root, log, &platform, &w) == 0, "%s: %s", tree, w.text);
	return platform;
}

START_TEST(captures_nothing)
{
	struct platform platform;

	ck_assert_int_eq(platform_capture("/nonexistent", NULL, &platform, NULL), 0);
	ck_assert(!platform.map.entries.known && !platform.ram.used.known);
	ck_assert(!platform.acpi.tables.known && !platform.efi.regions.known);
	ck_assert_uint_eq(platform.ram.pages.present, 0);
	ck_assert_str_eq(platform.kernel.release, "");
	platform_free(&platform);
}
END_TEST

START_TEST(captures_this_machine)
{
	struct platform platform;

	ck_assert_int_eq(platform_capture("", NULL, &platform, NULL), 0);
	ck_assert_str_ne(platform.kernel.release, "");
	ck_assert_uint_gt(platform.cpu.info.online, 0);
	platform_free(&platform);
}
END_TEST

START_TEST(captures_a_recorded_guest)
{
	struct platform platform = capture("microvm", NULL);

	ck_assert(platform.map.entries.known);
	ck_assert_uint_eq(platform.map.entries.count, 5);
	ck_assert_uint_eq(platform.map.table_count, 5);
	ck_assert_uint_eq(platform.map.entries.items[4].start, 0x100000000);
	ck_assert_uint_eq(platform.map.entries.items[4].type, MEMORY_RAM);
	ck_assert_uint_eq(platform.ram.pages.present, 3998 + 782336 + 5505024);
	ck_assert_uint_eq(platform.ram.pages.block_size, 0x8000000);
	ck_assert_uint_eq(platform.ram.pages.blocks_online, 3);
	ck_assert(platform.ram.used.known);
	ck_assert_str_eq(platform.cpu.info.vendor, "AuthenticAMD");
	ck_assert_str_eq(platform.cpu.info.family, "25");
	ck_assert(cpu_has_flag(platform.cpu.info.flags, "avx2", 4));
	ck_assert(!cpu_has_flag(platform.cpu.info.flags, "avx51", 5));
	ck_assert_uint_eq(platform.acpi.tables.count, 4);
	ck_assert_str_eq(platform.acpi.tables.items[1].name, "DSDT");
	ck_assert_uint_gt(platform.acpi.tables.items[1].address, 0);
	ck_assert(!platform.efi.state.booted);
	ck_assert_ptr_nonnull(devices_find(&platform.devices, "pci", "0000:00:01.0"));
	ck_assert(platform.devices.pci.resources.known && platform.devices.pci.roots.known);
	ck_assert_uint_eq(platform.devices.pci.resources.count, 5);
	ck_assert_uint_eq(platform.devices.pci.resources.items[4].start, 0x4000200000);
	ck_assert_uint_eq(platform.devices.pci.roots.count, 2);
	ck_assert_str_eq(platform.devices.items.items[5].path, "0000:00:05.0");
	ck_assert_uint_eq(platform.guest.hypervisor, 1);
	platform_free(&platform);
}
END_TEST

START_TEST(captures_hyperv)
{
	struct platform platform =
		capture("hyperv-uio", "[    0.000000] Hypervisor detected: Microsoft Hyper-V\n"
				      "[    0.000000] Hyper-V: Host Build 10.0.20348.1607-1-0\n");
	const struct device *uio =
		devices_find(&platform.devices, "vmbus", "000d3a6c-2222-4222-8333-000d3a6c2222");
	const struct device *vf = devices_find(&platform.devices, "pci", "5f3c:00:02.0");
	struct forecast forecast;

	ck_assert_uint_eq(platform.guest.kind, GUEST_HYPERV);
	ck_assert_str_eq(platform.guest.version, "10.0.20348.1607-1-0");
	ck_assert_uint_eq(platform.guest.hyperv_hibernation, 1);
	ck_assert_uint_eq(platform.guest.s4_offered, 1);
	ck_assert(uio && device_is_uio(uio));
	ck_assert_str_eq(device_kind(uio), "network adapter");
	ck_assert(vf && (vf->flags & DEVICE_VIRTUAL_PCI));
	platform_forecast(&platform, &forecast);
	ck_assert_uint_eq(forecast.count, 2);
	ck_assert_str_eq(forecast.items[0].id, "vmbus-uio");
	ck_assert(forecast.items[0].certain);
	ck_assert_ptr_nonnull(strstr(forecast.items[0].text, "000d3a6c-2222"));
	ck_assert_str_eq(forecast.items[1].id, "vmbus-pci");
	platform_free(&platform);
}
END_TEST

START_TEST(captures_xen)
{
	struct platform platform = capture("xen", NULL);
	struct forecast forecast;

	ck_assert_uint_eq(platform.guest.kind, GUEST_XEN);
	ck_assert_str_eq(platform.guest.version, "4.11.amazon");
	ck_assert_uint_eq(platform.guest.balloon, 1);
	platform_forecast(&platform, &forecast);
	ck_assert_uint_eq(forecast.count, 1);
	ck_assert_str_eq(forecast.items[0].id, "xen-kaslr");
	platform.kernel.flags |= KERNEL_NOKASLR;
	platform_forecast(&platform, &forecast);
	ck_assert_uint_eq(forecast.count, 0);
	platform_free(&platform);
}
END_TEST

START_TEST(captures_virtio_mem)
{
	struct platform platform = capture("virtio-mem", NULL);
	struct forecast forecast;

	ck_assert_uint_eq(platform.ram.virtio.count, 1);
	ck_assert_uint_eq(platform.ram.virtio.items[0].start, 0x140000000);
	ck_assert_uint_eq(platform.ram.virtio.items[0].end, 0x17fffffff);
	ck_assert_uint_eq(platform.ram.virtio.items[0].plugged, 128 << 20);
	ck_assert_uint_eq(platform.map.entries.count, 7);
	ck_assert_uint_eq(platform.map.table_count, 6); /* the DIMM is not the firmware's */
	platform_forecast(&platform, &forecast);
	ck_assert_uint_eq(forecast.count, 2);
	ck_assert_str_eq(forecast.items[0].id, "virtio-mem");
	ck_assert_str_eq(forecast.items[1].id, "hot-plugged-memory");
	ck_assert_ptr_nonnull(strstr(forecast.items[1].text, "128 MiB"));
	platform_free(&platform);
}
END_TEST

START_TEST(captures_uefi)
{
	struct platform platform =
		capture("ovmf",
			"[    0.0] ACPI: RSDP 0x000000001EB7E014 000024 (v02 BOCHS )\n"
			"[    0.0] ACPI: DSDT 0x000000001EB7A000 00027C (v01 BOCHS  BXPC 1)\n"
			"[    0.0] ACPI: APIC 0x000000001EB78000 000078 (v01 BOCHS  BXPC 1)\n"
			"[    0.0] ACPI: BGRT 0x000000001EB77000 000099 (v01 wrong length)\n"
			"mem auto-init: stack:all(zero), heap alloc:on, heap free:on\n");
	const struct acpi *acpi = &platform.acpi;

	ck_assert_uint_eq(platform.efi.regions.count, 2);
	ck_assert_uint_eq(platform.efi.regions.items[1].type, 5);
	ck_assert_uint_eq(efi_region_end(&platform.efi.regions.items[1]), 0x1eaecfff);
	ck_assert_uint_eq(platform.efi.state.runtime, 0x1eb6b018);
	ck_assert_uint_eq(acpi->tables.count, 4);
	ck_assert_str_eq(acpi->tables.items[0].name, "APIC");
	ck_assert_uint_eq(acpi->tables.items[0].address, 0x1eb78000);
	ck_assert_uint_eq(acpi->tables.items[1].address, 0);
	ck_assert_uint_eq(acpi->tables.items[2].address, 0x1eb7a000);
	ck_assert_uint_eq(acpi->facs.hardware_signature, 0x12345678);
	ck_assert(platform.kernel.flags & KERNEL_WIPES_FREE);
	platform_free(&platform);
}
END_TEST

START_TEST(reads_command_lines)
{
	ck_assert_uint_eq(kernel_flags_of("quiet nokaslr memmap=4K$0x1000 efi=debug,noruntime"),
			  KERNEL_NOKASLR | KERNEL_MEMMAP | KERNEL_NO_EFI_RUNTIME);
	ck_assert_uint_eq(kernel_flags_of("memory=1 xnokaslr init_on_free=0\n"), 0);
	ck_assert_uint_eq(kernel_flags_of("init_on_free=1 acpi_sleep=s3_bios,nonvs\n"),
			  KERNEL_WIPES_FREE | KERNEL_NO_NVS);
	ck_assert(kernel_at_least("6.12.5-amd64", 6, 7) && !kernel_at_least("6.1.0", 6, 7) &&
		  kernel_at_least("7.0", 6, 7) && !kernel_at_least("x", 0, 0));
	ck_assert_uint_eq(cpu_count_list("0-3,6"), 5);
	ck_assert_uint_eq(cpu_count_list("0-"), 0);
}
END_TEST

START_TEST(survives_a_round_trip)
{
	struct platform platform = capture(trees[_i], NULL), copy;
	_cleanup_free_ unsigned char *bytes = NULL, *again = NULL;
	size_t length, length_again;
	struct verdict verdict;
	struct why w = { "" };

	platform.hibernation.magic = 0x23456789abcdef02;
	platform.hibernation.platform_mode = 1;
	ck_assert_int_eq(platform_encode(&platform, &bytes, &length), 0);
	ck_assert_msg(platform_decode(bytes, length, &copy, &w) == 0, "%s", w.text);
	ck_assert_int_eq(platform_encode(&copy, &again, &length_again), 0);
	ck_assert_uint_eq(length, length_again);
	ck_assert_mem_eq(bytes, again, length);
	ck_assert(memory_map_equal(&platform.map, &copy.map));
	ck_assert_str_eq(platform.cpu.info.flags, copy.cpu.info.flags);
	ck_assert_int_eq(verdict_judge(&platform, &copy, NULL, &verdict, &w), 0);
	for (size_t i = 0; i < verdict.count; i++)
		ck_assert_msg(verdict.findings[i].class == VERDICT_SAME, "%s",
			      verdict.findings[i].text);
	ck_assert(verdict_allows(&verdict, POLICY_STRICT));
	verdict_free(&verdict);
	platform_free(&platform);
	platform_free(&copy);
}
END_TEST

static const unsigned char some_header[HEADER_BYTES_NEEDED] = {
	[24] = 0x02, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x11, 0x22, 0x33, 0x44,
};
static const struct page_range some_ranges[] = { { 1, 9 }, { 0x100, 0x1000 }, { 0x100000, 1 } };
static const struct verdict_image some_image = { .ranges = some_ranges,
						 .range_count = ARRAY_SIZE(some_ranges),
						 .header = some_header,
						 .header_length = sizeof(some_header) };

/* Whatever the bytes: an answer, and where it is yes, something that can be
 * judged. */
static void feed(const struct platform *whole, const unsigned char *bytes, size_t length)
{
	/* Of the exact size, so that a sanitizer sees each byte too many. */
	unsigned char *exact = malloc(length ? length : 1);
	struct platform platform;
	struct verdict verdict;
	struct why w = { "" };
	int r;

	memcpy(exact, bytes, length);
	r = platform_decode(exact, length, &platform, &w);
	free(exact);
	if (r < 0) {
		ck_assert_int_eq(r, -EBADMSG);
		ck_assert_str_ne(w.text, "");
		return;
	}
	ck_assert_int_eq(verdict_judge(&platform, whole, &some_image, &verdict, &w), 0);
	verdict_free(&verdict);
	ck_assert_int_eq(verdict_judge(whole, &platform, NULL, &verdict, &w), 0);
	verdict_free(&verdict);
	platform_free(&platform);
}

START_TEST(survives_cut_records)
{
	struct platform whole = capture(trees[_i], NULL);
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t length;

	ck_assert_int_eq(platform_encode(&whole, &bytes, &length), 0);
	for (size_t cut = 0; cut < length; cut++)
		feed(&whole, bytes, cut);
	platform_free(&whole);
}
END_TEST

START_TEST(survives_flipped_records)
{
	static const unsigned char masks[] = { 0x01, 0x80, 0xff };
	struct platform whole = capture(trees[_i], NULL);
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t length;

	ck_assert_int_eq(platform_encode(&whole, &bytes, &length), 0);
	for (size_t i = 0; i < length; i++) {
		for (size_t m = 0; m < sizeof(masks); m++) {
			bytes[i] ^= masks[m];
			feed(&whole, bytes, length);
			bytes[i] ^= masks[m];
		}
	}
	platform_free(&whole);
}
END_TEST

static size_t put_record(unsigned char *at, uint32_t type, uint64_t length)
{
	put_le32(at, type);
	put_le32(at + 4, 0);
	put_le64(at + 8, length);
	return 16;
}

START_TEST(refuses_bad_lengths)
{
	unsigned char bytes[256] = { 0 };
	struct platform platform;
	struct why w;

	/* A record longer than what is there; far longer; a count beyond it. */
	put_record(bytes, 3, 241);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	put_record(bytes, 3, UINT64_MAX);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	put_record(bytes, 3, UINT64_MAX - 15);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	put_record(bytes, 3, 240);
	put_le32(bytes + 16, UINT32_MAX);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	put_le32(bytes + 16, 4096);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	/* An item longer than its record. */
	put_le32(bytes + 16, 1);
	put_le32(bytes + 24, 500);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	/* A region that ends before it starts. */
	put_le32(bytes + 24, 16);
	put_le64(bytes + 28, 5);
	put_le64(bytes + 36, 4);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
	put_le64(bytes + 36, 5);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), 0);
	ck_assert_uint_eq(platform.map.entries.count, 1);
	platform_free(&platform);
	/* The same record twice. */
	put_record(bytes, 3, 112);
	memcpy(bytes + 128, bytes, 128);
	ck_assert_int_eq(platform_decode(bytes, sizeof(bytes), &platform, &w), -EBADMSG);
}
END_TEST

/* What a later version may write: other records, more fields, escapes from
 * whoever wrote it. */
START_TEST(reads_what_it_knows)
{
	static const char text[] = "evil\033[2J\nname";
	unsigned char bytes[256] = { 0 }, *at = bytes;
	struct platform platform;
	struct why w = { "" };

	at += put_record(at, 0x7fffffff, 13) + 16;
	at += put_record(at, 1, 8 + 4 + 2 + sizeof(text) - 1);
	put_le32(at, 1);
	put_le32(at + 8, 2 + sizeof(text) - 1);
	put_le16(at + 12, sizeof(text) - 1);
	memcpy(at + 14, text, sizeof(text) - 1);
	at += 14 + sizeof(text) - 1;
	ck_assert_msg(platform_decode(bytes, (size_t)(at - bytes), &platform, &w) == 0, "%s",
		      w.text);
	ck_assert_str_eq(platform.kernel.release, "evil?[2J name");
	ck_assert_str_eq(platform.kernel.build, "");
	platform_free(&platform);
}
END_TEST

START_TEST(calibrates)
{
	struct platform platform = capture("ovmf", NULL);
	unsigned char header[448] = { 0 };

	put_le64(header + 24, 0x23456789abcdef02);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &platform.map, header + 32), 0);
	put_le64(header + 400, platform.ram.pages.present);
	ck_assert_int_eq(platform_calibrate(&platform, header, sizeof(header)), 0);
	ck_assert_uint_eq(platform.hibernation.checksum, CALIBRATION_MATCHED);
	ck_assert_uint_eq(platform.hibernation.page_count, CALIBRATION_MATCHED);
	header[400] ^= 1;
	header[32] ^= 1;
	ck_assert_int_eq(platform_calibrate(&platform, header, sizeof(header)), 0);
	ck_assert_uint_eq(platform.hibernation.checksum, CALIBRATION_FAILED);
	ck_assert_uint_eq(platform.hibernation.page_count, CALIBRATION_FAILED);
	platform_free(&platform);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("platform");
	TCase *tcase = tcase_create("platform");
	SRunner *runner;
	int failed;

	crypto_init(NULL);
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, captures_nothing);
	tcase_add_test(tcase, captures_this_machine);
	tcase_add_test(tcase, captures_a_recorded_guest);
	tcase_add_test(tcase, captures_hyperv);
	tcase_add_test(tcase, captures_xen);
	tcase_add_test(tcase, captures_virtio_mem);
	tcase_add_test(tcase, captures_uefi);
	tcase_add_test(tcase, reads_command_lines);
	tcase_add_loop_test(tcase, survives_a_round_trip, 0, (int)ARRAY_SIZE(trees));
	tcase_add_loop_test(tcase, survives_cut_records, 0, (int)ARRAY_SIZE(trees));
	tcase_add_loop_test(tcase, survives_flipped_records, 0, (int)ARRAY_SIZE(trees));
	tcase_add_test(tcase, refuses_bad_lengths);
	tcase_add_test(tcase, reads_what_it_knows);
	tcase_add_test(tcase, calibrates);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
