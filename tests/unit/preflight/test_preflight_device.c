/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: all kinds of devices below the area. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "preflight/preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static struct settings settings;
static struct swap_area area;
static struct preflight result;

static uid_t root_user(void)
{
	return 0;
}

static int no_device(const char *path, int flags, mode_t kind)
{
	(void)path, (void)flags, (void)kind;
	return -ENOENT;
}

static bool find_entry(const struct swap_area *wanted, const struct swap_entry *entries,
		       size_t count, struct swap_entry *ret)
{
	(void)wanted, (void)entries, (void)count, (void)ret;
	return false;
}

static const struct check *find(const char *id)
{
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.checks[i].id, id) == 0)
			return &result.checks[i];
	return NULL;
}

static const struct check *run(void)
{
	static const struct preflight_system system = { .euid = root_user,
							.entry_device = preflight_entry_device,
							.open_device = no_device,
							.find_entry = find_entry };
	const struct preflight_target target = { .area = &area };

	preflight_run_on(&system, &settings, &target, made_root, &result);
	return find("swap-device");
}

static void expect(enum check_level level, const char *text, const char *advice)
{
	const struct check *check = run();

	ck_assert_ptr_nonnull(check);
	ck_assert_msg(check->level == level, "level %d: %s", check->level, check->text);
	ck_assert_msg(strstr(check->text, text) != NULL, "text: %s", check->text);
	ck_assert_msg(strstr(check->advice, advice) != NULL, "advice: %s", check->advice);
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

static void setup(void)
{
	made_root_create();
	settings_defaults(&settings);
	settings.way_back = WAY_BACK_IGNORE; /* has a test of its own */
	area = (struct swap_area){ .dev = makedev(253, 1) };
	strcpy(area.name, "/dev/mapper/swap");
	strcpy(area.device, "/dev/dm-1");
}

static void put_device(const char *numbers, const char *name, const char *uuid)
{
	char path[128], text[128];

	snprintf(path, sizeof(path), "/sys/dev/block/%s/uevent", numbers);
	snprintf(text, sizeof(text), "DEVNAME=%s\n", name);
	made_put(path, text);
	if (!uuid)
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%s/dm/name", numbers);
	made_put(path, "vg-swap\n");
	snprintf(path, sizeof(path), "/sys/dev/block/%s/dm/uuid", numbers);
	made_put(path, uuid);
}

START_TEST(sound_areas)
{
	put_device("253:1", "dm-1", "LVM-abc\n");
	made_put("/sys/dev/block/253:1/slaves/sda3/dev", "8:3\n");
	put_device("8:3", "sda3", NULL);
	made_put("/sys/dev/block/8:3/partition", "3\n");
	expect(CHECK_OK, "an image can be written there: LVM vg-swap on partition sda3", "");
	area.dev = makedev(8, 3);
	expect(CHECK_OK, "an image can be written there: partition sda3", "");
}
END_TEST

/* What the tool for swap files refused, is refused for partitions and by s2disk. */
START_TEST(refused_areas)
{
	put_device("253:1", "dm-1", "CRYPT-PLAIN-vg-swap\n");
	expect(CHECK_FAILED, "/dev/mapper/swap: it is on vg-swap, dm-crypt without a LUKS header",
	       "use LUKS, or name the key file there");
	made_put("/etc/crypttab", "vg-swap UUID=1 /dev/urandom swap\n");
	expect(CHECK_FAILED, "whose key is random at every boot", "use LUKS");
	made_put("/etc/crypttab", NULL);
	put_device("253:1", "dm-1", "LVM-abc\n");
	made_put("/sys/dev/block/253:1/slaves/dm-4/dev", "253:4\n");
	put_device("253:4", "dm-4", "LVM-abd-tpool\n");
	expect(CHECK_FAILED, "(thin pool), which updates its own metadata", "use a partition");
	put_device("253:1", "zd0", NULL);
	expect(CHECK_FAILED, "ZFS volume zd0", "use a partition");
	put_device("253:1", "nbd0", NULL);
	expect(CHECK_FAILED, "over the network", "use a local disk");
	put_device("253:1", "loop0", NULL);
	made_put("/sys/dev/block/253:1/loop/backing_file", "/a;b\n");
	expect(CHECK_FAILED, "over /a;b), which does not exist yet", "use a swap file on the file");
	ck_assert_int_eq(find("swap-device")->advice[0], 'u');
}
END_TEST

/* The longest names there can be leave no sentence cut. */
START_TEST(long_names)
{
	char line[200];

	memset(area.name, 'n', sizeof(area.name) - 1);
	memset(line, 'm', sizeof(line) - 1);
	line[127] = '\n';
	line[128] = '\0';
	put_device("253:1", "dm-1", "LVM-a-tpool\n");
	made_put("/sys/dev/block/253:1/dm/name", line);
	run();
	ck_assert_ptr_nonnull(strstr(find("swap-device")->advice, "use a partition"));
}
END_TEST

START_TEST(areas_that_cannot_be_checked)
{
	expect(CHECK_OK, "sysfs does not show the devices below /dev/dm-1", "");
	put_device("253:1", "dm-1", "LVM-abc\n");
	made_put("/sys/dev/block/253:1/slaves/sda3/dev", "8:3\n");
	expect(CHECK_WARNING, "could not be checked: not all of them", "lsblk -s /dev/dm-1");
	put_device("253:1", "dm-1", "LVM-abc\n");
	for (int i = 1; i < 80; i++) {
		char numbers[32], path[64], below[32];

		snprintf(numbers, sizeof(numbers), "253:%d", i);
		snprintf(path, sizeof(path), "/sys/dev/block/%s/slaves/x/dev", numbers);
		snprintf(below, sizeof(below), "253:%d\n", i + 1);
		put_device(numbers, "dm-x", "LVM-abc\n");
		made_put(path, below);
	}
	expect(CHECK_WARNING, "could not be checked: more than 64 devices", "lsblk -s /dev/dm-1");
}
END_TEST

START_TEST(memory_is_refused_once)
{
	strcpy(area.name, "/dev/zram0");
	strcpy(area.device, "/dev/zram0");
	put_device("253:1", "zram0", NULL);
	ck_assert_ptr_null(run());
	ck_assert_int_eq(find("swap-area")->level, CHECK_FAILED);
}
END_TEST

/* The image is on the disk of the system, other swap is not. */
START_TEST(swap_on_a_disk_that_is_wiped)
{
	char numbers[32], path[128];
	struct stat st;

	run();
	ck_assert_ptr_null(find("swap-wiped"));
	made_put("/mnt/swapfile", "x");
	made_put("/proc/swaps", "Filename Type Size Used Priority\n"
				"/swapfile file 1024 0 -2\n/mnt/swapfile file 1024 0 -3\n");
	ck_assert_int_eq(stat(made_root, &st), 0);
	snprintf(numbers, sizeof(numbers), "%u:%u", major(st.st_dev), minor(st.st_dev));
	put_device(numbers, "nvme1n1", NULL);
	run();
	ck_assert_ptr_null(find("swap-wiped"));
	snprintf(path, sizeof(path), "/sys/dev/block/%s/device/model", numbers);
	made_put(path, "Amazon EC2 NVMe Instance Storage\n");
	run();
	ck_assert_ptr_nonnull(find("swap-wiped"));
	ck_assert_int_eq(find("swap-wiped")->level, CHECK_FAILED);
	ck_assert_ptr_nonnull(strstr(find("swap-wiped")->text,
				     "/mnt/swapfile is on nvme1n1 (instance store of EC2)"));
	ck_assert_ptr_nonnull(strstr(find("swap-wiped")->advice, "swapoff /mnt/swapfile"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_device");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, sound_areas);
	tcase_add_test(tcase, refused_areas);
	tcase_add_test(tcase, long_names);
	tcase_add_test(tcase, areas_that_cannot_be_checked);
	tcase_add_test(tcase, memory_is_refused_once);
	tcase_add_test(tcase, swap_on_a_disk_that_is_wiped);
}
