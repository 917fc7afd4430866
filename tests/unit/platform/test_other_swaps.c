/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Swap areas besides the image's: what is recorded of them, and what is found again,
 * below a made root whose disks are files. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/filesystems/other_swaps.h"
#include "platform/hardware/device_drivers.h"
#include "swap/file_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#define HEAD "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
#define PAGE 4096

static struct file_place file_at;
static int file_error;

int __wrap_file_place_find(int fd, uint64_t page_size, struct file_place *ret, struct why *w);
int __wrap_file_place_find(int fd, uint64_t page_size, struct file_place *ret, struct why *w)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(page_size, PAGE);
	ck_assert_ptr_null(w);
	*ret = file_at;
	return file_error;
}

/* What happens during the wait. */
static unsigned int pauses, appears_at;
static void (*appear)(void);

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)left;
	ck_assert_int_eq(pause->tv_nsec, 250000000);
	if (++pauses == appears_at)
		appear();
	return 0;
}

static unsigned char disk[4 * PAGE];

static void put_header(size_t at, unsigned char uuid, uint32_t last_page)
{
	unsigned char *page = disk + at;
	uint32_t version = 1;

	memcpy(page + 1024, &version, 4);
	memcpy(page + 1028, &last_page, 4);
	memset(page + 1036, uuid, 16);
	memcpy(page + 1052, "other", 5);
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
}

static void put_swap(const char *path, unsigned char uuid)
{
	memset(disk, 0, sizeof(disk));
	put_header(0, uuid, 767);
	made_put_bytes(path, disk, sizeof(disk));
}

/* A SCSI disk with a serial, on ahci; its number is 8:16 × letter. */
static void add_disk(char letter, const char *serial)
{
	char path[200], target[200];

	snprintf(path, sizeof(path), "/sys/devices/pci0/1f.2/host/block/sd%c/device/wwid", letter);
	made_put(path, serial);
	snprintf(path, sizeof(path), "/sys/class/block/sd%c", letter);
	snprintf(target, sizeof(target), "../../devices/pci0/1f.2/host/block/sd%c", letter);
	made_link(path, target);
	snprintf(path, sizeof(path), "/sys/dev/block/8:%d", 16 * (letter - 'a'));
	made_link(path, target);
}

static void add_layer(const char *name, const char *number, const char *uuid, const char *slave)
{
	char path[200], target[200];

	snprintf(path, sizeof(path), "/sys/devices/virtual/block/%s/dm/uuid", name);
	if (*uuid)
		made_put(path, uuid);
	snprintf(path, sizeof(path), "/sys/devices/virtual/block/%s/slaves/%s/x", name, slave);
	made_put(path, "");
	snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	snprintf(target, sizeof(target), "../../devices/virtual/block/%s", name);
	made_link(path, target);
	snprintf(path, sizeof(path), "/sys/dev/block/%s", number);
	made_link(path, target);
}

static void make(void)
{
	made_root_create();
	pauses = appears_at = 0;
	file_error = 0;
	made_link("/sys/devices/pci0/1f.2/driver", "../../../bus/pci/drivers/ahci");
	made_link("/sys/devices/pci0/1f.2/subsystem", "../../../bus/pci");
	made_link("/sys/devices/pci0/1f.2/host/driver", "../../../../bus/scsi/drivers/sd");
	made_link("/sys/devices/pci0/1f.2/host/subsystem", "../../../../bus/scsi");
	made_put("/sys/bus/pci/drivers/ahci/x", "");
	made_put("/sys/bus/scsi/drivers/sd/x", "");
	add_disk('a', "S1\n");
	put_swap("/dev/sda", 0xa1);
}

static struct other_swaps others;
static struct swaps then, now;

static void end(void)
{
	other_swaps_close(&others);
	other_swaps_close(&others); /* harmless */
	swaps_free(&then);
	swaps_free(&now);
	made_root_remove();
}

