/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/verdict: each rule, on made-up machines and on the forum's maps. */
#include "platform/verdict.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/io.h"
#include "platform/verdict_report.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_CRC32 0x23456789abcdef02

/* Two machines that are the same until a test changes one, and an image. */
static struct platform then, now;
static unsigned char header[HEADER_BYTES_NEEDED];
static struct page_range ranges[8];
static struct verdict_image image;
static struct verdict verdict;

static const char *data_root(void)
{
	const char *data = getenv("S2DISK_TEST_DATA");

	return data ? data : "tests/data";
}

/* As if the machine had hibernated: the kernel's header, calibrated. */
static void hibernate(void)
{
	memset(header, 0, sizeof(header));
	put_le64(header + E820_MAGIC_OFFSET, MAGIC_CRC32);
	ck_assert_int_eq(e820_checksum(E820_CHECK_CRC32, &then.map, header + E820_CHECKSUM_OFFSET), 0);
	put_le64(header + 400, then.ram.pages.present);
	ck_assert_int_eq(platform_calibrate(&then, header, sizeof(header)), 0);
	image = (struct verdict_image){ .ranges = ranges, .header = header,
					.header_length = sizeof(header) };
}

static void set_map(struct platform *platform, const char *text)
{
	memory_map_free(&platform->map);
	ck_assert_int_eq(memory_map_parse(text, &platform->map, NULL), 0);
}

static void start_with(const char *then_map, const char *now_map)
{
	then.ram.pages = (struct memory_pages){ .page_size = 4096, .present = 100000 };
	now.ram.pages = then.ram.pages;
	set_map(&then, then_map);
	set_map(&now, now_map);
	hibernate();
}

static void start_with_files(const char *then_file, const char *now_file)
{
	_cleanup_free_ char *a = NULL, *b = NULL;
	char path[200];

	snprintf(path, sizeof(path), "/memory-maps/%s", then_file);
	ck_assert_int_eq(io_read_file(data_root(), path, 1 << 20, &a, NULL), 0);
	snprintf(path, sizeof(path), "/memory-maps/%s", now_file);
	ck_assert_int_eq(io_read_file(data_root(), path, 1 << 20, &b, NULL), 0);
	start_with(a, b);
}

static void start_with_tree(const char *tree)
{
	char root[300];

	snprintf(root, sizeof(root), "%s/platform/%s", data_root(), tree);
	ck_assert_int_eq(platform_capture(root, NULL, &then, NULL), 0);
	ck_assert_int_eq(platform_capture(root, NULL, &now, NULL), 0);
	hibernate();
}

/* Pages of the image: pairs of first frame and count, ended by a count of 0. */
static void hold(uint64_t first, uint64_t count)
{
	ranges[image.range_count++] = (struct page_range){ first, count };
}

static void judge(void)
{
	struct why w = { "" };

	ck_assert_msg(verdict_judge(&then, &now, &image, &verdict, &w) == 0, "%s", w.text);
}

static void clean_up(void)
{
	verdict_free(&verdict);
	platform_free(&then);
	platform_free(&now);
}

/* The only finding about something; fails when there are others. */
static const struct finding *only(enum verdict_about about)
{
	const struct finding *found = NULL;

	for (size_t i = 0; i < verdict.count; i++) {
		if (verdict.findings[i].about != about)
			continue;
		ck_assert_msg(!found, "two: %s / %s", found ? found->text : "",
			      verdict.findings[i].text);
		found = &verdict.findings[i];
	}
	ck_assert_msg(found != NULL, "none about %s", verdict_about_name(about));
	return found;
}

static size_t differences(void)
{
	size_t count = 0;

	for (size_t i = 0; i < verdict.count; i++)
		count += verdict.findings[i].class != VERDICT_SAME;
	return count;
}

#define LITTLE "0x0 0x9ffff System RAM\n0xf0000 0xfffff Reserved\n"

