/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/firmware_plan.h"

#include "base/bytes.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/efi_variable.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define VENDOR_FWUPD "0abba7dc-e516-4167-bbf5-4d9d1c739416"
#define VENDOR_MTC "eb704011-1402-11d3-8e77-00a0c969723b"

#define FILE_CAPSULE_DELIVERY 4u

/* In fwupd's variables: version (4), GUID (16), flags (4), instance (8), time (16), status. */
#define AT_FWUPD_STATUS 48
#define FWUPD_ATTEMPT_UPDATE 1u

static bool fwupd_waits(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };
	unsigned char value[EFI_VARIABLE_MAX];

	if (tree_list_ending(root, EFI_VARIABLES_PATH, "-" VENDOR_FWUPD, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		char *name = names.items[i];

		name[strlen(name) - strlen("-" VENDOR_FWUPD)] = '\0';
		if (text_starts(name, "fwupd-") &&
		    efi_variable_read(root, name, VENDOR_FWUPD, value) >= AT_FWUPD_STATUS + 4 &&
		    get_le32(value + AT_FWUPD_STATUS) == FWUPD_ATTEMPT_UPDATE)
			return true;
	}
	return false;
}

static bool capsule_waits(const char *root)
{
	unsigned char value[EFI_VARIABLE_MAX];

	return efi_variable_read(root, "OsIndications", EFI_VENDOR_GLOBAL, value) >= 8 &&
	       get_le64(value) & FILE_CAPSULE_DELIVERY;
}

static bool is_first_boot(const char *root)
{
	unsigned char value[EFI_VARIABLE_MAX];

	return efi_variable_read(root, "MTC", VENDOR_MTC, value) == 4 && get_le32(value) == 1;
}

enum firmware_plan firmware_plan_read(const char *root)
{
	if (fwupd_waits(root) || capsule_waits(root))
		return FIRMWARE_UPDATES;
	return is_first_boot(root) ? FIRMWARE_IS_NEW : FIRMWARE_STAYS;
}
