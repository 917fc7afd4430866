/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After the commit: power off, reboot, or suspend. */
#ifndef S2DISK_POWER_OFF_H
#define S2DISK_POWER_OFF_H

#include "base/why.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* The method that will be used: platform becomes shutdown if the kernel does not offer it
 * (root/sys/power/disk). */
enum method power_off_method(enum method wanted, const char *root);

/* Returns only if the machine keeps running: 0 after waking from RAM (METHOD_SUSPEND;
 * *ret_asleep: microseconds that it slept, to about a second), or a negative errno if it did not
 * power off or did not sleep. */
int power_off(int snapshot_fd, enum method method, uint64_t *ret_asleep, struct why *w);

/* Logs how long it slept. The kernel may count a firmware call that returned at once as sleep. */
void power_off_report_woke(uint64_t asleep, const char *image);

#endif
