/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firmware's variables say of the next boot, and what the pre-flight makes of it. */
#include "base/bytes.h"
#include "boot/efi_variable.h"
#include "boot/firmware_plan.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"
#include "preflight/preflight_private.h"

#include <stdio.h>
#include <string.h>

#define FWUPD "fwupd-d5a0a2b2-3d1c-4f6e-9f05-0123456789ab-0-0abba7dc-e516-4167-bbf5-4d9d1c739416"
#define INDICATIONS "OsIndications-" EFI_VENDOR_GLOBAL
#define COUNT "MTC-eb704011-1402-11d3-8e77-00a0c969723b"

/* As efivarfs shows it: attributes, then the value. */
static void put_variable(const char *name, const void *value, size_t length)
{
	unsigned char bytes[600] = { 7 };
	char path[200];

	memcpy(bytes + 4, value, length);
	snprintf(path, sizeof(path), EFI_VARIABLES_PATH "/%s", name);
	made_put_bytes(path, bytes, length + 4);
}

static void put_count(uint32_t count)
{
	unsigned char value[4];

	put_le32(value, count);
	put_variable(COUNT, value, sizeof(value));
}

static void put_fwupd(uint32_t status, size_t length)
{
	unsigned char value[80] = { 7 };

	put_le32(value + 48, status);
	put_variable(FWUPD, value, length);
}

static void put_indications(uint64_t bits)
{
	unsigned char value[8];

	put_le64(value, bits);
	put_variable(INDICATIONS, value, sizeof(value));
}

START_TEST(variables_say)
{
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_STAYS);
	put_count(2);
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_STAYS);
	put_count(1);
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_IS_NEW);
	put_fwupd(2, 80); /* attempted at an earlier boot */
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_IS_NEW);
	put_fwupd(1, 51);
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_IS_NEW);
	put_fwupd(1, 80);
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_UPDATES);
	put_fwupd(2, 80);
	put_count(7);
	put_indications(1); /* start the firmware's menu */
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_STAYS);
	put_indications(5);
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_UPDATES);
}
END_TEST

START_TEST(other_sizes_say_nothing)
{
	put_variable(COUNT, "\1\0\0\0\0\0\0\0", 8);
	put_variable(INDICATIONS, "\4", 1);
	put_variable("fwupd-0abba7dc-e516-4167-bbf5-4d9d1c739416", "", 0);
	put_variable("other-0abba7dc-e516-4167-bbf5-4d9d1c739416", "\1\1\1\1", 4);
	ck_assert_int_eq(firmware_plan_read(made_root), FIRMWARE_STAYS);
}
END_TEST

static const struct check *look(struct preflight *preflight)
{
	struct preflight_context context = { .root = made_root, .preflight = preflight };

	preflight->count = preflight->left_out = 0;
	check_firmware(&context);
	return preflight->count ? &preflight->checks[0] : NULL;
}

START_TEST(is_said_before)
{
	static struct preflight preflight;
	const struct check *check;

	ck_assert_ptr_null(look(&preflight));
	put_count(1);
	check = look(&preflight);
	ck_assert_str_eq(check->id, "firmware");
	ck_assert_int_eq(check->level, CHECK_WARNING);
	ck_assert_ptr_nonnull(strstr(check->text, "first boot"));
	ck_assert_ptr_nonnull(strstr(check->advice, "reboot once"));
	put_indications(4);
	check = look(&preflight);
	ck_assert_int_eq(check->level, CHECK_WARNING);
	ck_assert_ptr_nonnull(strstr(check->text, "update waits"));
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tests = test_case(suite, "preflight_firmware");

	tcase_add_checked_fixture(tests, made_root_create, made_root_remove);
	tcase_add_test(tests, variables_say);
	tcase_add_test(tests, other_sizes_say_nothing);
	tcase_add_test(tests, is_said_before);
}
