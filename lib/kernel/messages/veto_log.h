/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kept the kernel from freezing, or from restoring an image, from its messages. Pure. The
 * messages are those of drivers/base/power/main.c and kernel/power/process.c, the same from
 * Linux 6.1 to 7.x except for a "PM: ":
 *
 *   snd_hda_intel 0000:00:1f.3: PM: failed to quiesce async: error -16
 *   snd_hda_intel 0000:00:1f.3: PM: pci_pm_freeze(): azx_freeze [snd_hda_intel] returns -16
 *   usb 1-2: PM: not prepared for power transition: code -16
 *   Freezing user space processes failed after 20.004 seconds (1 tasks refusing …):
 *   task:cp              state:D stack:0     pid:311 …
 *   Freezing user space processes aborted after 0.001 seconds (…):
 *
 * A driver that refuses in a PM notifier is not named by the kernel; it may log a message of its
 * own, as virtio_mem does.
 */
#ifndef S2DISK_KERNEL_VETO_LOG_H
#define S2DISK_KERNEL_VETO_LOG_H

#include "kernel/messages/kernel_log.h"

#include <stdbool.h>

enum veto_kind {
	VETO_UNKNOWN,
	VETO_COMPLAINT, /* a device's driver reported an error: perhaps that one */
	VETO_DEVICE,	/* this device failed */
	VETO_PROCESS,	/* it did not freeze */
	VETO_EVENT,	/* a wakeup event */
};

/* Zeroed, it knows nothing. Texts are "" if unknown. */
struct veto_log {
	enum veto_kind kind;
	char subsystem[32], device[128]; /* below /sys/bus or /sys/class */
	char driver[64];		 /* or its bus, if it has none */
	char module[64];		 /* of the function that failed */
	char said[256]; /* from a driver's own message, without driver and device */
	char process[64];
};

/* Processes the next message. */
void veto_log_add(struct veto_log *log, const struct kernel_message *message);

#endif
