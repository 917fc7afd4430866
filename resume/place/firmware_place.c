/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume/place/firmware_place.h"

#include "base/log.h"
#include "base/tree.h"
#include "boot/hibernate_location.h"
#include "history/boot_record_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define DIRECTORY "/sys/firmware/efi/efivars"

static bool mounted;

/* systemd mounts it in the initramfs, others do not. */
static void mount_variables(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };

	if (mounted || !boot_in_initramfs(root) || tree_list(root, DIRECTORY, &names) < 0 ||
	    names.count > 0)
		return;
	mounted = mount("efivarfs", DIRECTORY, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			NULL) == 0;
	if (!mounted)
		log_debug("efivarfs cannot be mounted: %s", strerror(errno));
}

void firmware_place_read(const char *root, struct settings *settings)
{
	struct hibernate_location location;
	int r;

	mount_variables(root);
	r = hibernate_location_read(root, &location);
	if (r == -EREMOTE)
		log_notice("the firmware's HibernateLocation is of another system, not looked at");
	else if (r < 0 && r != -ENOENT)
		log_debug("HibernateLocation cannot be read: %s", strerror(-r));
	if (r < 0)
		return;
	snprintf(settings->default_device, sizeof(settings->default_device), "UUID=%s",
		 location.uuid);
	settings->default_offset = location.offset;
	settings->default_by_firmware = true;
}

void firmware_place_clear(const char *root)
{
	int r = boot_in_initramfs(root) ? hibernate_location_clear(root) : 0;

	if (r < 0)
		log_debug("HibernateLocation was not deleted: %s", strerror(-r));
}

void firmware_place_end(void)
{
	if (mounted && umount2(DIRECTORY, MNT_DETACH) == 0)
		mounted = false;
}