static void record(const char *list, const struct swap_area *own, size_t count)
{
	char text[1000];

	snprintf(text, sizeof(text), "%s%s", HEAD, list);
	made_put("/proc/swaps", text);
	ck_assert_int_eq(other_swaps_open(made_root, own, &others, &then), 0);
	ck_assert(then.items.known);
	ck_assert_uint_eq(then.items.count, count);
	ck_assert_uint_eq(others.count, count);
}

#define SDA "/dev/sda partition 3064 1024 -2\n"

static const struct swap_use *look(void)
{
	swaps_free(&now);
	ck_assert_int_eq(other_swaps_look(made_root, &then, &now), 0);
	ck_assert(now.items.known);
	ck_assert_uint_eq(now.items.count, 1);
	return &now.items.items[0];
}

static void expect(enum swap_sight sight)
{
	ck_assert_int_eq(look()->sight, sight);
}

START_TEST(records_a_partition)
{
	const struct swap_use *area;
	unsigned char uuid[16];

	record(SDA, NULL, 1);
	area = &then.items.items[0];
	memset(uuid, 0xa1, sizeof(uuid));
	ck_assert_str_eq(area->path, "/dev/sda");
	ck_assert_str_eq(area->device, "/dev/sda");
	ck_assert_str_eq(area->identity, "disk S1");
	ck_assert_str_eq(area->drivers, "scsi/sd,pci/ahci");
	ck_assert_str_eq(area->label, "other");
	ck_assert_mem_eq(area->uuid, uuid, sizeof(uuid));
	ck_assert_uint_eq(area->offset, 0);
	ck_assert_uint_eq(area->size, 3064 << 10);
	ck_assert_uint_eq(area->used, 1 << 20);
	ck_assert_uint_eq(area->last_page, 767);
	ck_assert_uint_eq(area->file, 0);
	ck_assert_uint_eq(area->stacked, 0);
	ck_assert_uint_eq(area->sight, SWAP_SEEN);
	ck_assert_int_eq(other_swaps_look_again(&others, 0, area), 0);
	/* Its medium is gone, so another one may come. */
	made_shell("truncate -s 0 dev/sda");
	ck_assert_int_eq(other_swaps_look_again(&others, 0, area), 1);
}
END_TEST

START_TEST(leaves_out_memory_and_its_own)
{
	const struct swap_area own = { .dev = makedev(8, 16) };

	add_disk('b', "S2\n");
	put_swap("/dev/sdb", 0xb1);
	put_swap("/dev/zram0", 1);
	put_swap("/dev/ram1", 1);
	record("/dev/zram0 partition 9 9 100\n/dev/ram1 partition 9 9 99\n"
	       "/dev/sdb partition 9 9 -2\n" SDA,
	       &own, 1);
	ck_assert_str_eq(then.items.items[0].path, "/dev/sda");
}
END_TEST

/* By its place: another file on the image's device is another area. */
START_TEST(records_a_file)
{
	struct swap_area own = { .dev = makedev(8, 0), .offset = 2, .file = true };

	memset(disk, 0, sizeof(disk));
	put_header(2 * PAGE, 0xf1, 1);
	made_put_bytes("/dev/sda", disk, sizeof(disk));
	made_put("/swap file", "");
	file_at = (struct file_place){ .dev = makedev(8, 0), .offset = 2 };
	record("/swap\\040file file 8 4 -3\n", &own, 0);
	other_swaps_close(&others);
	swaps_free(&then);
	own.offset = 1;
	record("/swap\\040file file 8 4 -3\n", &own, 1);
	ck_assert_str_eq(then.items.items[0].path, "/swap file");
	ck_assert_str_eq(then.items.items[0].device, "/dev/sda");
	ck_assert_uint_eq(then.items.items[0].offset, 2 * PAGE);
	ck_assert_uint_eq(then.items.items[0].file, 1);
	ck_assert_uint_eq(then.items.items[0].sight, SWAP_SEEN);
	expect(SWAP_SEEN);
	disk[2 * PAGE + PAGE - 1] = 0;
	made_put_bytes("/dev/sda", disk, sizeof(disk));
	expect(SWAP_REPLACED);
}
END_TEST

