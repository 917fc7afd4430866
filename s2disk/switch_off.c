/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "switch_off.h"

#include "base/io.h"
#include "base/log.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>

enum method switch_off_method(enum method wanted, const char *root)
{
	char text[256];

	if (wanted == METHOD_PLATFORM &&
	    (io_read_text(root, "/sys/power/disk", text, sizeof(text)) < 0 ||
	     !strstr(text, "platform")))
		return METHOD_SHUTDOWN;
	return wanted;
}

static int reboot_with(int command, const char *what, struct why *w)
{
	int r;

	reboot(command);
	r = -errno;
	return why(w, r, "the machine cannot be %s: %s", what, strerror(-r));
}

int switch_off(int snapshot_fd, enum method method, struct why *w)
{
	int r;

	switch (method) {
	case METHOD_PLATFORM:
		r = snapshot_power_off(snapshot_fd);
		if (r == -EAGAIN)
			return why(w, r, "a wake-up event came in between");
		log_warning("the firmware did not switch the machine off (%s), the kernel does",
			    strerror(-r));
		return reboot_with(RB_POWER_OFF, "switched off", w);
	case METHOD_SHUTDOWN:
		return reboot_with(RB_POWER_OFF, "switched off", w);
	case METHOD_REBOOT:
		return reboot_with(RB_AUTOBOOT, "rebooted", w);
	case METHOD_SUSPEND:
		r = snapshot_suspend_to_ram(snapshot_fd);
		if (r < 0)
			return why(w, r, "the machine cannot sleep: %s", strerror(-r));
		return 0;
	}
	return -EINVAL;
}
