/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How systemd is configured to power off for hibernation. */
#ifndef S2DISK_CONFIG_SLEEP_METHOD_H
#define S2DISK_CONFIG_SLEEP_METHOD_H

#include "config/settings.h"

/* The first of HibernateMode= that the kernel offers (root/sys/power/disk) becomes the method if
 * the settings do not set one: it is where users configure a method for a machine that needs it. */
void sleep_method_load(const char *root, struct settings *settings);

#endif
