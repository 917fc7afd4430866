/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the boot loader is called. */
#include "boot/boot_loader.h"

#include "base/bytes.h"
#include "boot/efi_variable.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <string.h>

static void begin(void)
{
	made_root_create();
}

static void end(void)
{
	made_root_remove();
}

static void put_info(const char *name)
{
	unsigned char bytes[4 + 2 * 200] = { 6 };
	size_t length = strlen(name);

	for (size_t i = 0; i <= length; i++)
		put_le16(bytes + 4 + 2 * i, (unsigned char)name[i]);
	made_put_bytes(EFI_VARIABLES_PATH "/LoaderInfo-" EFI_VENDOR_LOADER, bytes,
		       4 + 2 * (length + 1));
}

static void expect(const char *wanted)
{
	char name[BOOT_LOADER_MAX];

	memset(name, 'x', sizeof(name));
	boot_loader_name(made_root, name);
	ck_assert_str_eq(name, wanted);
}

/* By what the loader gave to the kernel, and what it called itself; NULL: nothing. */
static const struct {
	const char *type, *info, *name;
} loaders[] = {
	{ NULL, NULL, "" },
	{ "114\n", NULL, "GRUB" },
	{ "114\n", "GRUB 2.12", "GRUB 2.12" },
	{ "33\n", "systemd-boot 257.7-1", "systemd-boot 257.7-1" },
	{ "33\n", NULL, "EFI stub" },
	{ "33\n", "", "EFI stub" },
	{ "176\n", NULL, "QEMU" },
	{ "208\n", "GRUB 2.12", "kexec" },
	{ NULL, "GRUB 2.12", "GRUB 2.12" },
	{ "0\n", NULL, "" },
	{ "1\n", NULL, "" },
	{ "255\n", NULL, "type 15" },
	{ "4096\n", NULL, "type 256" },
	{ "18446744073709551615\n", NULL, "type 1152921504606846975" },
	{ "-1\n", NULL, "" },
	{ "x\n", NULL, "" },
	{ NULL, "a\nloader b\x1b[1m", "a?loader b?[1m" },
	{ NULL, "0123456789012345678901234567890123456789012345678901234567890123456789",
	  "012345678901234567890123456789012345678901234567890123456789..." },
};

START_TEST(names)
{
	if (loaders[_i].type)
		made_put("/proc/sys/kernel/bootloader_type", loaders[_i].type);
	if (loaders[_i].info)
		put_info(loaders[_i].info);
	expect(loaders[_i].name);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "boot_loader");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, names, 0, (int)ARRAY_SIZE(loaders));
}