START_TEST(forum_move_is_mended)
{
	const struct finding *region;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	hold(0x7df0b, 0x100);
	judge();
	region = only(ABOUT_MEMORY_REGION);
	ck_assert_int_eq(region->class, VERDICT_MENDED);
	ck_assert_ptr_nonnull(strstr(region->text, "The reserved page at 0x7df0a000 moved to 0x7e38b000"));
	ck_assert_uint_eq(region->start, 0x7e38b000);
	ck_assert_uint_eq(region->end, 0x7e38bfff);
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_MENDED);
	ck_assert_uint_eq(differences(), 2);
	ck_assert(!verdict_allows(&verdict, POLICY_STRICT));
	ck_assert(verdict_allows(&verdict, POLICY_PROVEN));
	ck_assert_uint_eq(verdict.plan.quarantine.count, 1);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].first, 0x7e38b);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].count, 1);
	ck_assert(verdict.plan.patch_checksum && !verdict.plan.patch_page_count);
	clean_up();
}
END_TEST

START_TEST(forum_move_onto_a_page_is_fatal)
{
	const struct finding *region;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	hold(0x7e38b, 1);
	judge();
	region = only(ABOUT_MEMORY_REGION);
	ck_assert_int_eq(region->class, VERDICT_FATAL);
	ck_assert_uint_eq(region->start, 0x7e38b000);
	ck_assert_uint_eq(region->image_pages, 1);
	ck_assert_ptr_nonnull(strstr(region->text, "1 page there"));
	ck_assert_ptr_nonnull(strstr(region->advice, "memmap=4K$0x7df0a000 memmap=4K$0x7e38b000"));
	ck_assert_ptr_nonnull(strstr(region->advice, "memmap=4K\\\\\\$0x7e38b000"));
	ck_assert_uint_eq(differences(), 2);
	ck_assert(!verdict_allows(&verdict, POLICY_TOLERANT));
	clean_up();
}
END_TEST

/* The forum's work-around: with it there is nothing to take out of use. */
START_TEST(kept_free_is_harmless)
{
	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	then.ram.used.known = true;
	ck_assert_int_eq(list_append(&then.ram.used, ((struct byte_range){ 0x1000, 0x9ffff })), 0);
	ck_assert_int_eq(list_append(&then.ram.used, ((struct byte_range){ 0x900000, 0x7cffffff })), 0);
	hold(0x10, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_HARMLESS);
	ck_assert_uint_eq(verdict.plan.quarantine.count, 0);
	ck_assert_int_eq(verdict.worst, VERDICT_MENDED);
	clean_up();
}
END_TEST

/* Measured: Linux accepted this very value for this map. */
START_TEST(new_checksum_is_the_kernels)
{
	start_with_files("qemu-hole-10000000.map", "qemu-hole-0e000000.map");
	ck_assert_uint_eq(get_le64(header + E820_CHECKSUM_OFFSET), 0x5e125e16);
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_MENDED);
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, sizeof(header)), 0);
	ck_assert_uint_eq(get_le64(header + E820_CHECKSUM_OFFSET), 0x7cab8ff6);
	/* Not twice: it is not what the plan was made for any more. */
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, sizeof(header)), -EINVAL);
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, 447), -EINVAL);
	clean_up();
}
END_TEST

START_TEST(lower_top_of_ram)
{
	start_with_files("qemu-seabios-a.map", "qemu-seabios-b.map");
	now.ram.pages.present -= 32;
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_MENDED);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, "grew"));
	ck_assert(verdict.plan.patch_page_count && verdict.plan.patch_checksum);
	ck_assert_uint_eq(verdict.plan.new_page_count, now.ram.pages.present);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].count, 32);
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, sizeof(header)), 0);
	ck_assert_uint_eq(get_le64(header + 400), now.ram.pages.present);
	ck_assert_uint_eq(get_le64(header + E820_CHECKSUM_OFFSET), 0xe6aacfbb);
	verdict_free(&verdict);
	hibernate();
	hold(0x1ffbc, 2);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_FATAL);
	ck_assert_uint_eq(only(ABOUT_MEMORY_REGION)->image_pages, 2);
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_FATAL);
	ck_assert(!verdict.plan.patch_page_count);
	clean_up();
}
END_TEST

