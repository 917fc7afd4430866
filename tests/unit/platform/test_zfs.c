/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of ZFS pools: labels made here, as OpenZFS' include/sys/vdev_impl.h and
 * uberblock_impl.h describe them, on disks that are files below a made-up root. */
#include "base/bytes.h"
#include "base/io.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "platform/filesystems/mounted.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DISK_SIZE (320 << 10)
#define RING (128 << 10)

static time_t settled;

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)left;
	settled += pause->tv_sec;
	return 0;
}

static unsigned char disk[DISK_SIZE];
static unsigned char *at; /* in the list of the label */

static void put_be32(uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, 4);
	at += 4;
}

static void put_name(const char *name, uint32_t size)
{
	put_be32(size);
	put_be32(size);
	put_be32((uint32_t)strlen(name));
	memcpy(at, name, strlen(name));
	at += round_up(strlen(name), 4);
}

static void put_number(const char *name, uint64_t value)
{
	put_name(name, (uint32_t)(12 + round_up(strlen(name), 4) + 16));
	put_be32(8);
	put_be32(1);
	put_be32((uint32_t)(value >> 32));
	put_be32((uint32_t)value);
}

static void put_string(const char *name, const char *value)
{
	put_name(name,
		 (uint32_t)(12 + round_up(strlen(name), 4) + 12 + round_up(strlen(value), 4)));
	put_be32(9);
	put_be32(1);
	put_be32((uint32_t)strlen(value));
	memcpy(at, value, strlen(value));
	at += round_up(strlen(value), 4);
}

static void make_label(const char *pool, uint64_t pool_guid, uint64_t guid)
{
	memset(disk, 0, sizeof(disk));
	at = disk + 16384;
	*at = 1;
	at += 4;
	put_be32(0);
	put_be32(1);
	put_number("version", 5000);
	put_string("name", pool);
	put_number("state", 0);
	put_number("txg", 7);
	put_number("pool_guid", pool_guid);
	put_string("hostname", "here");
	put_number("top_guid", 99);
	put_number("guid", guid);
	put_name("vdev_tree", 60000); /* longer than a page */
}

static void put_native(unsigned char *to, uint64_t value, bool big)
{
	value = big ? htobe64(value) : htole64(value);
	memcpy(to, &value, 8);
}

/* The slot's uberblock; root stands for what it points to. */
static unsigned char *put_group(unsigned int slot, uint64_t group, unsigned char root, bool big)
{
	unsigned char *uber = disk + RING + (size_t)slot * 1024;

	put_native(uber, 0x00bab10c, big);
	put_native(uber + 8, 5000, big);
	put_native(uber + 16, group, big);
	put_native(uber + 32, 1700000000, big);
	memset(uber + 40, root, 128);
	put_native(uber + 176, 0xa11cea11, big);
	return uber;
}

static void put_disk(const char *path)
{
	made_put_bytes(path, disk, sizeof(disk));
}

static void put_member(const char *path, const char *pool, uint64_t pool_guid, uint64_t guid,
		       uint64_t group)
{
	make_label(pool, pool_guid, guid);
	put_group(0, group - 1, 1, false);
	put_group(4, group, 2, false);
	put_disk(path);
}

static int read_disk(void *context, uint64_t offset, unsigned char *page)
{
	(void)context;
	if (offset > sizeof(disk) - FILESYSTEM_PAGE)
		return -ENODATA;
	memcpy(page, disk + offset, FILESYSTEM_PAGE);
	return 0;
}

static const struct filesystem_source source = { .read = read_disk };

static int identify(struct filesystem *ret)
{
	unsigned char page[FILESYSTEM_PAGE];

	*ret = (struct filesystem){ 0 };
	return filesystem_identify(&source, page, ret);
}

/* Both byte orders, the last uberblock anywhere in the ring, and every slot size. */
START_TEST(finds_the_last_group)
{
	bool big = _i % 2;
	struct filesystem before, after;
	char words[120];

	make_label("tank", 0x1122334455667788, 0xabc);
	put_group(12, 300, 1, big);
	put_group(124, 301, 2, big);
	put_group(0, 299, 3, big);
	ck_assert_int_eq(identify(&before), 0);
	ck_assert_str_eq(before.type, "zfs");
	ck_assert_uint_eq(get_le64(before.uuid), 0x1122334455667788);
	ck_assert_uint_eq(get_le64(before.member), 0xabc);
	filesystem_words(&before, words, sizeof(words));
	ck_assert_str_eq(words, "transaction group 301");
	put_group(4, 302, 4, big);
	ck_assert_int_eq(identify(&after), 0);
	ck_assert(filesystem_same(&before, &after));
	ck_assert(!filesystem_unchanged(&before, &after));
	/* The same number, and another tree. */
	ck_assert_int_eq(identify(&before), 0);
	put_group(4, 302, 5, big);
	ck_assert_int_eq(identify(&after), 0);
	ck_assert(!filesystem_unchanged(&before, &after));
	/* The member with another content is another one. */
	make_label("tank", 0x1122334455667788, 0xabd);
	put_group(4, 302, 5, big);
	ck_assert_int_eq(identify(&before), 0);
	ck_assert(!filesystem_same(&before, &after));
}
END_TEST

