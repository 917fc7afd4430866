/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform: captures recorded and hand-made trees, records, hostile bytes. */
#include "fixtures/check_main.h"
#include "platform/platform.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "fixtures/made_data.h"
#include "fixtures/machine/made_root.h"
#include "kernel/image_info.h"
#include "verdict/forecast.h"
#include "verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const trees[] = { "microvm", "hyperv-uio", "xen", "virtio-mem", "ovmf" };

/* What is not captured, so that all records have items. */
static void add_swap(struct platform *platform)
{
	struct swap_use item = { .path = "/dev/sdb2",
				 .device = "/dev/sdb2",
				 .identity = "partition 02 on disk S1",
				 .drivers = "scsi/sd,pci/ahci",
				 .label = "other",
				 .uuid = { 1, 2, 3 },
				 .offset = 4096,
				 .size = 3 << 20,
				 .used = 2 << 20,
				 .last_page = 767,
				 .bad_pages = 1,
				 .file = 1,
				 .stacked = 1,
				 .sight = SWAP_SEEN };

	platform->swaps.items.known = true;
	ck_assert_int_eq(list_append(&platform->swaps.items, item), 0);
}

/* From the history, which no capture has. */
static void add_met(struct platform *platform)
{
	const struct map_met map = { .boots = 9, .last = 1700000000, .own = 1 };
	const struct met_frames frames = { .map = 0, .first = 0x100, .count = 13 };

	platform->met.maps.known = platform->met.frames.known = true;
	ck_assert_int_eq(list_append(&platform->met.maps, map), 0);
	ck_assert_int_eq(list_append(&platform->met.frames, frames), 0);
}

static struct platform capture(const char *tree, const char *log)
{
	struct platform platform;
	struct why w = { "" };
	char root[300];

	snprintf(root, sizeof(root), "%s/platform/%s", test_data(), tree);
	ck_assert_msg(platform_capture(root, log, &platform, &w) == 0, "%s: %s", tree, w.text);
	add_swap(&platform);
	add_met(&platform);
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
	ck_assert_uint_eq(platform.ram.virtio.items[0].added, 128 << 20);
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

#define TPM2_LENGTH 76

/* A TPM2 table of real firmware, with one byte changed; the checksum is at 9. */
static struct acpi capture_tpm2(size_t at, size_t length)
{
	unsigned char table[TPM2_LENGTH + 4] = "TPM2";
	struct acpi acpi;

