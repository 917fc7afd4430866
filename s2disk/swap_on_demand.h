/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "swap on demand": an area that is on only while hibernating, for those who
 * want no swap in daily use.
 */
#ifndef S2DISK_SWAP_ON_DEMAND_H
#define S2DISK_SWAP_ON_DEMAND_H

#include "base/why.h"
#include "config/settings.h"

/* Switches it on, at the highest priority, so that what must leave memory goes
 * there. 1, it was off and is on now, so that swap_on_demand_end() is due; 0,
 * there is no such setting, or it was on already; else a negative errno.
 * From 1 to the end, SIGHUP, SIGINT, SIGQUIT and SIGTERM, where they were not
 * ignored, switch it off before they end the program. */
int swap_on_demand_begin(const struct settings *settings, struct why *w);

/* Switches it off, in the resumed system too. What is in it must be read back,
 * which takes time or may not be possible: after a while this goes on in the
 * background, and failing is only told. */
void swap_on_demand_end(const struct settings *settings);

#endif
