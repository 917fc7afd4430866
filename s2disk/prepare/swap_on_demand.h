/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "swap on demand": an area that is active only while hibernating, for users who want no swap
 * otherwise.
 */
#ifndef S2DISK_SWAP_ON_DEMAND_H
#define S2DISK_SWAP_ON_DEMAND_H

#include "base/why.h"
#include "config/settings.h"

/* Activates it, at the highest priority, so that the kernel swaps there first. 1: it was
 * activated, and swap_on_demand_end() must follow; 0: there is no such setting, or it was active
 * already; else a negative errno. After 1 and until the end, SIGHUP, SIGINT, SIGQUIT and
 * SIGTERM, unless ignored, deactivate it before they end the program. */
int swap_on_demand_begin(const struct settings *settings, struct why *w);

/* Deactivates it, in the resumed system too. Its content must be read back, which takes time or
 * may be impossible: after a while this continues in the background, and a failure is only
 * logged. */
void swap_on_demand_end(const struct settings *settings);

#endif