	table[40] = 0x80; /* the control area */
	table[48] = 7;	  /* the start method */
	if (at < length)
		table[at] ^= 1;
	made_put_bytes("/sys/firmware/acpi/tables/TPM2", table, length);
	ck_assert_int_eq(acpi_capture(made_root, NULL, &acpi), 0);
	ck_assert_uint_eq(acpi.tables.count, 1);
	return acpi;
}

START_TEST(knows_what_of_tpm2_is_used)
{
	static const size_t lengths[] = { 52, 68, TPM2_LENGTH, TPM2_LENGTH + 4 };
	size_t length = lengths[_i];

	made_root_create();
	for (size_t at = 10; at < length; at++) {
		struct acpi a = capture_tpm2(length, length), b = capture_tpm2(at, length);
		bool log = length == TPM2_LENGTH && at >= 64;

		ck_assert_mem_ne(a.tables.items[0].sha256, b.tables.items[0].sha256, SHA256_SIZE);
		ck_assert_int_eq(memcmp(a.tables.items[0].used_sha256,
					b.tables.items[0].used_sha256, SHA256_SIZE) == 0,
				 log);
		acpi_free(&a);
		acpi_free(&b);
	}
	made_root_remove();
}
END_TEST

/* The name is of the TPM's maker. */
START_TEST(finds_the_tpm)
{
	struct acpi acpi;

	made_root_create();
	made_put("/sys/firmware/acpi/tables/TPM2", "TPM2");
	made_put("/sys/bus/acpi/devices/PNP0C0A:00/modalias", "acpi:PNP0C0A:\n");
	made_put("/sys/bus/acpi/devices/STM0125:00/modalias", "acpi:STM0125:MSFT0101:\n");
	made_put("/proc/iomem", "00001000-0009ffff : System RAM\n"
				"7a5c2000-7a5d1fff : ACPI Non-volatile Storage\n"
				"  7a5c2000-7a5c5fff : STM0125:00\n"
				"    7a5c2000-7a5c2fff : STM0125:00 STM0125:00\n"
				"7a5d0000-7a5d0fff : STM0125:001\n"
				"fed40000-fed40fff : PNP0C0A:00\n");
	ck_assert_int_eq(acpi_capture(made_root, NULL, &acpi), 0);
	ck_assert(acpi.tpm.known);
	ck_assert_uint_eq(acpi.tpm.count, 2);
	ck_assert_uint_eq(acpi.tpm.items[0].start, 0x7a5c2000);
	ck_assert_uint_eq(acpi.tpm.items[0].end, 0x7a5c5fff);
	acpi_free(&acpi);
	/* Without privileges. */
	made_put("/proc/iomem", "00000000-00000000 : STM0125:00\n");
	ck_assert_int_eq(acpi_capture(made_root, NULL, &acpi), 0);
	ck_assert(!acpi.tpm.known && acpi.tpm.count == 0);
	acpi_free(&acpi);
	made_root_remove();
}
END_TEST

START_TEST(reads_command_lines)
{
	ck_assert_uint_eq(kernel_flags_of("quiet nokaslr memmap=4K$0x1000 efi=debug,noruntime"),
			  KERNEL_NOKASLR | KERNEL_MEMMAP | KERNEL_NO_EFI_RUNTIME);
	ck_assert_uint_eq(kernel_flags_of("efi=runtime noefi"), KERNEL_NO_EFI_RUNTIME);
	ck_assert_uint_eq(kernel_flags_of("noefi efi=runtime"), 0);
	ck_assert_uint_eq(kernel_flags_of("efi=noruntime efi=debug,runtime"), 0);
	ck_assert_uint_eq(kernel_flags_of("efi=runtime,noruntime"), 0);
	ck_assert_uint_eq(kernel_flags_of("efi=noruntimes efi=xnoruntime,debug"), 0);
	ck_assert_uint_eq(kernel_flags_of("memory=1 xnokaslr init_on_free=0\n"), 0);
	ck_assert_uint_eq(kernel_flags_of("init_on_free=1 acpi_sleep=s3_bios,nonvs\n"),
			  KERNEL_WIPES_FREE | KERNEL_NO_NVS);
	ck_assert_uint_eq(kernel_flags_of("init-on-free=1"), KERNEL_WIPES_FREE);
	ck_assert_uint_eq(kernel_flags_of("acpi-sleep=nonvs,s4_nohwsig acpi_sleep=s4_hwsig"),
			  KERNEL_NO_NVS | KERNEL_SIGNATURE);
	ck_assert_uint_eq(kernel_flags_of("acpi_sleep=s4_hwsig acpi_sleep=s4_nohwsig"),
			  KERNEL_NO_SIGNATURE);
	ck_assert(kernel_at_least("6.12.5-amd64", 6, 7) && !kernel_at_least("6.1.0", 6, 7) &&
		  kernel_at_least("7.0", 6, 7) && !kernel_at_least("x", 0, 0));
	ck_assert_uint_eq(cpu_count_list("0-3,6"), 5);
	ck_assert_uint_eq(cpu_count_list("0-"), 0);
}
END_TEST

/* kstrtobool() reads one letter, or two. */
static const struct {
	const char *value;
	bool wipes;
} values[] = {
	{ "=1", true },	   { "=y", true },	 { "=Yes", true },    { "=on", true },
	{ "=ON", true },   { "=0", false },	 { "=no", false },    { "=N", false },
	{ "=off", false }, { "=oF", false },	 { "=true", true },   { "=", true },
	{ "", true },	   { "=2", true },	 { "=o", true },      { "_=1", false },
	{ "s=1", false },  { "=1 %s=0", false }, { "=0 %s=Y", true }, { "=0 -- %s=1", false },
};

START_TEST(reads_wiping_as_the_kernel_does)
{
	static const char *const names[] = { "init_on_free", "page_poison", "init-on_free",
					     "page-poison" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char rest[64], line[128];

		snprintf(rest, sizeof(rest), "%s", values[_i].value);
		if (strchr(rest, '%')) {
			char *at = strchr(rest, '%');

			snprintf(at, sizeof(rest) - (size_t)(at - rest), "%s%s", names[i % 2],
				 strchr(values[_i].value, '%') + 2);
		}
		snprintf(line, sizeof(line), "quiet %s%s ro\n", names[i], rest);
		ck_assert_msg(kernel_flags_of(line) == (values[_i].wipes ? KERNEL_WIPES_FREE : 0),
			      "%s", line);
	}
	/* Neither cancels the other. */
	ck_assert_uint_eq(kernel_flags_of("init_on_free=1 page_poison=0"), KERNEL_WIPES_FREE);
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
	ck_assert_uint_eq(copy.swaps.items.count, 1);
	ck_assert_mem_eq(&copy.swaps.items.items[0], &platform.swaps.items.items[0],
			 sizeof(struct swap_use));
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

static const unsigned char some_header[IMAGE_INFO_END] = {
	[24] = 0x02, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x11, 0x22, 0x33, 0x44,
};
static const struct frame_range some_ranges[] = { { 1, 9 }, { 0x100, 0x1000 }, { 0x100000, 1 } };
static const struct verdict_image some_image = { .ranges = some_ranges,
						 .range_count = ARRAY_SIZE(some_ranges),
						 .header = some_header,
						 .header_length = sizeof(some_header) };

/* Whatever the bytes: an answer, and if it is accepted, it can be judged. */
static void feed(const struct platform *whole, const unsigned char *bytes, size_t length)
{
	/* Of the exact size, so that a sanitizer detects any excess read. */
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

	/* A record longer than the data; far longer; a count beyond it. */
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

/* What a later version may write: other records, more fields, and escapes in any of them. */
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

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "platform");

	crypto_init(NULL);
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, captures_nothing);
	tcase_add_test(tcase, captures_this_machine);
	tcase_add_test(tcase, captures_a_recorded_guest);
	tcase_add_test(tcase, captures_hyperv);
	tcase_add_test(tcase, captures_xen);
	tcase_add_test(tcase, captures_virtio_mem);
	tcase_add_test(tcase, captures_uefi);
	tcase_add_loop_test(tcase, knows_what_of_tpm2_is_used, 0, 4);
	tcase_add_test(tcase, finds_the_tpm);
	tcase_add_test(tcase, reads_command_lines);
	tcase_add_loop_test(tcase, reads_wiping_as_the_kernel_does, 0, (int)ARRAY_SIZE(values));
	tcase_add_loop_test(tcase, survives_a_round_trip, 0, (int)ARRAY_SIZE(trees));
	tcase_add_loop_test(tcase, survives_cut_records, 0, (int)ARRAY_SIZE(trees));
	tcase_add_loop_test(tcase, survives_flipped_records, 0, (int)ARRAY_SIZE(trees));
	tcase_add_test(tcase, refuses_bad_lengths);
	tcase_add_test(tcase, reads_what_it_knows);
	tcase_add_test(tcase, calibrates);
}
