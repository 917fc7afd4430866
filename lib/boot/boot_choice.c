/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_choice.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/text.h"
#include "boot/efi_variable.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

#define TEXT_MAX 80

/* The name of the entry whose number the variable holds, "" for none. */
static void read_entry(const char *root, const char *name, char ret[TEXT_MAX])
{
	unsigned char value[EFI_VARIABLE_MAX];

	ret[0] = '\0';
	if (efi_variable_read(root, name, EFI_VENDOR_GLOBAL, value) >= 2)
		snprintf(ret, TEXT_MAX, "Boot%04X", get_le16(value));
}

static void read_text(const char *root, const char *name, char ret[TEXT_MAX])
{
	efi_variable_text(root, name, EFI_VENDOR_LOADER, ret, TEXT_MAX);
}

/* Does another bootable entry come before this one in BootOrder? UEFI, "Load Options": an
 * entry counts if it is active (bit 0), is a system (bits 8 to 12 are 0), and lies on a
 * partition, which its device path names by a node of type 4, 1 and 42 bytes. All others
 * may be absent (USB, the network), and the firmware skips them. */
static bool read_first(const char *root, const char *now, char ret[TEXT_MAX])
{
	unsigned char order[EFI_VARIABLE_MAX], value[EFI_VARIABLE_MAX];
	size_t length = efi_variable_read(root, "BootOrder", EFI_VENDOR_GLOBAL, order), size;

	for (size_t i = 0; i + 1 < length; i += 2) {
		snprintf(ret, TEXT_MAX, "Boot%04X", get_le16(order + i));
		if (strcmp(ret, now) == 0)
			return false;
		size = efi_variable_read(root, ret, EFI_VENDOR_GLOBAL, value);
		if (size > 6 && (get_le32(value) & 0x1f01) == 1 &&
		    memmem(value + 6, size - 6, "\4\1\52\0", 4))
			return true;
	}
	return false;
}

/* Returns 1: one more choice. */
static size_t say(struct boot_choice *ret, const char *actor, const char *what, const char *how,
		  const char *advice)
{
	snprintf(ret->text, sizeof(ret->text), "%s %s %s", actor, what, how);
	ret->advice = advice;
	return 1;
}

static size_t look_at_firmware(const char *root, struct boot_choice *ret)
{
	char next[TEXT_MAX], now[TEXT_MAX], first[TEXT_MAX];

	read_entry(root, "BootNext", next);
	read_entry(root, "BootCurrent", now);
	if (next[0] && strcmp(next, now) != 0)
		return say(ret, "the firmware will start", next, "once (BootNext)",
			   "efibootmgr --delete-bootnext");
	if (next[0] || !now[0] || !read_first(root, now, first))
		return 0;
	return say(ret, "the firmware starts", first,
		   "first (BootOrder), not the entry of this boot",
		   "choose this system in the firmware's menu, or see efibootmgr(8)");
}

static size_t look_at_loader(const char *root, struct boot_choice *ret)
{
	char once[TEXT_MAX], selected[TEXT_MAX], usual[TEXT_MAX];

	read_text(root, "LoaderEntryOneShot", once);
	read_text(root, "LoaderEntrySelected", selected);
	read_text(root, "LoaderEntryDefault", usual);
	if (once[0] && strcasecmp(once, selected) != 0)
		return say(ret, "the boot loader will start", once, "once (LoaderEntryOneShot)",
			   "bootctl set-oneshot \"\"");
	if (once[0] || !usual[0] || usual[0] == '@' || !selected[0] ||
	    fnmatch(usual, selected, FNM_CASEFOLD) == 0)
		return 0;
	return say(ret, "the boot loader starts", usual,
		   "(LoaderEntryDefault), not the entry of this boot",
		   "choose this system in the boot loader's menu, or bootctl set-default");
}

/* NAME=value lines after a comment line. */
static bool find_value(const char *text, const char *name, char ret[TEXT_MAX])
{
	const char *at = strstr(text, name);

	if (!at || sscanf(at + strlen(name), "%79[^\n]", ret) != 1)
		return false;
	text_make_printable(ret);
	return true;
}

static size_t look_at_grub(const char *root, const char *path, struct boot_choice *ret)
{
	char text[4096], value[TEXT_MAX];

	if (io_read_text(root, path, text, sizeof(text)) <= 0)
		return 0;
	if (find_value(text, "\nnext_entry=", value))
		return say(ret, "GRUB will start", value, "once (next_entry)",
			   "grub-editenv - unset next_entry (or grub2-editenv)");
	if (find_value(text, "\nsaved_entry=", value) &&
	    (text_starts(value, "osprober-") || strcasestr(value, "windows")))
		return say(ret, "GRUB remembers another system as the last choice,", value,
			   "(saved_entry), and may start it", "choose this system in GRUB's menu");
	return 0;
}

size_t boot_choices_read(const char *root, struct boot_choice ret[BOOT_CHOICES_MAX])
{
	size_t count = look_at_firmware(root, ret);

	count += look_at_loader(root, &ret[count]);
	count += look_at_grub(root, "/boot/grub/grubenv", &ret[count]);
	return count + look_at_grub(root, "/boot/grub2/grubenv", &ret[count]);
}
