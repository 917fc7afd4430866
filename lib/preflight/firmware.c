/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware that will not leave memory as it is. */
#include "preflight/preflight_private.h"

#include "boot/firmware_plan.h"

void check_firmware(struct preflight_context *context)
{
	switch (firmware_plan_read(context->root)) {
	case FIRMWARE_UPDATES:
		preflight_advise(
			preflight_add(context, "firmware", CHECK_WARNING,
				      "a firmware update waits for the next boot: after it the "
				      "image will probably not fit, and no other boot will resume "
				      "it"),
			"reboot first, so that the firmware is updated");
		break;
	case FIRMWARE_IS_NEW:
		preflight_advise(
			preflight_add(context, "firmware", CHECK_WARNING,
				      "this is the first boot with these firmware variables: the "
				      "firmware may use memory differently from the next boot on"),
			"reboot once before you hibernate");
		break;
	default:
		break;
	}
}
