/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/boot_choice.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOADER "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define VALUE_MAX 512

/* The value without the four bytes of attributes; its length, 0 for none. */
static size_t read_variable(const char *root, const char *name, const char *vendor,
			    unsigned char value[VALUE_MAX], uint32_t *ret_attributes)
{
	unsigned char raw[VALUE_MAX + 4];
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/sys/firmware/efi/efivars/%s-%s", root, name, vendor);
	look_note("", path, LOOK_READ);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, raw, sizeof(raw));
	if (n <= 4)
		return 0;
	if (ret_attributes)
		*ret_attributes = get_le32(raw);
	memcpy(value, raw + 4, (size_t)n - 4);
	return (size_t)n - 4;
}

/* -1: there is none. */
static int read_number(const char *root, const char *name)
{
	unsigned char value[VALUE_MAX];

	return read_variable(root, name, EFI_GLOBAL, value, NULL) >= 2 ? get_le16(value) : -1;
}

/* UTF-16, of which names of entries are ASCII. */
static void read_text(const char *root, const char *name, char *ret, size_t size)
{
	unsigned char value[VALUE_MAX];
	size_t length = read_variable(root, name, LOADER, value, NULL), i;

	for (i = 0; i + 1 < size && 2 * i + 1 < length && get_le16(value + 2 * i); i++)
		ret[i] = value[2 * i + 1] ? '?' : (char)value[2 * i];
	ret[i] = '\0';
	text_make_printable(ret);
}

/* UEFI, "Device Path Protocol": what may be absent or may not answer, so the firmware goes on
 * to the next: USB, network, optical disks, and all that is of the BIOS. */
static bool is_passed_over(const unsigned char *at, size_t length)
{
	while (length >= 4) {
		size_t size = get_le16(at + 2);

		if ((at[0] == 3 && memchr("\5\13\14\15\17\20\30", at[1], 7)) ||
		    (at[0] == 4 && at[1] == 2) || at[0] == 5)
			return true;
		if (at[0] == 0x7f || size < 4 || size > length)
			return false;
		at += size;
		length -= size;
	}
	return false;
}

/* Does the firmware start it when it is its turn? Not one that is switched off, nor what is
 * no system: LOAD_OPTION_ACTIVE is bit 0, LOAD_OPTION_CATEGORY bits 8 to 12. */
static bool is_started(const char *root, int entry)
{
	unsigned char value[VALUE_MAX];
	size_t length, at = 6;
	char name[16];

	snprintf(name, sizeof(name), "Boot%04X", (unsigned int)entry);
	length = read_variable(root, name, EFI_GLOBAL, value, NULL);
	if (length < 4)
		return true;
	if (!(value[0] & 1) || (get_le32(value) & 0x1f00))
		return false;
	while (at + 1 < length && get_le16(value + at))
		at += 2;
	return at + 2 > length || !is_passed_over(value + at + 2, length - at - 2);
}

static int first_in_order(const char *root, int now)
{
	unsigned char order[VALUE_MAX];
	size_t length = read_variable(root, "BootOrder", EFI_GLOBAL, order, NULL);

	for (size_t i = 0; i + 1 < length; i += 2)
		if (get_le16(order + i) == now || is_started(root, get_le16(order + i)))
			return get_le16(order + i);
	return -1;
}

static void add(struct boot_choice *ret, size_t *count, const char *advice, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add(struct boot_choice *ret, size_t *count, const char *advice, const char *format, ...)
{
	va_list args;

	if (*count == BOOT_CHOICES_MAX)
		return;
	text_copy(ret[*count].advice, sizeof(ret->advice), advice);
	va_start(args, format);
	vsnprintf(ret[(*count)++].text, sizeof(ret->text), format, args);
	va_end(args);
}

static void look_at_firmware(const char *root, struct boot_choice *ret, size_t *count)
{
	int next = read_number(root, "BootNext"), now = read_number(root, "BootCurrent");
	int first = first_in_order(root, now);
	char once[128], selected[128], usual[128];

	if (next >= 0 && next != now)
		add(ret, count, "efibootmgr --delete-bootnext",
		    "the firmware is to start Boot%04X once (BootNext)", (unsigned int)next);
	else if (next < 0 && now >= 0 && first >= 0 && first != now)
		add(ret, count, "choose this system in the firmware's menu, or see efibootmgr(8)",
		    "the firmware starts Boot%04X first (BootOrder), this boot was Boot%04X",
		    (unsigned int)first, (unsigned int)now);
	read_text(root, "LoaderEntryOneShot", once, sizeof(once));
	read_text(root, "LoaderEntrySelected", selected, sizeof(selected));
	read_text(root, "LoaderEntryDefault", usual, sizeof(usual));
	if (once[0] && strcasecmp(once, selected) != 0)
		add(ret, count, "bootctl set-oneshot \"\"",
		    "the boot loader is to start %.100s once (LoaderEntryOneShot)", once);
	else if (!once[0] && usual[0] && usual[0] != '@' && selected[0] &&
		 fnmatch(usual, selected, FNM_CASEFOLD) != 0)
		add(ret, count,
		    "choose this system in the boot loader's menu, or bootctl set-default",
		    "the boot loader starts %.80s (LoaderEntryDefault), this boot was %.80s", usual,
		    selected);
}

/* GRUB: lines NAME=value after a line of comment. */
static bool find_variable(const char *text, const char *name, char *ret, size_t size)
{
	size_t length = strlen(name);

	for (; *text; text = strchrnul(text, '\n'), text += *text == '\n') {
		if (strncmp(text, name, length) != 0 || text[length] != '=')
			continue;
		text += length + 1;
		snprintf(ret, size, "%.*s", (int)min_u64(strcspn(text, "\n"), size - 1), text);
		text_make_printable(ret);
		return ret[0] != '\0';
	}
	return false;
}

static void look_at_grubenv(const char *root, const char *path, struct boot_choice *ret,
			    size_t *count)
{
	char text[4096], value[128];

	if (io_read_text(root, path, text, sizeof(text)) <= 0)
		return;
	if (find_variable(text, "next_entry", value, sizeof(value)))
		add(ret, count, "grub-editenv - unset next_entry (or grub2-editenv)",
		    "GRUB is to start '%.100s' once (next_entry)", value);
	else if (find_variable(text, "saved_entry", value, sizeof(value)) &&
		 (text_starts(value, "osprober-") || strcasestr(value, "windows")))
		add(ret, count, "choose this system in GRUB's menu",
		    "GRUB remembers another system as the last choice, '%.80s' (saved_entry), and "
		    "may start it",
		    value);
}

size_t boot_choices_read(const char *root, struct boot_choice ret[BOOT_CHOICES_MAX])
{
	size_t count = 0;

	look_at_firmware(root, ret, &count);
	look_at_grubenv(root, "/boot/grub/grubenv", ret, &count);
	look_at_grubenv(root, "/boot/grub2/grubenv", ret, &count);
	return count;
}
