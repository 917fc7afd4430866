/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How systemd is configured to power off for hibernation, and what "suspend" needs. */
#ifndef S2DISK_CONFIG_SLEEP_METHOD_H
#define S2DISK_CONFIG_SLEEP_METHOD_H

#include "config/settings.h"

#include <stdbool.h>

/* SNAPSHOT_S2RAM enters the state "mem" as the firmware has it, never suspend-to-idle
 * (kernel/power/user.c calls suspend_devices_and_enter() with PM_SUSPEND_MEM). Does
 * root/sys/power/mem_sleep offer that? Kernels without the file know no other. */
bool sleep_method_has_deep(const char *root);

/* The first of HibernateMode= that the kernel offers (root/sys/power/disk) and that can be used
 * here becomes the method if the settings do not set one: it is where users configure a method for
 * a machine that needs it. */
void sleep_method_load(const char *root, struct settings *settings);

#endif
