/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-flight: file systems that another system writes to, and ZFS pools. */
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "preflight/preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static const struct check *run(const char *id)
{
	static const struct preflight_system system = { .euid = root_user,
							.entry_device = preflight_entry_device,
							.open_device = no_device };
	const struct preflight_target target = { .area_problem = "none" };
	struct settings settings;

	settings_defaults(&settings);
	preflight_run_on(&system, &settings, &target, made_root, &result);
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.checks[i].id, id) == 0)
			return &result.checks[i];
	return NULL;
}

static void expect(const char *id, const char *text)
{
	const struct check *check = run(id);

	ck_assert_msg(check != NULL, "no check %s for %s", id, text);
	ck_assert_int_eq(check->level, CHECK_WARNING);
	ck_assert_msg(strstr(check->text, text) != NULL, "text: %s", check->text);
	ck_assert(check->advice[0] != '\0');
	ck_assert_uint_lt(strlen(check->text), sizeof(check->text) - 1);
	ck_assert_uint_lt(strlen(check->advice), sizeof(check->advice) - 1);
}

static void mounts(const char *more)
{
	char text[8192];

	snprintf(
		text, sizeof(text),
		"22 1 259:5 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p5 rw\n"
		"40 22 259:1 / /boot/efi rw,relatime shared:9 - vfat /dev/nvme0n1p1 rw,fmask=0077\n"
		"%s",
		more);
	made_put("/proc/self/mountinfo", text);
}

#define NTFS(place, options, super) \
	"44 22 259:4 / " place " " options " shared:12 - ntfs3 /dev/nvme0n1p4 " super "\n"

#define SHARED "shared-mounts"

/* A machine with Linux alone has an EFI partition, too. */
START_TEST(linux_alone)
{
	mounts("");
	made_put("/boot/efi/EFI/debian/shimx64.efi", "");
	ck_assert_ptr_null(run(SHARED));
	ck_assert_ptr_null(run("zfs"));
	made_put("/proc/self/mountinfo", NULL);
	ck_assert_ptr_null(run(SHARED));
	made_put("/proc/self/mountinfo", "nonsense\n\n44 22 259:4 /\n");
	ck_assert_ptr_null(run(SHARED));
}
END_TEST

START_TEST(ntfs)
{
	mounts(NTFS("/mnt/da\\040ta", "rw,relatime", "rw,uid=1000"));
	expect(SHARED, "mounted for writing: /boot/efi (vfat), /mnt/da ta (ntfs3); if another");
	/* It belongs to Windows anyway, and so may the EFI partition. */
	mounts(NTFS("/mnt/data", "ro,relatime", "rw"));
	expect(SHARED, "mounted for writing: /boot/efi (vfat); if another");
	mounts(NTFS("/mnt/data", "rw,relatime", "ro,errors=continue"));
	expect(SHARED, "mounted for writing: /boot/efi (vfat); if another");
	mounts("47 22 259:6 / /mnt/games rw,norw shared:14 - fuseblk /dev/nvme0n1p6 "
	       "rw,user_id=0\n");
	expect(SHARED, "/mnt/games (fuseblk)");
	made_put("/proc/self/mountinfo",
		 "40 22 259:1 / /boot/efi ro - vfat /dev/sda1 rw\n" NTFS("/mnt", "ro", "ro"));
	ck_assert_ptr_null(run(SHARED));
}
END_TEST

/* Nor does one hide in a path that no call can open. */
START_TEST(long_path)
{
	static char line[5120];
	char *at = stpcpy(line, "44 22 259:4 / /");

	memset(at, 'a', 4096);
	strcpy(at + 4096, " rw - ntfs3 /dev/sda4 rw\n");
	mounts(line);
	expect(SHARED, "a path too long to show (ntfs3)");
}
END_TEST

/* An attribute word, EFI_LOAD_OPTION's attributes and length, then UTF-16. */
static void put_boot_option(const char *name, const char *title)
{
	unsigned char bytes[400] = { 7, 0, 0, 0, 1, 0, 0, 0, 0x74, 0 };
	char path[200];
	size_t length = 10;

	for (; *title; title++, length += 2)
		bytes[length] = (unsigned char)*title;
	snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s", name);
	made_put_bytes(path, bytes, length + 2);
}

#define GLOBAL "-8be4df61-93ca-11d2-aa0d-00e098032b8c"

START_TEST(firmware_boots_windows)
{
	mounts("");
	put_boot_option("Boot0000" GLOBAL, "debian");
	put_boot_option("BootOrder" GLOBAL, "Windows Boot Manager");
	put_boot_option("Boot0002-00000000-93ca-11d2-aa0d-00e098032b8c", "Windows Boot Manager");
	put_boot_option("Boot00A1x" GLOBAL, "Windows Boot Manager");
	put_boot_option("Boot0003" GLOBAL, "Windows Boot Manage");
	ck_assert_ptr_null(run(SHARED));
	put_boot_option("Boot00A1" GLOBAL, "Windows Boot Manager");
	expect(SHARED, "mounted for writing: /boot/efi (vfat); if another");
	put_boot_option("Boot00A1" GLOBAL, "x \\EFI\\MICROSOFT\\BOOT\\BOOTMGFW.EFI");
	expect(SHARED, "mounted for writing: /boot/efi (vfat); if another");
	put_boot_option("Boot00A1" GLOBAL, "Mac OS X");
	expect(SHARED, "mounted for writing: /boot/efi (vfat); if another");
	put_boot_option("Boot00A1" GLOBAL, "Fedora");
	ck_assert_ptr_null(run(SHARED));
}
END_TEST

START_TEST(loader_of_windows)
{
	mounts("50 22 8:17 / /media/stick rw - exfat /dev/sdb1 rw\n");
	ck_assert_ptr_null(run(SHARED));
	made_put("/boot/efi/EFI/Microsoft/Boot/bootmgfw.efi", "");
	expect(SHARED, "mounted for writing: /boot/efi (vfat), /media/stick (exfat); if another");
}
END_TEST

START_TEST(many)
{
	char text[4096] = "", line[200];

	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), NTFS("/mnt/data%d", "rw", "rw"), i);
		strcat(text, line);
	}
	mounts(text);
	expect(SHARED, ", and 10 more; if another");
	memset(line, 'x', 150);
	strcpy(line + 150, "");
	text[0] = '\0';
	strcat(strcat(strcat(text, "44 22 259:4 / /"), line), line);
	strcat(text, " rw - ntfs3 /dev/sda1 rw\n");
	made_put("/proc/self/mountinfo", text);
	expect(SHARED, "mounted for writing: 1 more; if another");
}
END_TEST

START_TEST(zfs_pools)
{
	mounts("60 22 0:50 / /home rw - zfs rpool/home rw\n61 22 0:51 / /srv rw - zfs rpool/srv "
	       "rw\n");
	expect("zfs", "in use: rpool (pool); a boot");
	/* The kernel knows also those of which nothing is mounted. */
	made_put("/proc/spl/kstat/zfs/arcstats", "x");
	made_put("/proc/spl/kstat/zfs/tank/state", "ONLINE\n");
	expect("zfs", "in use: tank (pool); a boot");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "preflight_shared");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, linux_alone);
	tcase_add_test(tcase, ntfs);
	tcase_add_test(tcase, long_path);
	tcase_add_test(tcase, firmware_boots_windows);
	tcase_add_test(tcase, loader_of_windows);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, zfs_pools);
}
