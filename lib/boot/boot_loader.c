/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_loader.h"

#include "base/bytes.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/efi_variable.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Documentation/arch/x86/boot.rst, "type_of_loader"; without the loader's version in the low four
 * bits. The kernel's own EFI stub is entered by the firmware, or by a loader of EFI programs. */
#define LOADER_KEXEC 0xd

static const struct {
	uint64_t number;
	const char *name;
} types[] = {
	{ 0x2, "EFI stub" }, { 0x3, "SYSLINUX" }, { 0x4, "iPXE" },
	{ 0x5, "ELILO" },    { 0x7, "GRUB" },	  { 0x8, "U-Boot" },
	{ 0x9, "Xen" },	     { 0xb, "QEMU" },	  { LOADER_KEXEC, "kexec" },
};

static bool read_type(const char *root, uint64_t *ret)
{
	char text[24];

	if (!tree_text(root, text, sizeof(text), "/proc/sys/kernel/bootloader_type") ||
	    text_parse_u64(text, ret) < 0)
		return false;
	*ret >>= 4;
	return *ret > 0; /* LILO, or one that has not filled it in */
}

static void name_type(uint64_t type, char ret[BOOT_LOADER_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].number == type) {
			text_copy(ret, BOOT_LOADER_MAX, types[i].name);
			return;
		}
	snprintf(ret, BOOT_LOADER_MAX, "type %" PRIu64, type);
}

void boot_loader_name(const char *root, char ret[BOOT_LOADER_MAX])
{
	char info[EFI_VARIABLE_MAX / 2];
	uint64_t type = 0;
	bool known = read_type(root, &type);

	info[0] = '\0';
	/* The variable is then of the loader that booted the kernel before. */
	if (!known || type != LOADER_KEXEC)
		efi_variable_text(root, "LoaderInfo", EFI_VENDOR_LOADER, info, sizeof(info));
	text_excerpt(info, ret, BOOT_LOADER_MAX);
	if (!ret[0] && known)
		name_type(type, ret);
}