START_TEST(names_what_it_cannot_read)
{
	made_put("/swapfile", "");
	file_error = -EOPNOTSUPP;
	made_link("/sys/class/block/loop0", "../../devices/virtual/block/loop0");
	put_swap("/dev/loop0", 1);
	made_put("/dev/sdx", "short");
	record("/swapfile file 8 4 -3\n/dev/loop0 partition 8 4 -4\n"
	       "/gone\\040(deleted) file 8 4 -5\n/dev/nothing partition 8 4 -6\n"
	       "/dev/sdx partition 8 4 -7\n",
	       NULL, 5);
	ck_assert_uint_eq(then.items.items[0].sight, SWAP_UNREADABLE);
	ck_assert_uint_eq(then.items.items[1].sight, SWAP_BLOCKED);
	for (size_t i = 2; i < 5; i++)
		ck_assert_uint_eq(then.items.items[i].sight, SWAP_UNREADABLE);
	ck_assert_int_eq(other_swaps_look_again(&others, 1, &then.items.items[1]), -EBADF);
	/* Nor are they searched for. */
	ck_assert_int_eq(other_swaps_look(made_root, &then, &now), 0);
	ck_assert_uint_eq(now.items.count, 0);
}
END_TEST

/* After the snapshot, through the open descriptors. */
START_TEST(counts_anew)
{
	record(SDA "/dev/nothing partition 8 4 -6\n", NULL, 2);
	made_put("/proc/swaps",
		 HEAD "/dev/other partition 9 9 -1\n/dev/sda partition 3064 2048 -2\n");
	other_swaps_count(&others, &then);
	ck_assert_uint_eq(then.items.items[0].used, 2 << 20);
	ck_assert_uint_eq(then.items.items[1].used, 4 << 10);
	/* Nothing readable: unchanged. */
	made_put("/proc/swaps", "nonsense");
	other_swaps_count(&others, &then);
	ck_assert_uint_eq(then.items.items[0].used, 2 << 20);
	other_swaps_close(&others);
	other_swaps_count(&others, &then);
}
END_TEST

START_TEST(a_kernel_without_swap)
{
	ck_assert_int_eq(other_swaps_open(made_root, NULL, &others, &then), 0);
	ck_assert(!then.items.known);
	ck_assert_uint_eq(others.count, 0);
	ck_assert_int_eq(other_swaps_look(made_root, &then, &now), 0);
	ck_assert(!now.items.known);
}
END_TEST

START_TEST(finds_it_again)
{
	record(SDA, NULL, 1);
	expect(SWAP_SEEN);
	ck_assert(swap_same_header(&then.items.items[0], &now.items.items[0]));
	/* By another name. A clone of it elsewhere is another. */
	made_put("/sys/class/block/sda", NULL);
	add_disk('c', "S1\n");
	add_disk('b', "S2\n");
	put_swap("/dev/sdb", 0xa1);
	put_swap("/dev/sdc", 0xa1);
	made_put("/dev/sda", NULL);
	ck_assert_str_eq(look()->device, "/dev/sdc");
	expect(SWAP_SEEN);
	put_swap("/dev/sdc", 0xc1);
	expect(SWAP_SEEN);
	ck_assert(!swap_same_header(&then.items.items[0], &now.items.items[0]));
	ck_assert_int_eq(now.items.items[0].uuid[0], 0xc1);
	memset(disk, 0, sizeof(disk));
	made_put_bytes("/dev/sdc", disk, sizeof(disk));
	expect(SWAP_REPLACED);
	/* An image of another system. */
	put_header(0, 0xa1, 767);
	memcpy(disk + PAGE - 10, "S1SUSPEND\0", 10);
	made_put_bytes("/dev/sdc", disk, sizeof(disk));
	expect(SWAP_REPLACED);
	made_put("/dev/sdc", "short");
	expect(SWAP_REPLACED);
	/* No medium. */
	made_put("/dev/sdc", "");
	expect(SWAP_MISSING);
}
END_TEST

