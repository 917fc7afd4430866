/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/efi_variable.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ATTRIBUTES_SIZE 4

size_t efi_variable_read(const char *root, const char *name, const char *vendor,
			 unsigned char value[EFI_VARIABLE_MAX])
{
	char path[PATH_MAX], raw[EFI_VARIABLE_MAX + ATTRIBUTES_SIZE + 1];
	ssize_t n;

	snprintf(path, sizeof(path), EFI_VARIABLES_PATH "/%s-%s", name, vendor);
	n = io_read_text(root, path, raw, sizeof(raw));
	if (n <= ATTRIBUTES_SIZE)
		return 0;
	memcpy(value, raw + ATTRIBUTES_SIZE, (size_t)n - ATTRIBUTES_SIZE);
	return (size_t)n - ATTRIBUTES_SIZE;
}

void efi_variable_text(const char *root, const char *name, const char *vendor, char *ret,
		       size_t size)
{
	unsigned char value[EFI_VARIABLE_MAX];
	size_t length = efi_variable_read(root, name, vendor, value), i;

	for (i = 0; i + 1 < size && 2 * i + 1 < length && get_le16(value + 2 * i); i++)
		ret[i] = value[2 * i + 1] ? '?' : (char)value[2 * i];
	ret[i] = '\0';
	text_make_printable(ret);
}
