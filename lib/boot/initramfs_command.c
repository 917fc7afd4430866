/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs_command.h"

#include "base/bytes.h"
#include "base/look.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool has_program(const char *root, const char *name)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s%s/%s", root, folders[i], name);
		look_note("", path, LOOK_NAME);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

const char *initramfs_command(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/ostree-booted", root);
	look_note("", path, LOOK_NAME);
	if (access(path, F_OK) == 0)
		return NULL;
	if (has_program(root, "update-initramfs"))
		return "update-initramfs -u -k all";
	if (has_program(root, "mkinitcpio"))
		return "mkinitcpio -P";
	if (has_program(root, "dracut"))
		return "dracut --force --regenerate-all";
	return NULL;
}
