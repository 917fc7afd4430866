/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name that resume= gets: made devices, for which libblkid and sysfs report what each
 * test needs. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_disk.h"
#include "fixtures/machine/made_tree.h"
#include "swap/area_name.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DEVICE "/dev/sda2"

static struct {
	const char *uuid, *uuid_sub, *part_uuid; /* NULL: it has none */
	int open_error, probe;			 /* of libblkid */
	bool no_cache, no_node;
	const char *others[3]; /* devices with the same UUID */
	size_t next_other;
} disk;

blkid_probe __wrap_blkid_new_probe_from_filename(const char *path);
int __wrap_blkid_do_safeprobe(blkid_probe probe);
int __wrap_blkid_probe_lookup_value(blkid_probe probe, const char *name, const char **ret,
				    size_t *ret_length);
int __wrap_blkid_get_cache(blkid_cache *ret, const char *path);
int __wrap_blkid_probe_all(blkid_cache cache);
void __wrap_blkid_put_cache(blkid_cache cache);
blkid_dev_iterate __wrap_blkid_dev_iterate_begin(blkid_cache cache);
int __wrap_blkid_dev_set_search(blkid_dev_iterate all, const char *type, const char *value);
int __wrap_blkid_dev_next(blkid_dev_iterate all, blkid_dev *ret);
void __wrap_blkid_dev_iterate_end(blkid_dev_iterate all);
const char *__wrap_blkid_dev_devname(blkid_dev device);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat(const char *path, struct stat *st);

blkid_probe __wrap_blkid_new_probe_from_filename(const char *path)
{
	ck_assert_str_eq(path, DEVICE);
	errno = disk.open_error;
	return disk.open_error ? NULL : blkid_new_probe();
}

int __wrap_blkid_do_safeprobe(blkid_probe probe)
{
	(void)probe;
	return disk.probe;
}

int __wrap_blkid_probe_lookup_value(blkid_probe probe, const char *name, const char **ret,
				    size_t *ret_length)
{
	const char *value = strcmp(name, "UUID") == 0	    ? disk.uuid
			    : strcmp(name, "UUID_SUB") == 0 ? disk.uuid_sub
							    : disk.part_uuid;

	(void)probe;
	(void)ret_length;
	if (!value)
		return -1;
	*ret = value;
	return 0;
}

int __wrap_blkid_get_cache(blkid_cache *ret, const char *path)
{
	ck_assert_str_eq(path, "/dev/null"); /* the system's own stays as it is */
	*ret = (blkid_cache)&disk;
	return disk.no_cache ? -1 : 0;
}

int __wrap_blkid_probe_all(blkid_cache cache)
{
	ck_assert_ptr_eq(cache, (blkid_cache)&disk);
	return 0;
}

void __wrap_blkid_put_cache(blkid_cache cache)
{
	ck_assert_ptr_eq(cache, (blkid_cache)&disk);
}

blkid_dev_iterate __wrap_blkid_dev_iterate_begin(blkid_cache cache)
{
	(void)cache;
	disk.next_other = 0;
	return (blkid_dev_iterate)&disk;
}

int __wrap_blkid_dev_set_search(blkid_dev_iterate all, const char *type, const char *value)
{
	(void)all;
	ck_assert_str_eq(type, "UUID");
	ck_assert_str_eq(value, disk.uuid);
	return 0;
}

int __wrap_blkid_dev_next(blkid_dev_iterate all, blkid_dev *ret)
{
	(void)all;
	if (disk.next_other == ARRAY_SIZE(disk.others) || !disk.others[disk.next_other])
		return -1;
	*ret = (blkid_dev)&disk.others[disk.next_other++];
	return 0;
}

void __wrap_blkid_dev_iterate_end(blkid_dev_iterate all)
{
	ck_assert_ptr_eq(all, (blkid_dev_iterate)&disk);
}

const char *__wrap_blkid_dev_devname(blkid_dev device)
{
	return *(const char **)device;
}

/* Nodes: sda2 under two names, and sdb2. */
int __wrap_stat(const char *path, struct stat *st)
{
	static const struct {
		const char *end;
		unsigned int minor;
	} nodes[] = {
		{ "/dev/sda2", 2 },
		{ "/dev/block/8:2", 2 },
		{ "/dev/sdb2", 18 },
	};
	size_t length = strlen(path);

	if (disk.no_node && strcmp(path, DEVICE) == 0) {
		errno = ENOENT;
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		size_t end = strlen(nodes[i].end);

		if (length < end || strcmp(path + length - end, nodes[i].end) != 0)
			continue;
		*st = (struct stat){ .st_mode = S_IFBLK, .st_rdev = makedev(8, nodes[i].minor) };
		return 0;
	}
	return __real_stat(path, st);
}

