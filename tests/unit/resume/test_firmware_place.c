/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place that the firmware names: when efivarfs is mounted for it, what is read, and that it is
 * good for one boot. */
#include "base/bytes.h"
#include "boot/hibernate_location.h"
#include "fixtures/check_main.h"
#include "config/target.h"
#include "fixtures/machine/made_root.h"
#include "resume/place/efi_variables.h"
#include "resume/place/firmware_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DIRECTORY "/sys/firmware/efi/efivars"
#define UUID "0f2a4c6e-1b3d-4f50-8a9b-c0d1e2f30415"

static int mounts, error;
static bool kept; /* by the firmware: to be seen once it is mounted */
static struct settings settings;

/* What the variable leads to, and what the settings name: -ENODEV, or their offset. */
static int led, named;
static unsigned int resolved, looked;
static const struct swap_area swap = { .dev = 0x802, .offset = 5 }; /* 8:2 */

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w);
int __wrap_target_find(const struct settings *with, const char *root, bool running,
		       struct swap_area *ret, struct why *w);

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data);
int __wrap_umount2(const char *target, int flags);

/* By s2disk, before the machine powered off. */
static void leave_word(void)
{
	made_put("/run/udev/data/b8:2", "E:ID_FS_UUID=" UUID "\n");
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(8, 2), 5, NULL), 0);
}

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	(void)data;
	ck_assert_str_eq(source, "efivarfs");
	ck_assert_str_eq(target, DIRECTORY);
	ck_assert_str_eq(type, "efivarfs");
	ck_assert_uint_eq(flags, MS_NOSUID | MS_NODEV | MS_NOEXEC);
	errno = error;
	if (error)
		return -1;
	mounts++;
	if (kept)
		leave_word();
	return 0;
}

int __wrap_swap_area_resolve(const char *spec, uint64_t offset, bool allow_file,
			     struct swap_area *ret, struct why *w)
{
	(void)w;
	ck_assert_str_eq(spec, "UUID=" UUID);
	ck_assert_uint_eq(offset, 5);
	ck_assert(!allow_file);
	resolved++;
	if (led < 0)
		return led;
	*ret = (struct swap_area){ .dev = makedev(8, 2), .offset = 5 };
	return 0;
}

int __wrap_target_find(const struct settings *with, const char *root, bool running,
		       struct swap_area *ret, struct why *w)
{
	(void)w;
	ck_assert_ptr_eq(with, &settings);
	ck_assert_str_eq(root, made_root);
	ck_assert(!running);
	looked++;
	if (named < 0)
		return named;
	*ret = (struct swap_area){ .dev = makedev(8, 2), .offset = (uint64_t)named };
	return 0;
}

int __wrap_umount2(const char *target, int flags)
{
	ck_assert_str_eq(target, DIRECTORY);
	ck_assert_int_eq(flags, MNT_DETACH);
	mounts--;
	return 0;
}

/* An initramfs of this system. */
static void make(void)
{
	made_root_create();
	firmware_place_end(); /* of the test before */
	mounts = error = led = 0;
	named = 5;
	resolved = looked = 0;
	kept = false;
	settings_defaults(&settings);
	made_put("/etc/initrd-release", "ID=debian\n");
	made_directory(DIRECTORY);
}

static bool is_there(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", made_root, HIBERNATE_LOCATION_FILE);
	return access(path, F_OK) == 0;
}

START_TEST(takes_the_place)
{
	leave_word();
	firmware_place_read(made_root, &settings);
	ck_assert_str_eq(settings.default_device, "UUID=" UUID);
	ck_assert_uint_eq(settings.default_offset, 5);
	ck_assert(settings.default_by_firmware);
	/* It was mounted already. */
	firmware_place_end();
	ck_assert_int_eq(mounts, 0);
	ck_assert(is_there());
	/* However it is called now. */
	firmware_place_clear(made_root, &settings, &(struct swap_area){ .dev = makedev(8, 9) },
			     true);
	ck_assert(!is_there());
	firmware_place_clear(made_root, &settings, NULL, true);
	ck_assert_uint_eq(resolved + looked, 0);
}
END_TEST

