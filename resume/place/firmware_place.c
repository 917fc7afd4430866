/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume/place/firmware_place.h"

#include "base/log.h"
#include "boot/hibernate_location.h"
#include "config/target.h"
#include "history/boot_record_file.h"
#include "resume/place/efi_variables.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void firmware_place_read(const char *root, struct settings *settings)
{
	struct hibernate_location location;
	int r;

	efi_variables_mount(root);
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

static bool leads_to(const char *root, const struct settings *settings,
		     const struct swap_area *area)
{
	struct hibernate_location location;
	struct swap_area named, found;
	char spec[TEXT_UUID_SIZE + 8];

	if (hibernate_location_read(root, &location) < 0)
		return false;
	if (!area && target_find(settings, root, false, &named, NULL) < 0)
		return false;
	if (!area)
		area = &named;
	snprintf(spec, sizeof(spec), "UUID=%s", location.uuid);
	return swap_area_resolve(spec, location.offset, false, &found, NULL) == 0 &&
	       found.dev == area->dev && found.offset == area->offset;
}

void firmware_place_clear(const char *root, const struct settings *settings,
			  const struct swap_area *area, bool mount)
{
	int r = 0;

	if (!boot_in_initramfs(root))
		return;
	/* Where something else names the place, it was not mounted to read the variable. */
	if (mount)
		efi_variables_mount(root);
	if (settings->default_by_firmware || leads_to(root, settings, area))
		r = hibernate_location_clear(root);
	if (r < 0)
		log_debug("HibernateLocation was not deleted: %s", strerror(-r));
}

void firmware_place_end(void)
{
	efi_variables_unmount();
}
