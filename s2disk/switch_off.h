/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After the commit: off, reboot, or to sleep. */
#ifndef S2DISK_SWITCH_OFF_H
#define S2DISK_SWITCH_OFF_H

#include "base/why.h"
#include "settings.h"

#include <stdbool.h>

/* The method that will be used: platform becomes shutdown where the kernel does
 * not offer it (root/sys/power/disk). */
enum method switch_off_method(enum method wanted, const char *root);

/* Returns only when the machine goes on: 0 after waking from RAM
 * (METHOD_SUSPEND), or a negative errno when it could not be switched off. */
int switch_off(int snapshot_fd, enum method method, struct why *w);

#endif