START_TEST(nothing_in_use_is_not_looked_for)
{
	record("/dev/sda partition 3064 0 -2\n", NULL, 1);
	ck_assert_int_eq(other_swaps_look(made_root, &then, &now), 0);
	ck_assert(now.items.known);
	ck_assert_uint_eq(now.items.count, 0);
}
END_TEST

/* Missing, although its disk would be visible. */
START_TEST(knows_a_missing_one)
{
	record(SDA, NULL, 1);
	made_put("/sys/class/block/sda", NULL);
	expect(SWAP_MISSING);
	strcpy(then.items.items[0].drivers, "scsi/sd,pci/nvme");
	expect(SWAP_HIDDEN);
	then.items.items[0].drivers[0] = '\0';
	expect(SWAP_HIDDEN);
}
END_TEST

/* Over a network, which an initramfs may not have: only the disk has a driver. */
START_TEST(knows_a_disk_without_hardware)
{
	made_put("/sys/devices/pci0/1f.2/driver", NULL);
	record(SDA, NULL, 1);
	ck_assert_str_eq(then.items.items[0].drivers, "");
	made_put("/sys/class/block/sda", NULL);
	expect(SWAP_HIDDEN);
}
END_TEST

/* A device without an identity is known by its content. */
START_TEST(knows_it_without_identity)
{
	made_put("/sys/class/block/sda/device/wwid", NULL);
	record(SDA, NULL, 1);
	ck_assert_str_eq(then.items.items[0].identity, "");
	expect(SWAP_SEEN);
	add_disk('b', "S2\n");
	put_swap("/dev/sda", 0xc1);
	expect(SWAP_MISSING);
	put_swap("/dev/sdb", 0xa1);
	ck_assert_str_eq(look()->device, "/dev/sdb");
}
END_TEST

/* LUKS on a disk: as long as the disk is there it may come. */
START_TEST(waits_for_no_layer)
{
	add_layer("dm-0", "253:0", "CRYPT-LUKS2-abc-swap\n", "sda");
	put_swap("/dev/dm-0", 0xd1);
	record("/dev/dm-0 partition 3064 1024 -2\n", NULL, 1);
	ck_assert_str_eq(then.items.items[0].identity, "CRYPT-LUKS2-abc on disk S1");
	ck_assert_str_eq(then.items.items[0].drivers, "scsi/sd,pci/ahci");
	ck_assert_uint_eq(then.items.items[0].stacked, 1);
	expect(SWAP_SEEN);
	made_put("/sys/class/block/dm-0", NULL);
	expect(SWAP_HIDDEN);
	made_put("/sys/class/block/sda", NULL);
	expect(SWAP_MISSING);
}
END_TEST

/* Only the beginning of a long identity is recorded. */
START_TEST(knows_what_is_below_a_long_identity)
{
	char wwid[260];

	memset(wwid, '7', sizeof(wwid));
	strcpy(wwid + 200, "\n");
	made_put("/sys/class/block/sda/device/wwid", wwid);
	add_layer("dm-0", "253:0", "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-luks\n", "sda");
	add_layer("dm-1", "253:1",
		  "LVM-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", "dm-0");
	put_swap("/dev/dm-1", 0xd1);
	record("/dev/dm-1 partition 3064 1024 -2\n", NULL, 1);
	ck_assert_uint_eq(strlen(then.items.items[0].identity), DEVICE_IDENTITY_SIZE - 1);
	made_put("/sys/class/block/dm-1", NULL);
	expect(SWAP_HIDDEN);
	made_put("/sys/class/block/dm-0", NULL);
	expect(SWAP_HIDDEN);
	/* Another disk is not the one below. */
	wwid[0] = '8';
	made_put("/sys/class/block/sda/device/wwid", wwid);
	expect(SWAP_MISSING);
}
END_TEST

