/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power_off.h"

#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/snapshot_device.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>

enum method power_off_method(enum method wanted, const char *root)
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

/* A device did not suspend, or there was a wake-up event. */
static bool is_woken(int r)
{
	return r == -EBUSY || r == -EAGAIN;
}

#define WOKEN "a device did not suspend, or something woke the machine; dmesg says more"

/* CLOCK_BOOTTIME advances while the machine sleeps, CLOCK_MONOTONIC does not. */
static int64_t asleep_usec(void)
{
	struct timespec all, awake;

	clock_gettime(CLOCK_MONOTONIC, &awake);
	clock_gettime(CLOCK_BOOTTIME, &all);
	return (all.tv_sec - awake.tv_sec) * INT64_C(1000000) +
	       (all.tv_nsec - awake.tv_nsec) / 1000;
}

static int power_off_by_firmware(int snapshot_fd, struct why *w)
{
	int r = snapshot_power_off(snapshot_fd);

	if (is_woken(r))
		return why(w, r, "the machine did not power off: " WOKEN);
	log_warning("the firmware did not power the machine off (%s); the kernel does",
		    r < 0 ? strerror(-r) : "it reported success");
	return reboot_with(RB_POWER_OFF, "powered off", w);
}

static int suspend_to_ram(int snapshot_fd, uint64_t *ret_asleep, struct why *w)
{
	int64_t before = asleep_usec(), passed;
	int r = snapshot_suspend_to_ram(snapshot_fd);

	if (is_woken(r))
		return why(w, r, "the machine did not sleep: " WOKEN);
	if (r < 0)
		return why(w, r, "the machine cannot sleep: %s", strerror(-r));
	/* The clocks are read one after the other, so the difference may be slightly negative. */
	passed = asleep_usec() - before;
	*ret_asleep = passed > 0 ? (uint64_t)passed : 0;
	return 0;
}

int power_off(int snapshot_fd, enum method method, uint64_t *ret_asleep, struct why *w)
{
	switch (method) {
	case METHOD_PLATFORM:
		return power_off_by_firmware(snapshot_fd, w);
	case METHOD_SHUTDOWN:
		return reboot_with(RB_POWER_OFF, "powered off", w);
	case METHOD_REBOOT:
		return reboot_with(RB_AUTOBOOT, "rebooted", w);
	case METHOD_SUSPEND:
		return suspend_to_ram(snapshot_fd, ret_asleep, w);
	}
	return -EINVAL;
}

void power_off_report_woke(uint64_t asleep, const char *image)
{
	char text[32];

	log_notice("woke from RAM after %s asleep; the image was invalidated (%s)",
		   text_duration(asleep, text, sizeof(text)), image);
	if (asleep < 500000)
		log_warning(
			"the machine did not stay asleep: unless something woke it at once, the "
			"firmware did not put it to sleep, though the kernel reports that it did");
}
