/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs_command.h"

#include "base/bytes.h"
#include "base/tree.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* root/directory/name; the name ends at a blank. */
static bool has(const char *root, const char *directory, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%.*s", directory, (int)strcspn(name, " "), name);
	return tree_exists(root, path);
}

const char *initramfs_command(const char *root)
{
	static const char *const commands[] = { "update-initramfs -u -k all", "mkinitcpio -P",
						"dracut --force --regenerate-all" };
	static const char *const directories[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < ARRAY_SIZE(commands) && !has(root, "/run", "ostree-booted"); i++)
		for (size_t j = 0; j < ARRAY_SIZE(directories); j++)
			if (has(root, directories[j], commands[i]))
				return commands[i];
	return NULL;
}