/* Shared by hosts: it is written even when idle. */
START_TEST(does_not_stamp_a_shared_pool)
{
	struct filesystem found;

	make_label("tank", 1, 2);
	put_native(put_group(4, 302, 1, false) + 184, 1000, false);
	ck_assert_int_eq(identify(&found), -ENODEV);
	put_group(8, 303, 1, false);
	ck_assert_int_eq(identify(&found), 0);
}
END_TEST

START_TEST(is_no_member)
{
	struct filesystem found;

	make_label("tank", 1, 2); /* no uberblock */
	ck_assert_int_eq(identify(&found), -ENODEV);
	put_group(4, 302, 1, false);
	ck_assert_int_eq(identify(&found), 0);
	disk[16384] = 0; /* not XDR */
	ck_assert_int_eq(identify(&found), -ENODEV);
	make_label("tank", 0, 2); /* a spare has no pool */
	put_group(4, 302, 1, false);
	ck_assert_int_eq(identify(&found), -ENODEV);
	/* ext's superblock takes precedence: a label may be left over from before it. */
	make_label("tank", 1, 2);
	put_group(4, 302, 1, false);
	put_le16(disk + 1024 + 0x38, 0xef53);
	ck_assert_int_eq(identify(&found), 0);
	ck_assert_str_eq(found.type, "ext");
}
END_TEST

/* Whatever the bytes of a label: an answer, and no read beyond the page. */
START_TEST(survives_any_label)
{
	static const unsigned char masks[] = { 0x01, 0x04, 0x80, 0xff };
	unsigned char *page = malloc(FILESYSTEM_PAGE);
	char name[POOL_NAME_SIZE];
	size_t length;

	make_label("tank", 1, 2);
	length = (size_t)(at - disk);
	for (size_t i = 16384; i < length; i++) {
		for (size_t m = 0; m < sizeof(masks); m++) {
			int r;

			disk[i] ^= masks[m];
			r = filesystem_pool_name(&source, page, name);
			ck_assert(r == -ENODEV || (r == 0 && *name));
			disk[i] ^= masks[m];
		}
	}
	/* Filled to the end with pairs. */
	at = disk + 16384 + 12;
	while (at + 32 <= disk + 16384 + 4096)
		put_number("guid", 5);
	memset(at, 0xff, (size_t)(disk + 16384 + 4096 - at));
	ck_assert_int_eq(filesystem_pool_name(&source, page, name), -ENODEV);
	memset(disk + 16384 + 12, 0xff, 4096 - 12);
	ck_assert_int_eq(filesystem_pool_name(&source, page, name), -ENODEV);
	free(page);
}
END_TEST

START_TEST(names_are_printable)
{
	unsigned char page[FILESYSTEM_PAGE];
	char name[POOL_NAME_SIZE], longest[400];

	make_label("ta\033nk", 1, 2);
	ck_assert_int_eq(filesystem_pool_name(&source, page, name), 0);
	ck_assert_str_eq(name, "ta?nk");
	memset(longest, 'x', sizeof(longest));
	longest[255] = '\0';
	make_label(longest, 1, 2);
	ck_assert_int_eq(filesystem_pool_name(&source, page, name), 0);
	longest[255] = 'x';
	longest[256] = '\0';
	make_label(longest, 1, 2);
	ck_assert_int_eq(filesystem_pool_name(&source, page, name), -ENODEV);
}
END_TEST

static struct mounted mounted;
static struct filesystems stamps;

static void make(void)
{
	made_root_create();
	settled = 0;
	for (char letter = 'a'; letter <= 'd'; letter++) {
		char path[100], target[100];

		snprintf(path, sizeof(path), "/sys/devices/x/block/sd%c/device/wwid", letter);
		made_put(path, "S\n");
		snprintf(path, sizeof(path), "/sys/class/block/sd%c", letter);
		snprintf(target, sizeof(target), "../../devices/x/block/sd%c", letter);
		made_link(path, target);
	}
	put_member("/dev/sda", "tank", 1, 11, 300);
	put_member("/dev/sdb", "tank", 1, 12, 299);
	put_member("/dev/sdc", "other", 2, 21, 40);
	made_put("/dev/sdd", "nothing");
	made_put("/proc/self/mountinfo", "30 1 0:50 / / rw - zfs tank/root rw,xattr\n"
					 "31 1 0:51 / /home rw - zfs tank/home rw\n");
}