START_TEST(nothing_uncalibrated_is_patched)
{
	start_with_files("qemu-seabios-a.map", "qemu-seabios-b.map");
	now.ram.pages.present -= 32;
	hold(0x100, 0x100);
	switch (_i) {
	case 0: /* another header than the one that was calibrated */
		header[E820_CHECKSUM_OFFSET] ^= 1;
		header[400] ^= 1;
		break;
	case 1:
		then.hibernation.checksum = CALIBRATION_FAILED;
		then.hibernation.page_count = CALIBRATION_FAILED;
		break;
	case 2: /* a generation that is not known */
		put_le64(header + E820_MAGIC_OFFSET, 0x23456789abcdef04);
		then.hibernation.page_count = CALIBRATION_NOT_TRIED;
		break;
	}
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_FATAL);
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_FATAL);
	ck_assert(!verdict.plan.patch_checksum && !verdict.plan.patch_page_count);
	clean_up();
}
END_TEST

START_TEST(kernels_without_a_check)
{
	start_with_files("qemu-hole-10000000.map", "qemu-hole-0e000000.map");
	put_le64(header + E820_MAGIC_OFFSET, 0x23456789abcdef01);
	memset(header + E820_CHECKSUM_OFFSET, 0, E820_CHECKSUM_MAX);
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_HARMLESS);
	ck_assert(!verdict.plan.patch_checksum);
	clean_up();
}
END_TEST

START_TEST(wiping_kernels_cannot_be_mended)
{
	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	then.kernel.flags = KERNEL_WIPES_FREE;
	hold(0x10, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_RISKY);
	clean_up();
}
END_TEST

START_TEST(much_memory_is_not_mended)
{
	start_with("0x100000 0x3fffffff System RAM\n", _i ? "0x100000 0x3fbfffff System RAM\n"
							  : "0x100000 0x3fbfefff System RAM\n");
	hold(0x200, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, _i ? VERDICT_MENDED : VERDICT_RISKY);
	clean_up();
}
END_TEST

/* What was not RAM: one region is there then and RAM now. */
static const struct {
	const char *type;
	bool platform_mode;
	enum verdict_class class;
} gone[] = {
	{ "Reserved", true, VERDICT_HARMLESS },
	{ "Unknown E820 type", true, VERDICT_HARMLESS },
	{ "ACPI Tables", true, VERDICT_RISKY }, /* addresses unknown */
	{ "ACPI Non-volatile Storage", true, VERDICT_FATAL },
	{ "ACPI Non-volatile Storage", false, VERDICT_RISKY },
	{ "Persistent Memory", true, VERDICT_FATAL },
	{ "Soft Reserved", true, VERDICT_RISKY },
};

START_TEST(not_ram_becomes_ram)
{
	char map[256];

	snprintf(map, sizeof(map),
		 "0x100000 0xffffff System RAM\n0x1000000 0x1000fff %s\n0x1001000 0x1ffffff System RAM\n",
		 gone[_i].type);
	start_with(map, "0x100000 0x1ffffff System RAM\n");
	then.hibernation.platform_mode = gone[_i].platform_mode;
	hold(0x200, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, gone[_i].class);
	clean_up();
}
END_TEST

static void add_table(struct platform *platform, const char *name, uint64_t address)
{
	struct acpi_table table = { .address = address, .length = 0x100 };

	snprintf(table.name, sizeof(table.name), "%s", name);
	platform->acpi.tables.known = true;
	ck_assert_int_eq(list_append(&platform->acpi.tables, table), 0);
}

