/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of doc/platform-verdict.md, Memory: the image's pages, plugged memory,
 * and what the kernel checks itself. */
#include "verdict_rows.h"

static void take_offline(uint64_t start, uint64_t bytes)
{
	struct byte_range range = { start, start + bytes - 1 };

	now.ram.offline.known = true;
	ck_assert_int_eq(list_append(&now.ram.offline, range), 0);
}

/* All of RAM but a page of the image. */
static void use_all_but_one(void)
{
	kernel_uses(&now, 0x10000, 0x200fff);
	kernel_uses(&now, 0x202000, 0x3fffffff);
}

ROW("image pages not RAM, not explained by the map: firmware says not RAM, or a block is offline");

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_FATAL,
     "2 pages of the image are not in memory that this kernel uses, the first at 0x20000000. "
     "Loading them would crash",
     .pages = 2)
{
	hold(PLACE / PAGE, 2);
	take_offline(PLACE, 1 << 20);
}

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_FATAL, "Up to 1 page of the image is not in memory",
     .pages = 1)
{
	hold(0x40000, 1); /* in a hole on both sides: the map is the same */
	image.coarse = true;
}

ROW("the same, firmware says RAM, `memmap=` or `mem=` on this command line");

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_FATAL,
     "1 page of the image is not in memory that this kernel uses, the first at 0x201000. Loading",
     .advice = "Remove memmap= and mem= from", .pages = 1)
{
	use_all_but_one();
	now.kernel.flags = KERNEL_MEMMAP;
}

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_FATAL,
     "1 page of the image is not in memory that this kernel uses, the first at 0x201000. Loading",
     .advice = "Remove memmap= and mem= from", .pages = 1)
{
	struct efi_region region = { .type = 4, .start = 0x201000, .pages = 1 };

	use_all_but_one();
	now.kernel.flags = KERNEL_MEMMAP; /* which came first */
	now.efi.state.booted = now.efi.regions.known = true;
	ck_assert_int_eq(list_append(&now.efi.regions, region), 0);
}

ROW("the same without such an argument");

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_RISKY,
     "1 page of the image is not in memory that this kernel uses, the first at 0x201000.",
     .pages = 1)
{
	use_all_but_one();
}

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_RISKY,
     "1 page of the image is not in memory that this kernel uses, the first at 0x201000.",
     .pages = 1)
{
	struct efi_region region = { .type = 6, .start = 0x201000, .pages = 1 };

	use_all_but_one();
	now.efi.state.booted = now.efi.regions.known = true; /* the firmware's own */
	ck_assert_int_eq(list_append(&now.efi.regions, region), 0);
}

ROW("image pages where this boot's EFI runtime map names memory of boot services, loader or "
    "conventional");

static void left_over_now(uint32_t type, uint64_t start, uint64_t pages)
{
	struct efi_region region = { .type = type, .start = start, .pages = pages };

	now.efi.state.booted = now.efi.regions.known = true;
	ck_assert_int_eq(list_append(&now.efi.regions, region), 0);
}

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_HARMLESS,
     "1 page of the image lies where this boot's firmware left a table for the kernel, the first "
     "at 0x201000.",
     .pages = 1)
{
	use_all_but_one();
	left_over_now(4, 0x200000, 3);
}

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_HARMLESS, "2 pages of the image lie where", .pages = 2)
{
	kernel_uses(&now, 0x10000, 0x1fffff);
	kernel_uses(&now, 0x202000, 0x3fffffff);
	left_over_now(2, 0x201000, 1);
	left_over_now(7, 0x200000, 1);
}

ROW("the RAM of this machine is unknown");

LINE(PLAIN, ABOUT_IMAGE_PAGES, VERDICT_RISKY, "could not be determined")
{
	memory_map_free(&then.map);
	memory_map_free(&now.map);
}

ROW("hot-plugged memory missing");

/* The DIMM's entry is the last of the map, its RAM the third run. */
LINE(VIRTIO_MEM, ABOUT_HOTPLUG_MEMORY, VERDICT_FATAL,
     "128 MiB of hot-plugged memory at 0x100000000", .advice = "Give the machine that memory again")
{
	now.map.entries.count--;
	memmove(&now.ram.used.items[2], &now.ram.used.items[3],
		(--now.ram.used.count - 2) * sizeof(now.ram.used.items[0]));
}

ROW("virtio-mem: less plugged, or the device is missing");

LINE(VIRTIO_MEM, ABOUT_VIRTIO_MEM, VERDICT_FATAL, "had 128 MiB plugged and now has 127 MiB",
     .advice = "Unplug the memory before hibernating")
{
	now.ram.virtio.items[0].plugged -= 1 << 20;
}

