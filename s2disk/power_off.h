/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After the commit: off, reboot, or to sleep. */
#ifndef S2DISK_POWER_OFF_H
#define S2DISK_POWER_OFF_H

#include "base/why.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* The method that will be used: platform becomes shutdown where the kernel does
 * not offer it (root/sys/power/disk). */
enum method switch_off_method(enum method wanted, const char *root);

/* Returns only when the machine goes on: 0 after waking from RAM
 * (METHOD_SUSPEND; *ret_asleep: microseconds that it slept, to about a second),
 * or a negative errno when it could not be switched off or did not sleep. */
int switch_off(int snapshot_fd, enum method method, uint64_t *ret_asleep, struct why *w);

/* Tells how long it slept. A kernel may take a firmware that came back at once
 * for one that slept. */
void switch_off_tell_woke(uint64_t asleep, const char *image);

#endif