/* Framework's laptops: an "ACPI data" region that slides by a page or three. */
START_TEST(acpi_data_slides)
{
	start_with("0x100000 0xffffff System RAM\n0x1000000 0x100cfff ACPI Tables\n"
		   "0x100d000 0x1ffffff System RAM\n",
		   "0x100000 0xffdfff System RAM\n0xffe000 0x100afff ACPI Tables\n"
		   "0x100b000 0x1ffffff System RAM\n");
	hold(0x200, 0x20);
	add_table(&then, "DSDT", _i == 1 ? 0x100b800 : 0x2000000);
	add_table(&now, "DSDT", _i == 1 ? 0x100b800 : 0x2000000);
	add_table(&then, "BGRT", 0x100c000);
	add_table(&now, "BGRT", 0x100a000);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, _i == 1 ? VERDICT_FATAL : VERDICT_MENDED);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, "moved to 0xffe000"));
	ck_assert_int_eq(only(ABOUT_ACPI_TABLES)->class, VERDICT_HARMLESS);
	clean_up();
}
END_TEST

/* What is RAM now to the firmware, but not to the kernel. */
START_TEST(memmap_takes_image_pages)
{
	start_with(LITTLE, LITTLE);
	hold(0x10, 4);
	now.ram.used.known = true;
	ck_assert_int_eq(list_append(&now.ram.used, ((struct byte_range){ 0x1000, 0x11fff })), 0);
	now.kernel.flags = _i ? KERNEL_MEMMAP : 0;
	judge();
	ck_assert_int_eq(only(ABOUT_IMAGE_PAGES)->class, _i ? VERDICT_FATAL : VERDICT_RISKY);
	ck_assert_uint_eq(only(ABOUT_IMAGE_PAGES)->image_pages, 2);
	ck_assert_uint_eq(only(ABOUT_IMAGE_PAGES)->start, 0x12000);
	clean_up();
}
END_TEST

START_TEST(offline_blocks_are_not_ram)
{
	start_with("0x0 0xfffffff System RAM\n", "0x0 0xfffffff System RAM\n");
	now.ram.offline.known = true;
	ck_assert_int_eq(list_append(&now.ram.offline, ((struct byte_range){ 0x8000000, 0xfffffff })), 0);
	hold(0x100, 1);
	hold(0x8000, 1);
	judge();
	ck_assert_int_eq(only(ABOUT_IMAGE_PAGES)->class, VERDICT_FATAL);
	clean_up();
}
END_TEST

START_TEST(missing_dimm_and_virtio_mem)
{
	const struct finding *finding;

	start_with_tree("virtio-mem");
	hold(0x100, 0x100);
	memory_map_free(&now.map);
	ck_assert_int_eq(memory_map_copy(&then.map, &now.map), 0);
	now.map.entries.count = 6; /* the DIMM's entry is the last */
	now.ram.used.count = 2;	   /* what the firmware gave */
	now.ram.virtio.items[0].plugged = 0;
	now.ram.pages.present -= 65536;
	judge();
	finding = only(ABOUT_HOTPLUG_MEMORY);
	ck_assert_int_eq(finding->class, VERDICT_FATAL);
	ck_assert_uint_eq(finding->start, 0x100000000);
	ck_assert_ptr_nonnull(strstr(finding->text, "128 MiB"));
	finding = only(ABOUT_VIRTIO_MEM);
	ck_assert_int_eq(finding->class, VERDICT_FATAL);
	ck_assert_ptr_nonnull(strstr(finding->text, "had 128 MiB plugged and now has 0 MiB"));
	ck_assert_int_eq(only(ABOUT_MEMORY_MAP)->class, VERDICT_SAME);
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_SAME);
	clean_up();
}
END_TEST

START_TEST(processor_features)
{
	const struct finding *finding;

	start_with_tree("xen");
	hold(0x100, 0x10);
	snprintf(now.cpu.info.flags, sizeof(now.cpu.info.flags), "%s", "aes apic fpu hypervisor new");
	snprintf(then.cpu.info.flags, sizeof(then.cpu.info.flags), "%s", "aes apic avx avx2 fpu hypervisor");
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_FATAL);
	finding = &verdict.findings[0];
	ck_assert_int_eq(finding->about, ABOUT_CPU_FEATURES);
	ck_assert_ptr_nonnull(strstr(finding->text, "2 features that the saved kernel had: avx, avx2"));
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
	now.acpi.facs.hardware_signature ^= 1;
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
	list_free(&now.efi.regions);
	judge();
	ck_assert_int_eq(only(ABOUT_EFI_RUNTIME)->class, VERDICT_FATAL);
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