LINE(VIRTIO_MEM, ABOUT_VIRTIO_MEM, VERDICT_FATAL, "had 128 MiB plugged and now has 0 MiB")
{
	now.ram.virtio.count = 0;
}

ROW("virtio-mem: more plugged");

LINE(VIRTIO_MEM, ABOUT_VIRTIO_MEM, VERDICT_HARMLESS, "had 128 MiB plugged and now has 129 MiB")
{
	now.ram.virtio.items[0].plugged += 1 << 20;
}

ROW("the image is larger than the memory available");

LINE(PLAIN, ABOUT_MEMORY_SIZE, VERDICT_FATAL,
     "The image needs 1.1 MiB of memory, and only 1.1 MiB are available")
{
	now.ram.pages.available = 0x11f * PAGE; /* the image has 0x120 */
}

static void put_md5(void)
{
	put_le64(header + IMAGE_INFO_MAGIC, 0x23456789abcdef01);
	ck_assert_int_eq(e820_checksum(E820_CHECK_MD5, &then.map, header + IMAGE_INFO_CHECKSUM), 0);
	ck_assert_int_eq(platform_calibrate(&then, header, sizeof(header)), 0);
}

/* A difference that is harmless but for the checksum. */
#define MORE_RAM .also = { { ABOUT_MEMORY_REGION, VERDICT_HARMLESS } }

static void add_ram(void)
{
	now_has(0x40000000, 4 * PAGE, MEMORY_RAM);
}

ROW("kernel's checksum differs, reproduced then");

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_CORRECTED, "has to be replaced in the image's header",
     .plan = CHECKSUM, MORE_RAM)
{
	add_ram();
}

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_CORRECTED, "has to be replaced in the image's header",
     .plan = CHECKSUM, MORE_RAM)
{
	put_md5();
	add_ram();
}

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_CORRECTED, "would be replaced", MORE_RAM)
{
	no_image();
	add_ram();
}

ROW("the same, not reproduced, generation unknown, or MD5 not to be had");

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_FATAL, "its checksum could not be reproduced", MORE_RAM)
{
	add_ram();
	then.hibernation.checksum = CALIBRATION_FAILED;
}

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_FATAL, "its checksum could not be reproduced", MORE_RAM)
{
	add_ram();
	header[IMAGE_INFO_CHECKSUM] ^= 1; /* not the header that was calibrated */
}

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_FATAL, "this kernel uses an unknown check", MORE_RAM)
{
	add_ram();
	put_le64(header + IMAGE_INFO_MAGIC, 0x23456789abcdef04);
}

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_FATAL, "this kernel uses an unknown check", MORE_RAM)
{
	add_ram();
	no_image(); /* and no kernel has hibernated yet */
	then.hibernation.magic = 0;
}

ROW("MD5 field all zeros");

LINE(PLAIN, ABOUT_KERNEL_CHECK, VERDICT_HARMLESS, "does not check the memory map", MORE_RAM)
{
	put_md5();
	memset(header + IMAGE_INFO_CHECKSUM, 0, E820_CHECKSUM_MAX);
	add_ram();
}

ROW("page count differs, reproduced then, every image page is RAM");

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_CORRECTED,
     "the number has to be replaced in the image's header", .plan = PAGE_COUNT)
{
	now.ram.pages.present++;
}

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_CORRECTED, "would be replaced in the image's header")
{
	now.ram.pages.present--;
	no_image();
}

/* On arm64, /proc/iomem says what is RAM. */
LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_CORRECTED, "the number has to be replaced",
     .plan = PAGE_COUNT)
{
	now.ram.pages.present--;
	memory_map_free(&then.map);
	memory_map_free(&now.map);
	kernel_uses(&now, 0x10000, 0x3fffffff);
}

ROW("page count differs otherwise");

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_FATAL, "not all pages of the image are RAM on this machine",
     .also = { { ABOUT_IMAGE_PAGES, VERDICT_RISKY } })
{
	now.ram.pages.present--;
	use_all_but_one();
}

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_FATAL, "its count could not be reproduced")
{
	now.ram.pages.present--;
	then.hibernation.page_count = CALIBRATION_FAILED;
}

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_FATAL, "its count could not be reproduced")
{
	now.ram.pages.present--;
	header[400]++; /* not the header that was calibrated */
}

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_FATAL, "not all pages of the image are RAM on this machine",
     .also = { { ABOUT_IMAGE_PAGES, VERDICT_RISKY } })
{
	now.ram.pages.present--;
	memory_map_free(&then.map);
	memory_map_free(&now.map);
}

ROW("page count not to be had here");

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_RISKY, "could not be counted")
{
	now.ram.pages.present = 0;
}

LINE(PLAIN, ABOUT_PAGE_COUNT, VERDICT_RISKY, "", .silent = true)
{
	then.ram.pages.present = now.ram.pages.present = 0; /* nor then */
}
