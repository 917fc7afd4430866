/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/efi_variable.h"

#include "base/io.h"

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