static const struct {
	struct swap_area area; /* that was looked at; dev 0: none */
	int led, named;
	bool stays;
} others[] = {
	{ { .dev = 0x802, .offset = 5 }, 0, 0, false },
	{ { .dev = 0x802, .offset = 6 }, 0, 5, true },
	{ { .dev = 0x801, .offset = 5 }, 0, 5, true },
	{ { .dev = 0x802, .offset = 5 }, -ENODEV, 5, true },
	/* At the end of the initramfs. */
	{ { .dev = 0 }, 0, 5, false },
	{ { .dev = 0 }, 0, 6, true },
	{ { .dev = 0 }, 0, -ENODEV, true },
};

/* Another place was named, as in suspend.conf(5): systemd's image may be where the variable
 * leads. */
START_TEST(leaves_what_leads_elsewhere)
{
	const struct swap_area *area = others[_i].area.dev ? &others[_i].area : NULL;

	led = others[_i].led;
	named = others[_i].named;
	/* There is none: then no device is looked for. */
	firmware_place_clear(made_root, &settings, area, true);
	ck_assert_uint_eq(resolved + looked, 0);
	leave_word();
	firmware_place_clear(made_root, &settings, area, true);
	ck_assert_int_eq(is_there(), others[_i].stays);
}
END_TEST

/* Nothing had to be read from it before. */
START_TEST(mounts_it_to_delete)
{
	kept = true;
	firmware_place_clear(made_root, &settings, _i == 0 ? &swap : NULL, false);
	ck_assert_int_eq(mounts, 0);
	firmware_place_clear(made_root, &settings, _i == 0 ? &swap : NULL, true);
	ck_assert_int_eq(mounts, 1);
	ck_assert(!is_there());
	firmware_place_end();
	ck_assert_int_eq(mounts, 0);
}
END_TEST

static void expect_nothing(void)
{
	firmware_place_read(made_root, &settings);
	ck_assert_str_eq(settings.default_device, "");
	ck_assert_uint_eq(settings.default_offset, 0);
	ck_assert(!settings.default_by_firmware);
}

START_TEST(mounts_what_is_not)
{
	expect_nothing();
	ck_assert_int_eq(mounts, 1);
	expect_nothing();
	ck_assert_int_eq(mounts, 1);
	firmware_place_end();
	firmware_place_end();
	ck_assert_int_eq(mounts, 0);
	error = ENODEV;
	expect_nothing();
	firmware_place_end();
	ck_assert_int_eq(mounts, 0);
	/* No UEFI. */
	error = 0;
	ck_assert(made_shell("rmdir ." DIRECTORY));
	expect_nothing();
	ck_assert_int_eq(mounts, 0);
}
END_TEST

/* To unmount them is for the one who mounted them. */
START_TEST(mounts_once)
{
	ck_assert(efi_variables_mount(made_root));
	ck_assert(!efi_variables_mount(made_root));
	efi_variables_unmount();
	ck_assert_int_eq(mounts, 0);
	error = EPERM;
	ck_assert(!efi_variables_mount(made_root));
	error = 0;
	leave_word();
	ck_assert(!efi_variables_mount(made_root));
	ck_assert_int_eq(mounts, 0);
}
END_TEST

START_TEST(leaves_what_is_of_another_system)
{
	leave_word();
	made_put("/etc/initrd-release", "ID=fedora\n");
	made_put("/etc/os-release", "ID=fedora\n");
	expect_nothing();
	firmware_place_clear(made_root, &settings, &swap, true);
	ck_assert(is_there());
}
END_TEST

/* A hand-started resume does not take the next boot's word away, and mounts nothing. */
START_TEST(leaves_it_in_the_running_system)
{
	leave_word();
	ck_assert(made_shell("mv etc/initrd-release etc/os-release"));
	firmware_place_clear(made_root, &settings, &swap, true);
	ck_assert(is_there());
	ck_assert(made_shell("rm ." HIBERNATE_LOCATION_FILE));
	expect_nothing();
	firmware_place_clear(made_root, &settings, &swap, true);
	ck_assert_int_eq(mounts, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "firmware_place");

	tcase_add_checked_fixture(test, make, made_root_remove);
	tcase_add_test(test, takes_the_place);
	tcase_add_loop_test(test, leaves_what_leads_elsewhere, 0, (int)ARRAY_SIZE(others));
	tcase_add_loop_test(test, mounts_it_to_delete, 0, 2);
	tcase_add_test(test, mounts_what_is_not);
	tcase_add_test(test, mounts_once);
	tcase_add_test(test, leaves_what_is_of_another_system);
	tcase_add_test(test, leaves_it_in_the_running_system);
}