static void end(void)
{
	mounted_close(&mounted);
	filesystems_free(&stamps);
	made_root_remove();
}

static void open_all(size_t count)
{
	ck_assert_int_eq(mounted_open(made_root, &mounted, &stamps), 0);
	mounted_settle(&mounted);
	mounted_stamp(&mounted, &stamps);
	ck_assert_uint_eq(stamps.items.count, count);
}

START_TEST(opens_every_member)
{
	struct filesystem now;

	open_all(2);
	for (size_t i = 0; i < 2; i++) {
		const struct filesystem *item = &stamps.items.items[i];

		ck_assert_str_eq(item->type, "zfs");
		ck_assert_uint_eq(item->unstamped, FILESYSTEM_STAMPED);
		ck_assert_str_eq(item->place, "/");
		ck_assert_str_eq(item->device, i ? "/dev/sdb" : "/dev/sda");
		ck_assert_str_eq(item->identity, "disk S");
		ck_assert_uint_eq(get_le64(item->member), 11 + i);
		ck_assert_uint_eq(get_le64(item->stamp), 300 - i);
	}
	/* What is in memory has been written by then. */
	ck_assert_int_eq(settled, 6);
	ck_assert_int_eq(mounted_look_again(&mounted, 0, &now), MOUNTED_SAME);
	put_member("/dev/sda", "tank", 1, 11, 301);
	ck_assert_int_eq(mounted_look_again(&mounted, 0, &now), MOUNTED_CHANGED);
	ck_assert_int_eq(mounted_look_again(&mounted, 1, &now), MOUNTED_SAME);
}
END_TEST

/* As the module is set. */
START_TEST(waits_as_long_as_the_module_does)
{
	made_put("/sys/module/zfs/parameters/zfs_txg_timeout", _i == 0 ? "9\n" : "5000\n");
	open_all(2);
	ck_assert_int_eq(settled, _i == 0 ? 10 : 31);
}
END_TEST

/* Two pools with that name: only the kernel knows which it is. */
START_TEST(asks_which_pool_it_is)
{
	put_member("/dev/sdc", "tank", 2, 21, 40);
	open_all(1);
	ck_assert_uint_eq(stamps.items.items[0].unstamped, FILESYSTEM_UNKNOWN);
	ck_assert_str_eq(stamps.items.items[0].device, "tank/root");
	ck_assert_str_eq(stamps.items.items[0].type, "zfs");
	ck_assert_int_eq(settled, 0);
	mounted_close(&mounted);
	filesystems_free(&stamps);
	made_put("/proc/spl/kstat/zfs/tank/guid", "2\n");
	open_all(1);
	ck_assert_str_eq(stamps.items.items[0].device, "/dev/sdc");
}
END_TEST

START_TEST(names_a_pool_without_members)
{
	made_put("/proc/self/mountinfo", "30 1 0:50 / /a rw - zfs gone/a rw\n"
					 "31 1 0:51 / /b rw - zfs gone/b rw\n");
	open_all(1);
	ck_assert_uint_eq(stamps.items.items[0].unstamped, FILESYSTEM_UNKNOWN);
	ck_assert_str_eq(stamps.items.items[0].device, "gone/a");
	ck_assert_int_eq(settled, 0);
}
END_TEST

/* Before a resume. */
START_TEST(finds_members_again)
{
	struct filesystems found;

	open_all(2);
	put_member("/dev/sdb", "tank", 1, 12, 400);
	ck_assert_int_eq(filesystems_look(made_root, &stamps, &found), 0);
	for (size_t i = 0; i < found.items.count; i++) {
		const struct filesystem *item = &found.items.items[i];
		bool first = filesystem_same(item, &stamps.items.items[0]);

		ck_assert(first || filesystem_same(item, &stamps.items.items[1]));
		ck_assert_int_eq(filesystem_unchanged(&stamps.items.items[first ? 0 : 1], item),
				 first);
	}
	ck_assert_uint_ge(found.items.count, 2);
	filesystems_free(&found);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *label = test_case(suite, "label"), *pool = test_case(suite, "pool");

	tcase_add_loop_test(label, finds_the_last_group, 0, 2);
	tcase_add_test(label, does_not_stamp_a_shared_pool);
	tcase_add_test(label, is_no_member);
	tcase_add_test(label, survives_any_label);
	tcase_add_test(label, names_are_printable);
	tcase_add_checked_fixture(pool, make, end);
	tcase_add_test(pool, opens_every_member);
	tcase_add_loop_test(pool, waits_as_long_as_the_module_does, 0, 2);
	tcase_add_test(pool, asks_which_pool_it_is);
	tcase_add_test(pool, names_a_pool_without_members);
	tcase_add_test(pool, finds_members_again);
}
