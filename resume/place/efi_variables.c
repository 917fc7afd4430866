/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume/place/efi_variables.h"

#include "base/log.h"
#include "base/tree.h"
#include "boot/efi_variable.h"
#include "history/boot_record_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static bool mounted;

bool efi_variables_mount(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };

	if (mounted || !boot_in_initramfs(root) ||
	    tree_list(root, EFI_VARIABLES_PATH, &names) < 0 || names.count > 0)
		return false;
	mounted = mount("efivarfs", EFI_VARIABLES_PATH, "efivarfs",
			MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
	if (!mounted)
		log_debug("efivarfs cannot be mounted: %s", strerror(errno));
	return mounted;
}

void efi_variables_unmount(void)
{
	if (mounted && umount2(EFI_VARIABLES_PATH, MNT_DETACH) == 0)
		mounted = false;
}