static void setup(void)
{
	made_create();
	memset(&disk, 0, sizeof(disk));
	made_device("8:2", "sda2", "partition", "2\n");
}

static void named(const char *expected)
{
	struct why w = { "" };
	char name[64];
	int r = area_name(made_root, makedev(8, 2), DEVICE, name, sizeof(name), &w);

	ck_assert_msg(r == 0, "%d: %s", r, w.text);
	ck_assert_str_eq(name, expected);
}

static void fails(int error, const char *words)
{
	struct why w = { "" };
	char name[64];
	int r = area_name(made_root, makedev(8, 2), DEVICE, name, sizeof(name), &w);

	ck_assert_int_eq(r, error);
	ck_assert_msg(strstr(w.text, words) != NULL, "%s", w.text);
}

START_TEST(by_uuid)
{
	disk.uuid = "12-ab";
	disk.part_uuid = "1-02";
	named("UUID=12-ab");
	/* One device of a btrfs, which has no other. */
	disk.uuid_sub = "34-cd";
	disk.others[0] = DEVICE;
	disk.others[1] = "/dev/block/8:2";
	disk.others[2] = "/dev/gone";
	named("UUID=12-ab");
}
END_TEST

/* Of several devices of a btrfs the initramfs would take any. */
START_TEST(shared_uuid)
{
	disk.uuid = "12-ab";
	disk.uuid_sub = "34-cd";
	disk.part_uuid = "1-02";
	disk.others[0] = DEVICE;
	disk.others[1] = "/dev/sdb2";
	named("PARTUUID=1-02");
	disk.others[0] = "/dev/sdb2";
	disk.others[1] = DEVICE;
	named("PARTUUID=1-02");
}
END_TEST

/* If it is unknown whether others have it, it is not used. */
START_TEST(unknown_others)
{
	disk.uuid = "12-ab";
	disk.uuid_sub = "34-cd";
	disk.part_uuid = "1-02";
	disk.no_cache = true;
	named("PARTUUID=1-02");
	disk.no_cache = false;
	disk.no_node = true;
	named("PARTUUID=1-02");
}
END_TEST

START_TEST(by_mapper)
{
	made_device("8:2", "dm-2", "dm/name", "vg-swap\n");
	disk.part_uuid = "1-02";
	named("/dev/mapper/vg-swap");
	disk.uuid = "12-ab";
	named("UUID=12-ab");
	disk.uuid = NULL;
	/* A name that does not fit is none. */
	made_device("8:2", "dm-2", "dm/name",
		    "a-name-of-more-characters-than-there-is-room-for-in-this-test\n");
	named("PARTUUID=1-02");
}
END_TEST

START_TEST(by_partition)
{
	named(DEVICE);
	disk.part_uuid = "1-02";
	named("PARTUUID=1-02");
}
END_TEST

/* Values that are too long are ignored, and never truncated. */
START_TEST(long_names)
{
	disk.uuid = "0123456789012345678901234567890123456789012345678901234567890123456789";
	disk.part_uuid = "1-02";
	named("PARTUUID=1-02");
	disk.uuid = "012345678901234567890123456789012345678901234567890123456789012";
	fails(-ENAMETOOLONG, "the name of " DEVICE " is too long");
}
END_TEST

START_TEST(device_that_fails)
{
	disk.uuid = "12-ab";
	disk.open_error = EACCES;
	fails(-EIO, DEVICE " cannot be read: Permission denied");
	disk.open_error = 0;
	disk.probe = -2; /* several file systems seem to be there */
	fails(-EIO, DEVICE ": its content cannot be identified");
	disk.probe = -1;
	fails(-EIO, DEVICE ": its content cannot be identified");
	disk.probe = 1; /* nothing is */
	named(DEVICE);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "area_name");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, by_uuid);
	tcase_add_test(tcase, shared_uuid);
	tcase_add_test(tcase, unknown_others);
	tcase_add_test(tcase, by_mapper);
	tcase_add_test(tcase, by_partition);
	tcase_add_test(tcase, long_names);
	tcase_add_test(tcase, device_that_fails);
}
