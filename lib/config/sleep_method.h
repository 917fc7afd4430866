/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How systemd was told to switch the machine off. */
#ifndef S2DISK_CONFIG_SLEEP_METHOD_H
#define S2DISK_CONFIG_SLEEP_METHOD_H

#include "config/settings.h"

/* The first of HibernateMode= that the kernel offers (root/sys/power/disk) becomes the
 * method where the settings do not set one: a machine that does not survive another was
 * told so there. */
void sleep_method_load(const char *root, struct settings *settings);

#endif