/* bcache has no identity of its own: the device below would be found instead. */
START_TEST(is_not_mistaken_for_what_is_below)
{
	add_layer("bcache0", "251:0", "", "sda");
	put_swap("/dev/bcache0", 0xd1);
	record("/dev/bcache0 partition 3064 1024 -2\n", NULL, 1);
	ck_assert_str_eq(then.items.items[0].identity, "");
	expect(SWAP_SEEN);
	made_put("/sys/class/block/bcache0", NULL);
	expect(SWAP_HIDDEN);
}
END_TEST

static void appear_now(void)
{
	add_disk('a', "S1\n");
}

START_TEST(waits_for_a_disk)
{
	record(SDA, NULL, 1);
	made_put("/sys/class/block/sda", NULL);
	made_put("/sys/dev/block/8:0", NULL);
	ck_assert_int_eq(other_swaps_await(made_root, &then, 1000, &now), 0);
	ck_assert_uint_eq(pauses, 4);
	ck_assert_int_eq(now.items.items[0].sight, SWAP_MISSING);
	swaps_free(&now);
	pauses = 0;
	appears_at = 2;
	appear = appear_now;
	ck_assert_int_eq(other_swaps_await(made_root, &then, 1000, &now), 0);
	ck_assert_uint_eq(pauses, 2);
	ck_assert_int_eq(now.items.items[0].sight, SWAP_SEEN);
	/* An area that is there is not waited for, even if it has changed. */
	swaps_free(&now);
	put_swap("/dev/sda", 0xc1);
	ck_assert_int_eq(other_swaps_await(made_root, &then, 1000, &now), 0);
	ck_assert_uint_eq(pauses, 2);
}
END_TEST

/* Text from an image never leads outside. */
START_TEST(looks_for_drivers_only)
{
	static const char *const none[] = { "",	      "pci",	    "pci/",	 "/ahci",
					    "../bus", "pci/../pci", "pci/ahci,", "pci/ahci/x",
					    ",",      "pci/.",	    "./ahci",	 "pci/ahci,x/y" };

	ck_assert(device_drivers_here(made_root, "pci/ahci"));
	ck_assert(device_drivers_here(made_root, "scsi/sd,pci/ahci"));
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		ck_assert_msg(!device_drivers_here(made_root, none[i]), "%s", none[i]);
}
END_TEST

/* A place from an image that is not a multiple of a page, or out of bounds. */
START_TEST(takes_no_odd_place)
{
	record(SDA, NULL, 1);
	then.items.items[0].offset = 512;
	expect(SWAP_UNREADABLE);
	then.items.items[0].offset = (uint64_t)1 << 40;
	expect(SWAP_REPLACED);
	then.items.items[0].offset = UINT64_MAX - PAGE + 1;
	expect(SWAP_UNREADABLE);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *swaps = test_case(suite, "swaps");

	tcase_add_checked_fixture(swaps, make, end);
	tcase_add_test(swaps, records_a_partition);
	tcase_add_test(swaps, leaves_out_memory_and_its_own);
	tcase_add_test(swaps, records_a_file);
	tcase_add_test(swaps, names_what_it_cannot_read);
	tcase_add_test(swaps, counts_anew);
	tcase_add_test(swaps, a_kernel_without_swap);
	tcase_add_test(swaps, finds_it_again);
	tcase_add_test(swaps, nothing_in_use_is_not_looked_for);
	tcase_add_test(swaps, knows_a_missing_one);
	tcase_add_test(swaps, knows_a_disk_without_hardware);
	tcase_add_test(swaps, knows_it_without_identity);
	tcase_add_test(swaps, waits_for_no_layer);
	tcase_add_test(swaps, knows_what_is_below_a_long_identity);
	tcase_add_test(swaps, is_not_mistaken_for_what_is_below);
	tcase_add_test(swaps, waits_for_a_disk);
	tcase_add_test(swaps, looks_for_drivers_only);
	tcase_add_test(swaps, takes_no_odd_place);
}