START_TEST(image_must_fit)
{
	start_with("0x0 0xfffffff System RAM\n", "0x0 0xfffffff System RAM\n");
	hold(0x100, 1000);
	now.ram.pages.available = 999 * 4096;
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_SIZE)->class, VERDICT_FATAL);
	clean_up();
}
END_TEST

START_TEST(refuses_bad_lists)
{
	struct why w = { "" };

	start_with(LITTLE, LITTLE);
	hold(5, 1);
	hold(4, 1);
	ck_assert_int_eq(verdict_judge(&then, &now, &image, &verdict, &w), -EINVAL);
	image.range_count = 1;
	image.header_length = 100;
	ck_assert_int_eq(verdict_judge(&then, &now, &image, &verdict, &w), -EINVAL);
	clean_up();
}
END_TEST

START_TEST(prints)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;
	struct json json;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	hold(0x7e38b, 1);
	judge();
	out = open_memstream(&text, &size);
	verdict_print(&verdict, true, out);
	ck_assert_int_eq(verdict_print_maps(&then, &now, &image, out), 0);
	platform_print(&then, out);
	platform_print_map(&then, &image, out);
	json_begin(&json, out);
	json_object_begin(&json, NULL);
	verdict_json(&json, "verdict", &verdict);
	platform_json(&json, "platform", &then);
	json_object_end(&json);
	ck_assert_int_eq(json_end(&json), 0);
	fclose(out);
	if (getenv("S2DISK_TEST_SHOW"))
		fputs(text, stdout);
	ck_assert_ptr_nonnull(strstr(text, "Verdict: fatal (2 differences: 1 fatal, 1 mended)."));
	ck_assert_ptr_nonnull(strstr(text, "* 0x00007e38b000 0x00007e38bfff"));
	ck_assert_ptr_nonnull(strstr(text, "\"worst\": \"fatal\""));
	clean_up();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tcase = tcase_create("verdict");
	SRunner *runner;
	int failed;

	crypto_init(NULL);
	tcase_add_test(tcase, forum_move_is_mended);
	tcase_add_test(tcase, forum_move_onto_a_page_is_fatal);
	tcase_add_test(tcase, kept_free_is_harmless);
	tcase_add_test(tcase, new_checksum_is_the_kernels);
	tcase_add_test(tcase, lower_top_of_ram);
	tcase_add_loop_test(tcase, nothing_uncalibrated_is_patched, 0, 3);
	tcase_add_test(tcase, kernels_without_a_check);
	tcase_add_test(tcase, wiping_kernels_cannot_be_mended);
	tcase_add_loop_test(tcase, much_memory_is_not_mended, 0, 2);
	tcase_add_loop_test(tcase, not_ram_becomes_ram, 0, (int)ARRAY_SIZE(gone));
	tcase_add_loop_test(tcase, acpi_data_slides, 0, 2);
	tcase_add_loop_test(tcase, memmap_takes_image_pages, 0, 2);
	tcase_add_test(tcase, offline_blocks_are_not_ram);
	tcase_add_test(tcase, missing_dimm_and_virtio_mem);
	tcase_add_test(tcase, processor_features);
	tcase_add_test(tcase, processor_and_hypervisor);
	tcase_add_test(tcase, hyperv_devices);
	tcase_add_test(tcase, efi_and_acpi);
	tcase_add_test(tcase, pci_and_kernel);
	tcase_add_test(tcase, image_must_fit);
	tcase_add_test(tcase, refuses_bad_lists);
	tcase_add_test(tcase, prints);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
