/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hibernation, from opening /dev/snapshot to the resumed system. */
#ifndef S2DISK_HIBERNATE_H
#define S2DISK_HIBERNATE_H

#include "base/why.h"
#include "seal/key_slots.h"
#include "s2disk/aftermath/last.h"
#include "s2disk/prepare/platform_section.h"
#include "config/settings.h"
#include "swap/swap_area.h"

/* Hibernates; section was captured just before. 0: the machine was off and is back (or slept and
 * woke); one line about it has been logged. A negative errno: nothing changed, the system runs
 * on; the reason is in w. keys: ways to the key of a sealed image, wiped afterwards; NULL: a
 * plain one. last, which was begun, gets what is known about it, and its result. Signals that
 * would end the program are held back (abort_watch_begin); the caller calls abort_watch_end()
 * when last is kept. */
int hibernate(const struct settings *settings, const struct swap_area *area,
	      struct platform_section *section, struct key_ways *keys, struct last *last,
	      struct why *w);

#endif
